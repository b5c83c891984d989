"""Addresses under `/o/<slug>/`."""

from django.urls import path

from apps.security import views

app_name = "privacy"
urlpatterns = [
    path("privacy/", views.own_data, name="own"),
    path("exports/", views.start_data_export, name="export-start"),
    path("exports/<uuid:export_id>/cancel/", views.cancel_data_export, name="export-cancel"),
    path("exports/<uuid:export_id>/data.zip", views.data_export_file, name="export-file"),
    path("privacy/exports/", views.start, name="start"),
    path("privacy/exports/<uuid:request_id>/cancel/", views.cancel, name="cancel"),
    path("privacy/exports/<uuid:request_id>/data.zip", views.file, name="file"),
]
