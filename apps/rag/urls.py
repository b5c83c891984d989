"""Pages of search, under `/o/<slug>/`."""

from django.urls import path

from apps.rag.views import completing, passages, searching

app_name = "rag"
urlpatterns = [
    path("search/", searching.search_page, name="search"),
    path("search/completions/", completing.completions, name="completions"),
    path("passages/<uuid:document_id>/", passages.passage, name="passage"),
]
