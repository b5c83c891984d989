"""Explain access: who can see or do this, through which rule, and why somebody cannot. Asks `can`, adds words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.formats import date_format
from django.utils.timezone import localtime

from apps.accounts import actions
from apps.accounts.conditions import TASK
from apps.accounts.errors import MemberNotFound, ObjectUnknown, UnknownPermission
from apps.accounts.models import Member, Scope, Seat
from apps.accounts.selectors.principals import principal_of_member
from apps.accounts.services import access, objects, reasons, trail
from apps.accounts.services.objects import ObjectFacts
from apps.accounts.types import BY_SEAT_ONLY, PERMISSIONS, Decision, Ground, InScope, ObjectRef, Principal

EXPLAIN = "access.explain"


@dataclass(frozen=True)
class Line:
    """A ground in words; `holds` is None where it depends on circumstances."""

    code: str
    holds: bool | None
    text: str


@dataclass(frozen=True)
class Explanation:
    """Whether a person may see or do something, and why.

    Attributes:
        ref, name: of the thing; the name is empty where the asker may not hear it.
        action: `read`, or a permission.
        reason: the deciding ground in words.
        lines: all grounds in their order.
        depends: allowed only while the conditions among the lines hold.
    """

    person_id: UUID
    person: str
    action: str
    ref: ObjectRef | None
    name: str
    decision: Decision
    reason: str
    lines: tuple[Line, ...]

    @property
    def is_allowed(self) -> bool:
        """Whether the answer is yes."""
        return self.decision.allowed

    @property
    def depends(self) -> bool:
        """Whether a yes holds only under conditions."""
        return self.is_allowed and any(line.holds is None for line in self.lines)


@dataclass(frozen=True)
class Reader:
    """A member that might see a thing, and whether it does, through which rule."""

    person_id: UUID
    member_id: UUID
    name: str
    kind: str
    role: str
    is_allowed: bool
    rule: str
    reason: str


def explain(
    *, principal: Principal, person_id: UUID, action: str = "read", ref: ObjectRef | None = None
) -> Explanation:
    """Explain whether a member may see a thing (`read`) or has a permission, everywhere or where the thing is.

    The question is in the trail: it tells that a thing exists and who is in it.

    Raises:
        PermissionMissing, MemberNotFound, ObjectUnknown, UnknownPermission.
    """
    access.require(principal, EXPLAIN)
    member = Member.objects.filter(organization_id=principal.organization_id, user_id=person_id).first()
    if member is None:
        raise MemberNotFound
    facts = _facts(principal, ref) if ref is not None or action == "read" else None
    if action != "read" and action not in PERMISSIONS:
        raise UnknownPermission(name=action[:60])
    with transaction.atomic():
        trail.note(
            principal, actions.ACCESS_EXPLAINED, "member", person_id, asked=action, object=str(ref or "")
        )
    decision, grounds = _asked(principal, person_id, action=action, ref=ref, facts=facts)
    return Explanation(
        person_id=person_id,
        person=member.name,
        action=action,
        ref=ref,
        name=facts.name if facts else "",
        decision=decision,
        reason=reasons.reason(decision),
        lines=tuple(Line(ground.code, ground.holds, reasons.sentence(ground)) for ground in grounds),
    )


def explain_own(*, principal: Principal, action: str) -> tuple[Decision, tuple[Line, ...]]:
    """Explain to somebody why it has a permission or not: by its own role and conditions, which it may know.

    Raises:
        UnknownPermission.
    """
    if action not in PERMISSIONS:
        raise UnknownPermission(name=action[:60])
    decision = access.can(principal, action)
    return decision, tuple(
        Line(ground.code, ground.holds, reasons.sentence(ground)) for ground in decision.chain
    )


def list_readers(*, principal: Principal, ref: ObjectRef, offset: int = 0, limit: int = 50) -> list[Reader]:
    """Return who might see a thing, by name, each with the decision: seats, full members where it is open, its owner.

    Whoever has a seat and does not see it all the same is in the list, with the reason. One query for the page, two
    for each member on it.

    Raises:
        PermissionMissing, ObjectUnknown.
    """
    rows = candidates(principal=principal, ref=ref).order_by("name", "pk")[offset : offset + limit]
    return [reader_of(principal=principal, member=row, ref=ref) for row in rows]


def count_readers(*, principal: Principal, ref: ObjectRef) -> int:
    """Return how many members `list_readers` has.

    Raises:
        PermissionMissing, ObjectUnknown.
    """
    return candidates(principal=principal, ref=ref).count()


def candidates(*, principal: Principal, ref: ObjectRef) -> QuerySet[Member]:
    """Return the members `list_readers` decides on; shown through `reader_of`.

    Raises:
        PermissionMissing, ObjectUnknown.
    """
    access.require(principal, EXPLAIN)
    return _candidates(principal, _facts(principal, ref))


def _facts(principal: Principal, ref: ObjectRef | None) -> ObjectFacts:
    facts = objects.find_facts(principal, ref) if ref is not None else None
    if facts is None:
        raise ObjectUnknown
    return facts


def _candidates(principal: Principal, facts: ObjectFacts) -> QuerySet[Member]:
    organization = {"organization_id": principal.organization_id}
    seated = Seat.objects.filter(
        **organization, scope_id__in=facts.scopes, principal_id=OuterRef("user_id"), left_at=None
    )
    is_open = Scope.objects.filter(**organization, pk__in=facts.scopes, audience=Scope.Audience.ORGANIZATION)
    reached = Q(Exists(seated))
    if is_open.exists():
        reached |= ~Q(role__key__in=BY_SEAT_ONLY)
    if facts.owner_id is not None:
        reached |= Q(user_id=facts.owner_id)
    rows = Member.objects.filter(reached, **organization, deactivated_at=None, user__is_active=True)
    return rows.select_related("user", "role")


def reader_of(*, principal: Principal, member: Member, ref: ObjectRef) -> Reader:
    """Return one member with the decision on the thing. Two queries."""
    seen_by = principal_of_member(
        organization_id=principal.organization_id, user_id=member.user_id, context=TASK
    )
    decision = access.can(seen_by, f"{ref.kind}.read", ref)
    return Reader(
        person_id=member.user_id,
        member_id=member.pk,
        name=member.name,
        kind=member.user.kind,
        role=member.role.key,
        is_allowed=decision.allowed,
        rule=decision.rule,
        reason=reasons.reason(decision),
    )


def _asked(
    principal: Principal, person_id: UUID, *, action: str, ref: ObjectRef | None, facts: ObjectFacts | None
) -> tuple[Decision, tuple[Ground, ...]]:
    """Return the decision, and its grounds with what only words can add."""
    try:
        person = principal_of_member(
            organization_id=principal.organization_id, user_id=person_id, context=TASK
        )
    except MemberNotFound:
        ground = Ground("inactive", holds=False)
        return Decision(allowed=False, rule=ground.code, chain=(ground,)), (ground,)
    if action == "read" and ref is not None and facts is not None:
        decision = access.can(person, f"{ref.kind}.read", ref)
        more = () if decision else _about_seats(principal, person_id, facts)
    else:
        place = InScope(facts.scopes[0]) if facts is not None and facts.scopes else None
        decision, more = access.can(person, action, place), ()
    depends = tuple(Ground(code, holds=None) for code in person.conditions.on_the_call)
    return decision, (*decision.chain, *more, *depends)


def _about_seats(principal: Principal, person_id: UUID, facts: ObjectFacts) -> tuple[Ground, ...]:
    """Return what the person's seats in the audiences say about why it does not see the thing."""
    seats = Seat.objects.filter(
        organization_id=principal.organization_id, scope_id__in=facts.scopes, principal_id=person_id
    ).order_by("-joined_at")
    seat = seats.filter(left_at=None).exclude(visible_from=None).first()
    if seat is not None:
        return (Ground("seat_late", holds=False, facts=(("time", _when(seat.visible_from)),)),)
    left = seats.exclude(left_at=None).first()
    is_in = seats.filter(left_at=None).exists()
    if left is None or is_in:
        return ()
    return (Ground("seat_left", holds=False, facts=(("time", _when(left.left_at)),)),)


def _when(moment: datetime | None) -> str:
    return date_format(localtime(moment), "SHORT_DATETIME_FORMAT") if moment else ""
