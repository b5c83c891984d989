"""Addresses under `/o/<slug>/`."""

from django.urls import path

from apps.files import views

app_name = "files"
urlpatterns = [
    path("files/<uuid:file_id>/preview", views.preview, name="preview"),
    path("files/<uuid:file_id>", views.file, name="unnamed"),
    path("files/<uuid:file_id>/<str:name>", views.file, name="file"),
]
