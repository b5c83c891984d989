"""Pages of the mechanisms, under `/o/<slug>/`."""

from django.urls import path

from apps.core import views

app_name = "core"
urlpatterns = [path("palette/", views.find_targets, name="palette")]
