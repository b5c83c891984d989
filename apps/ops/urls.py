"""Health, metrics and the pages of the API document, at the top."""

from django.urls import URLPattern, path

from apps.ops import liveness, views

urlpatterns: list[URLPattern] = []
root_urlpatterns = [
    path("livez", liveness.livez, name="livez"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.metrics, name="metrics"),
    path("docs/api/", views.swagger, name="api_swagger"),
    path("docs/api/redoc/", views.redoc, name="api_redoc"),
]
