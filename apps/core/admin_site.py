"""Django's admin behind the product's own sign-in, and what all its pages share.

A page shows the rows of one organization: the one the operator chose in the header, else the one it used last, else
the first. Accounts, organizations and what belongs to nobody are shown whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.apps import AdminConfig
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import SimpleTemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.translation import gettext_lazy as _

from apps.core import tenancy

Row = TypeVar("Row", bound=Model)
View = Callable[..., HttpResponseBase]
CHOSEN = "admin_organization"
_NONE_YET = UUID(int=0)  # of no organization: on a server without any, the pages are empty


@dataclass(frozen=True)
class Place:
    """An organization in the header's list."""

    id: UUID
    name: str


_finders: list[Callable[[], Sequence[Place]]] = []


def offer_places(find: Callable[[], Sequence[Place]]) -> None:
    """Tell the header how to find the organizations; called by the app that owns them."""
    _finders[:] = [find]


class Site(admin.AdminSite):
    """The site of operators (`is_staff`)."""

    site_header = "chatsystem"
    site_title = "chatsystem"
    index_title = _("Tables")
    enable_nav_sidebar = False

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # noqa: ARG002
        """Refuse who is signed in without being staff; visitors never come here, they are sent to sign in."""
        raise PermissionDenied

    def get_urls(self) -> list[URLResolver | URLPattern]:
        """Add the address of the header's list."""
        return [
            path("organization/", self.admin_view(self.choose), name="organization"),
            *super().get_urls(),
        ]

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """Work and render inside the chosen organization."""

        @wraps(view)
        def inside(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            with self._opened(request):
                response = view(request, *args, **kwargs)
                return response.render() if isinstance(response, SimpleTemplateResponse) else response

        opened: View = super().admin_view(inside, cacheable)
        return opened

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Tell the header which organizations there are."""
        return {
            **super().each_context(request),
            "places": self._places(request),
            "chosen": tenancy.find_current(),
        }

    def choose(self, request: HttpRequest) -> HttpResponse:
        """Remember the organization the operator wants to look at."""
        wanted = request.POST.get("organization", "")
        if request.method == "POST" and wanted in {str(place.id) for place in self._places(request)}:
            request.session[CHOSEN] = wanted
        return HttpResponseRedirect(reverse("admin:index", current_app=self.name))

    def _places(self, request: HttpRequest) -> Sequence[Place]:
        """Return the organizations of this server; looked up once for a request."""
        if not hasattr(request, "places"):
            request.places = [place for find in _finders for place in find()]  # type: ignore[attr-defined]
        places: Sequence[Place] = request.places  # type: ignore[attr-defined]
        return places

    def _opened(self, request: HttpRequest) -> AbstractContextManager[None]:
        """Open the chosen organization."""
        places = [place.id for place in self._places(request)]
        chosen = request.session.get(CHOSEN)
        if chosen is not None and UUID(chosen) in places:
            return tenancy.use(UUID(chosen))
        return tenancy.use(tenancy.find_current() or next(iter(places), _NONE_YET))


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
