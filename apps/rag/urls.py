"""Pages of search, under `/o/<slug>/`."""

from django.urls import path

from apps.rag.views import passages, searching

app_name = "rag"
urlpatterns = [
    path("search/", searching.search_page, name="search"),
    path("passages/<uuid:document_id>/", passages.passage, name="passage"),
]
