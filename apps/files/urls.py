"""Addresses under `/o/<slug>/`, and the one at the files' host."""

from django.urls import path

from apps.files import views

app_name = "files"
root_urlpatterns = [path("f/<str:token>/<str:name>", views.linked, name="linked_file")]
urlpatterns = [
    path("files/<uuid:file_id>/preview", views.preview, name="preview"),
    path("files/<uuid:file_id>", views.file, name="unnamed"),
    path("files/<uuid:file_id>/<str:name>", views.file, name="file"),
]
