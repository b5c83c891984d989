"""Django's admin behind the product's own sign-in, and what all its pages share.

A page shows the rows of one organization: the one the operator chose in the header, else the one it used last, else
the first. Accounts, organizations and what belongs to nobody are shown whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar, cast
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.apps import AdminConfig
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import SimpleTemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.translation import gettext_lazy as _

from apps.core import actions, tenancy
from apps.core.services import audit

Row = TypeVar("Row", bound=Model)
AnyView = TypeVar("AnyView", bound=Callable[..., HttpResponseBase])
CHOSEN = "admin_organization"
MOST_ROWS = 200
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


def operator_id(request: HttpRequest) -> UUID:
    """Return who works in the operators' tables."""
    return UUID(str(request.user.pk))


class Recorded(admin.ModelAdmin[Model]):
    """Mixed into every table: what an operator does there stands in the installation's own trail."""

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Take from an address what the table's filters ask for, and nothing else.

        Django lets any column of its own be asked for: `?hash__startswith=a` would tell a hash letter by letter.
        """
        filters = self.get_list_filter(request) if request is not None else self.list_filter
        names = [name for name in (*filters, self.date_hierarchy) if isinstance(name, str)]
        if not any(lookup == name or lookup.startswith(f"{name}__") for name in names):
            return False
        return super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]  # Django takes None

    def response_action(self, request: HttpRequest, queryset: QuerySet[Model]) -> Any:  # type: ignore[override]  # Django calls it so
        """Run an action on rows, and record it with their ids; one that fails is recorded as failed."""
        about: dict[str, Any] = {
            "command": request.POST.get("action", "")[:100],
            "rows": [str(row)[:60] for row in request.POST.getlist(ACTION_CHECKBOX_NAME)[:MOST_ROWS]],
        }
        try:
            response = super().response_action(request, queryset)
        except Exception as error:
            audit.record_refusal(
                organization_id=None,
                action=actions.ADMIN_ACTED,
                actor_id=operator_id(request),
                object_type=self.opts.label_lower,
                outcome="failed",
                reason=getattr(error, "code", type(error).__name__),
                details=about,
            )
            raise
        if response is not None:
            self._record(request, actions.ADMIN_ACTED, "", **about)
        return response

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:  # Django's signature
        """Record a new row."""
        self._record(request, actions.ADMIN_ADDED, str(obj.pk))
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:  # Django's signature
        """Record which fields of a row were changed."""
        changed = [
            field
            for part in message
            if isinstance(part, dict)
            for field in part.get("changed", {}).get("fields", ())
        ]
        self._record(request, actions.ADMIN_CHANGED, str(obj.pk), fields=changed)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Model]) -> Any:  # Django's signature
        """Record rows that go."""
        rows = [str(row.pk) for row in list(queryset)[:MOST_ROWS]]
        self._record(request, actions.ADMIN_DELETED, rows[0] if len(rows) == 1 else "", rows=rows)
        return super().log_deletions(request, queryset)

    def _record(self, request: HttpRequest, action: str, object_id: str, **details: Any) -> None:
        with transaction.atomic():
            audit.record(
                organization_id=None,
                action=action,
                actor_id=operator_id(request),
                object_type=self.opts.label_lower,
                object_id=object_id,
                details=details,
            )


class Site(admin.AdminSite):
    """The site of operators (`is_staff`)."""

    site_header = "chatsystem"
    site_title = "chatsystem"
    index_title = _("Tables")
    enable_nav_sidebar = False

    def register(
        self, model_or_iterable: Any, admin_class: Any = None, **options: Any
    ) -> None:  # Django's signature
        """Record what is done in each table, whoever brought it."""
        given = admin_class or admin.ModelAdmin
        super().register(model_or_iterable, type(given.__name__, (Recorded, given), {}), **options)

    def has_permission(self, request: HttpRequest) -> bool:
        """Let operators in; where a second factor is asked for, only with it. Closed unless the middleware looked."""
        return super().has_permission(request) and not getattr(request, "admin_needs_factor", True)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # noqa: ARG002
        """Refuse who is signed in without being staff; visitors never come here, they are sent to sign in."""
        raise PermissionDenied

    def get_urls(self) -> list[URLResolver | URLPattern]:
        """Add the address of the header's list."""
        return [
            path("organization/", self.admin_view(self.choose), name="organization"),
            *super().get_urls(),
        ]

    def admin_view(self, view: AnyView, cacheable: bool = False) -> AnyView:
        """Work and render inside the chosen organization."""

        @wraps(view)
        def inside(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            with self._opened(request):
                response = view(request, *args, **kwargs)
                return response.render() if isinstance(response, SimpleTemplateResponse) else response

        return cast("AnyView", super().admin_view(inside, cacheable))

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
