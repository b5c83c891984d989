"""Routes under /api/v1/."""

from django.urls import path

from apps.files.api import views

app_name = "files-api"
urlpatterns = [
    path("files/", views.FileList.as_view(), name="files"),
    path("files/<uuid:file_id>/", views.FileDetail.as_view(), name="file"),
    path("files/<uuid:file_id>/content", views.content, name="content"),
]
