"""Addresses under `/o/<slug>/`."""

from django.urls import path

from apps.documents import views

app_name = "documents"
urlpatterns = [
    path("documents/<uuid:document_id>/pages/<int:number>/image", views.page_image, name="page_image"),
]
