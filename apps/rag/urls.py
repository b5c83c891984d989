"""Pages of search, under `/o/<slug>/`."""

from django.urls import path

from apps.rag.views import completing, hits, passages, rewriting, searching

app_name = "rag"
urlpatterns = [
    path("search/", searching.search_page, name="search"),
    path("search/<uuid:search_id>/hits/<int:number>/", hits.why, name="why"),
    path("search/<uuid:search_id>/hits/<int:number>/thumb/", hits.thumb, name="thumb"),
    path("search/<uuid:search_id>/finished/", hits.finished, name="finished"),
    path("search/other-words/", rewriting.other_words, name="other_words"),
    path("search/completions/", completing.completions, name="completions"),
    path("passages/<uuid:document_id>/", passages.passage, name="passage"),
]
