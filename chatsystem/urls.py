"""The doors over HTTP: each app brings its own routes, in `urls.py` and `api/urls.py`."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from django.apps import apps
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerView

from apps.core import registry

OURS = [config.name for config in apps.get_app_configs() if config.name.startswith("apps.")]


def _own(module: str, attribute: str) -> list[URLPattern | URLResolver]:
    """Return the routes of a kind of all our apps that have them."""
    found: list[URLPattern | URLResolver] = []
    for name in OURS:
        if find_spec(f"{name}.{module.partition('.')[0]}") and find_spec(f"{name}.{module}"):
            urls = import_module(f"{name}.{module}")
            if routes := getattr(urls, attribute, None):
                namespace = getattr(urls, "app_name", None) if attribute == "urlpatterns" else None
                found.append(path("", include((routes, namespace) if namespace else routes)))
    return found


urlpatterns: list[URLPattern | URLResolver] = [
    *_own("urls", "root_urlpatterns"),
    path("o/<slug:slug>/", include([*_own("urls", "urlpatterns"), *registry.pages.all()])),
    path("api/v1/", include([*_own("api.urls", "urlpatterns"), *registry.api_routes.all()])),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/v1/schema/swagger/", SpectacularSwaggerView.as_view(url_name="schema"), name="swagger"),
    path("api/v1/schema/redoc/", SpectacularRedocView.as_view(url_name="schema"), name="redoc"),
    path("admin/", admin.site.urls),
]
