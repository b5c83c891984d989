"""Django's admin behind the product's own sign-in, and what all its pages share."""

from __future__ import annotations

from typing import Any, TypeVar

from django.contrib import admin
from django.contrib.admin.apps import AdminConfig
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

Row = TypeVar("Row", bound=Model)


class Site(admin.AdminSite):
    """The site of operators (`is_staff`)."""

    site_header = "chatsystem"
    site_title = "chatsystem"
    index_title = _("Tables")
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        """Let operators in; where a second factor is asked for, only with it. Closed unless the middleware looked."""
        return super().has_permission(request) and not getattr(request, "admin_needs_factor", True)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # noqa: ARG002
        """Refuse who is signed in without being staff; visitors never come here, they are sent to sign in."""
        raise PermissionDenied


class SiteConfig(AdminConfig):
    """Makes `Site` the site that `admin.register` uses."""

    default_site = "apps.core.admin_site.Site"


class ReadOnlyAdmin(admin.ModelAdmin[Row]):
    """Rows are looked at; only actions change them, through services."""

    show_full_result_count = False  # counting a large table would hold the page for seconds
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django's signature
        """Nobody adds rows here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:  # noqa: ARG002
        """Nobody changes rows here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:  # noqa: ARG002
        """Nobody deletes rows here."""
        return False
