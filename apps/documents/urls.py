"""Addresses under `/o/<slug>/`."""

from django.urls import path

from apps.documents import views

app_name = "documents"
urlpatterns = [
    path("documents/", views.documents, name="list"),
    path("documents/<uuid:document_id>/failed/", views.failed_pages, name="list_failed"),
    path("documents/<uuid:document_id>/again/", views.again, name="list_retry"),
    path("documents/<uuid:document_id>/change/", views.change, name="list_change"),
    path("documents/<uuid:document_id>/replace/", views.replace, name="list_replace"),
    path("documents/<uuid:document_id>/delete/", views.delete, name="list_delete"),
    path("documents/of/<uuid:file_id>/", views.state, name="state"),
    path("documents/<uuid:document_id>/retry/", views.retry, name="retry"),
    path("documents/<uuid:document_id>/pages/<int:number>/image", views.page_image, name="page_image"),
]
