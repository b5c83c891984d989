"""Views of pages as somebody else: which one is open, whose it is, and what a person is told of them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from apps.accounts import conditions
from apps.accounts.errors import MemberNotFound
from apps.accounts.models import Member, ViewAs
from apps.accounts.selectors.principals import principal_of_member
from apps.accounts.selectors.scopes import visible_scopes
from apps.accounts.types import BY_SEAT_ONLY, READING, Principal
from apps.core import tenancy


@dataclass(frozen=True)
class Looked:
    """A view as a person, as that person is told of it."""

    viewer: str
    reason: str
    began_at: datetime
    ended_at: datetime


def is_open(viewer: Principal, flag: str) -> bool:
    """Return whether this principal's session looks at pages as somebody else now. One query."""
    return _find(viewer, flag) is not None


def find_viewed(viewer: Principal, flag: str) -> Principal | None:
    """Return the person as who the viewer looks at pages, with what both may see and no right to change; or None.

    Everything that lists or opens content for a program bound to conversations is bound here, too: `scopes` are those
    both see, `conversations` stay with the app that knows them. What is the person's alone (drafts, own files, own
    answers, direct messages) is left out. The second factor is asked of the viewer, not of the person. Three queries.
    """
    view = _find(viewer, flag) if "access.view_as" in viewer.permissions else None
    if view is None:
        return None
    try:
        person = principal_of_member(
            organization_id=viewer.organization_id, user_id=view.person_id, session=viewer.session
        )
    except MemberNotFound:
        return None
    if not person.permissions <= viewer.permissions:
        return None
    with tenancy.use(viewer.organization_id):
        shared = frozenset(visible_scopes(person).intersection(visible_scopes(viewer)))
    return dataclasses.replace(
        person,
        permissions=person.permissions & viewer.permissions & READING,
        granted=frozenset(),
        scoped=(),
        scopes=shared,
        on_behalf_of=viewer.id,
        person_is_guest=viewer.role in BY_SEAT_ONLY,
        data_classes=conditions.both(person.data_classes, viewer.data_classes),
        held=viewer.held,
        language=viewer.language,
        is_staff=False,
        viewed_by=viewer.id,
        viewer_name=viewer.name,
    )


def list_looks(*, organization_id: UUID, person_id: UUID, limit: int = 20) -> list[Looked]:
    """Return who looked at pages as this person, newest first. Two queries."""
    rows = list(
        ViewAs.objects.filter(organization_id=organization_id, person_id=person_id).order_by("-created_at")[
            :limit
        ]
    )
    names = dict(
        Member.objects.filter(
            organization_id=organization_id, user_id__in=[row.viewer_id for row in rows]
        ).values_list("user_id", "name")
    )
    return [
        Looked(names.get(row.viewer_id, ""), row.reason, row.created_at, row.ended_at or row.ends_at)
        for row in rows
    ]


def flag_of(organization_id: UUID, view_id: UUID) -> str:
    """Return what the viewer's session keeps of a view."""
    return f"{organization_id}:{view_id}"


def read_flag(flag: str) -> tuple[UUID, UUID] | None:
    """Return (organization, view) of what a session keeps, or None."""
    organization, _, view = flag.partition(":")
    try:
        return UUID(organization), UUID(view)
    except ValueError:
        return None


def _find(viewer: Principal, flag: str) -> ViewAs | None:
    named = read_flag(flag)
    if named is None or named[0] != viewer.organization_id:
        return None
    with tenancy.use(viewer.organization_id):
        return ViewAs.objects.filter(
            organization_id=viewer.organization_id,
            pk=named[1],
            viewer_id=viewer.id,
            session=viewer.session,
            ended_at=None,
            ends_at__gt=timezone.now(),
        ).first()
