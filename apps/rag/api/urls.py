"""Routes under /api/v1/."""

from django.urls import path

from apps.rag.api import views

app_name = "rag-api"
urlpatterns = [path("search/", views.Search.as_view(), name="search")]
