"""The doors over HTTP: what each app brings, put in its place (see `apps.core.registry`)."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

from django.apps import apps
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.utils.module_loading import module_has_submodule

from apps.core import registry
from apps.core.api.document import SchemaDocument

Routes = list[URLPattern | URLResolver]


def modules(name: str) -> Iterator[ModuleType]:
    """Yield this module of every app of ours that has it."""
    package, _, inner = name.rpartition(".")
    for config in apps.get_app_configs():
        if not config.name.startswith("apps.") or config.module is None:
            continue
        holder = config.module
        if package:
            if not module_has_submodule(holder, package):
                continue
            holder = import_module(f"{config.name}.{package}")
        if module_has_submodule(holder, inner):
            yield import_module(f"{holder.__name__}.{inner}")


page_modules = list(modules("urls"))
api: Routes = [
    path("schema/", SchemaDocument.as_view(), name="api_schema"),
    *(path("", include(module)) for module in modules("api.urls")),
    *registry.api_routes.all(),
]
pages: Routes = [*(path("", include(module)) for module in page_modules), *registry.pages.all()]
root: Routes = [route for module in page_modules for route in getattr(module, "root_urlpatterns", ())]

urlpatterns: Routes = [
    *root,
    path("o/<slug:slug>/", include(pages)),
    path("api/v1/", include(api)),
    path("admin/", admin.site.urls),
]

handler400 = "apps.core.http.error_pages.bad_request"
handler403 = "apps.core.http.error_pages.forbidden"
handler404 = "apps.core.http.error_pages.not_found"
handler500 = "apps.core.http.error_pages.server_error"
