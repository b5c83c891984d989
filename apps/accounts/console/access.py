"""The console's page that explains access: whether somebody may see or do this and why, and who can see it."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.accounts.console.common import ACCESS, ConsoleRequest
from apps.accounts.errors import ObjectUnknown
from apps.accounts.labels import PERMISSION_GROUPS
from apps.accounts.selectors import members as selectors
from apps.accounts.services import explaining, objects
from apps.accounts.services.explaining import EXPLAIN
from apps.accounts.services.scoped_roles import role_names
from apps.accounts.types import PERMISSIONS, MemberView, ObjectRef
from apps.core import console_shell

MOST_CHOICES = 20


@never_cache
@require_safe
def explain(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """Answer one question; a question is an address."""
    asked = _asked(request)
    ref = objects.find_ref(request.principal, asked["object"]) if asked["object"] else None
    people = _people(request, asked["person"])
    context: dict[str, Any] = {
        "console_page": ACCESS,
        **asked,
        "groups": PERMISSION_GROUPS,
        "kinds": {name: kind.label for name, kind in objects.object_kinds().items()},
        "ref": ref,
        "people": people,
        "trouble": _trouble(asked, ref, people),
    }
    if not context["trouble"]:
        try:
            context |= _answer(request, asked, ref, people)
        except ObjectUnknown:
            context["trouble"] = _("There is nothing of this kind with that address or name.")
    return render(request, "console/access.html", context)


def _asked(request: ConsoleRequest) -> dict[str, str]:
    action = request.GET.get("action", "read")
    return {
        "person": request.GET.get("person", "")[:200].replace("\x00", "").strip(),
        "object": request.GET.get("object", "")[:500].replace("\x00", "").strip(),
        "action": action if action in PERMISSIONS else "read",
    }


def _people(request: ConsoleRequest, text: str) -> list[MemberView]:
    """Return who is meant: exactly one where the name or address says so, else the choices."""
    if not text:
        return []
    rows = selectors.visible_members(request.principal, query=text, include_inactive=True)
    found = [
        selectors.member_view(row, request.principal) for row in rows.order_by("name", "pk")[:MOST_CHOICES]
    ]
    exact = [one for one in found if text.casefold() in (one.name.casefold(), (one.email or "").casefold())]
    return exact if len(exact) == 1 else found


def _trouble(asked: dict[str, str], ref: ObjectRef | None, people: list[MemberView]) -> str:
    if asked["object"] and ref is None:
        return _("There is nothing of this kind with that address or name.")
    if asked["person"] and not people:
        return _("Nobody of that name or address is a member.")
    if asked["person"] and asked["action"] == "read" and ref is None:
        return _("Name the conversation, message, file, document or run, or choose a right.")
    return ""


def _answer(
    request: ConsoleRequest, asked: dict[str, str], ref: ObjectRef | None, people: list[MemberView]
) -> dict[str, Any]:
    principal = request.principal
    if len(people) == 1:
        found = explaining.explain(
            principal=principal, person_id=people[0].id, action=asked["action"], ref=ref
        )
        return {"found": found}
    if people or ref is None:
        return {}
    rows, paging = console_shell.paged(
        request,
        lambda offset, limit: explaining.list_readers(
            principal=principal, ref=ref, offset=offset, limit=limit
        ),
    )
    facts = objects.find_facts(principal, ref)
    return {
        "readers": rows,
        "paging": paging,
        "total": explaining.count_readers(principal=principal, ref=ref),
        "role_names": role_names(principal),
        "name": facts.name if facts else "",
    }


__all__ = ["EXPLAIN", "explain"]
