"""Make audiences and change who is in them. Callers decide about rights."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from apps.accounts import events
from apps.accounts.errors import MemberNotFound, ScopeNotFound
from apps.accounts.models import Member, Scope, Seat
from apps.core import tenancy
from apps.core.events import log
from apps.core.ids import uuid7

_SEAT = """
INSERT INTO accounts_seat (id, created_at, organization_id, scope_id, principal_id, visible_from, joined_at)
SELECT x.id, now(), %(organization)s, %(scope)s, x.principal, %(visible_from)s, now()
FROM unnest(%(ids)s::uuid[], %(principals)s::uuid[]) AS x (id, principal)
ON CONFLICT (scope_id, principal_id) WHERE left_at IS NULL DO NOTHING
RETURNING principal_id
"""


def create_scope(
    *, organization_id: UUID, kind: str, audience: str = "seats", principals: Iterable[UUID] = ()
) -> UUID:
    """Create an audience, seat the principals in it, and return its id.

    Args:
        kind: what it is the audience of: conversation, collection, board, workflow.
        audience: `seats`, or `organization` for every full member.
    """
    with transaction.atomic():
        scope = Scope.objects.create(
            organization_id=organization_id, kind=kind, audience=Scope.Audience(audience)
        )
        add_seats(scope_id=scope.pk, principals=principals)
    return scope.pk


def add_seats(
    *, scope_id: UUID, principals: Iterable[UUID], visible_from: datetime | None = None
) -> list[UUID]:
    """Seat active members; who has an open seat keeps it. Returns who is new.

    Args:
        visible_from: they read content from then on; None means everything before too.

    Raises:
        ScopeNotFound, MemberNotFound: one of them is no active member of the scope's organization.
    """
    wanted = list(dict.fromkeys(principals))
    if not wanted:
        return []
    with transaction.atomic():
        scope = _scope(scope_id)
        streams = dict(
            Member.objects.filter(
                organization_id=scope.organization_id, user_id__in=wanted, deactivated_at=None
            ).values_list("user_id", "pk")
        )
        if len(streams) < len(wanted):
            raise MemberNotFound
        with connection.cursor() as cursor:
            cursor.execute(
                _SEAT,
                {
                    "organization": scope.organization_id,
                    "scope": scope_id,
                    "visible_from": visible_from,
                    "ids": [uuid7() for _ in wanted],
                    "principals": wanted,
                },
            )
            new = [principal for (principal,) in cursor.fetchall()]
        for principal in sorted(new, key=lambda who: streams[who]):  # one lock order for the streams
            log.record(
                events.SeatAdded(
                    organization_id=scope.organization_id,
                    stream_id=streams[principal],
                    principal_id=principal,
                    scope=scope_id,
                )
            )
    return new


def remove_seat(*, scope_id: UUID, principal_id: UUID) -> bool:
    """End a principal's open seat; return False when there was none.

    Raises:
        ScopeNotFound.
    """
    with transaction.atomic():
        scope = _scope(scope_id)
        ended = Seat.objects.filter(scope_id=scope_id, principal_id=principal_id, left_at=None).update(
            left_at=timezone.now()
        )
        if not ended:
            return False
        member_id = Member.objects.values_list("pk", flat=True).get(
            organization_id=scope.organization_id, user_id=principal_id
        )
        log.record(
            events.SeatRemoved(
                organization_id=scope.organization_id,
                stream_id=member_id,
                principal_id=principal_id,
                scope=scope_id,
            )
        )
    return True


def set_audience(*, scope_id: UUID, audience: str) -> None:
    """Open a scope to the organization or close it to its seats; no content is rewritten.

    Raises:
        ScopeNotFound.
    """
    scope = _scope(scope_id)
    Scope.objects.filter(pk=scope.pk).update(audience=Scope.Audience(audience))


def _scope(scope_id: UUID) -> Scope:
    """Return a scope of the current organization."""
    scope = Scope.objects.filter(pk=scope_id, organization_id=tenancy.current()).first()
    if scope is None:
        raise ScopeNotFound
    return scope
