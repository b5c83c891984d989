"""Routes under /api/v1/."""

from django.urls import path

from apps.documents.api import views

app_name = "documents-api"
urlpatterns = [
    path("documents/", views.DocumentList.as_view(), name="documents"),
    path("documents/<uuid:document_id>/", views.DocumentDetail.as_view(), name="document"),
    path("documents/<uuid:document_id>/retry/", views.DocumentRetry.as_view(), name="retry"),
    path("documents/<uuid:document_id>/pages/<int:number>/", views.PageDetail.as_view(), name="page"),
    path(
        "documents/<uuid:document_id>/pages/<int:number>/image", views.PagePicture.as_view(), name="picture"
    ),
]
