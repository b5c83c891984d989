"""Routes under /api/v1/."""

from django.urls import path

from apps.rag.api import policy, synonyms, views

app_name = "rag-api"
urlpatterns = [
    path("search/", views.Search.as_view(), name="search"),
    path("search/<uuid:search_id>/hits/<int:number>/thumb/", views.Thumb.as_view(), name="thumb"),
    path("search/policy/", policy.SearchPolicyDetail.as_view(), name="policy"),
    path("search/synonyms/", synonyms.SynonymList.as_view(), name="synonyms"),
    path("search/synonyms/<uuid:set_id>/", synonyms.SynonymDetail.as_view(), name="synonyms-one"),
]
