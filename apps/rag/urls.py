"""Pages of search, under `/o/<slug>/`."""

from django.urls import path

from apps.rag import views

app_name = "rag"
urlpatterns = [path("search/", views.search_page, name="search")]
