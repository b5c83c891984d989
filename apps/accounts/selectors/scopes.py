"""Who sees what: THE visible-scopes query, as a queryset, as a condition on content, and as SQL text.

The condition on content is made of named rules. A list asks for all of them at once in its WHERE; the decision on one
object (`services.access.can`) reads them one by one off the object's row, so the two cannot say different things.

A principal sees a scope when it has an open seat in it, or when the scope is open to the organization and the
principal is no guest. An agent acting for a person sees what both see. Content with a time is seen from the
seat's `visible_from` on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.accounts.conditions import DATA_CLASS
from apps.accounts.models import Member, Scope, Seat
from apps.accounts.types import BY_SEAT_ONLY, Principal, ScopeClause

NOTHING = Q(pk__in=[])


@dataclass(frozen=True)
class Rule:
    """A condition on a row, and the stable code it is explained by.

    Attributes:
        is_free: as a grant, it holds whatever the limits say.
    """

    code: str
    holds: Q
    is_free: bool = False


@dataclass(frozen=True)
class Rules:
    """Why a row is seen: one of the grants speaks for it, and no limit against it, or a free grant alone."""

    grants: tuple[Rule, ...]
    limits: tuple[Rule, ...] = ()

    @property
    def q(self) -> Q:
        """Return all of them as one condition."""
        limited = [rule.holds for rule in self.grants if not rule.is_free]
        free = [rule.holds for rule in self.grants if rule.is_free]
        if limited:
            free.append(reduce(and_, (rule.holds for rule in self.limits), reduce(or_, limited)))
        return reduce(or_, free) if free else NOTHING


def visible_scopes(principal: Principal) -> QuerySet[Scope, UUID]:
    """Return the ids of all scopes the principal sees, for `scope_id__in=`; not to be filtered further."""
    seen = _seen(principal, principal.id, is_guest=principal.role in BY_SEAT_ONLY)
    if principal.scopes is not None:
        seen = seen.intersection(_bound(principal, principal.scopes))
    if principal.data_classes is not None:
        seen = seen.intersection(_classed(principal, principal.data_classes))
    if principal.on_behalf_of is None:
        return seen
    return seen.intersection(_seen(principal, principal.on_behalf_of, is_guest=principal.person_is_guest))


def visible_content(principal: Principal, *, scope: str = "scope_id", time: str | None = None) -> Q:
    """Return the condition on rows that carry a scope: visible, and not from before the principal's seat.

    Args:
        scope, time: the row's fields; without a time, `visible_from` is not looked at.
    """
    return content_rules(principal, scope=scope, time=time).q


def content_rules(principal: Principal, *, scope: str = "scope_id", time: str | None = None) -> Rules:
    """Return `visible_content` as named rules."""
    grants = _grants(principal, principal.id, is_guest=principal.role in BY_SEAT_ONLY, scope=scope, time=time)
    limits = []
    if principal.scopes is not None:
        code = "view_as" if principal.viewed_by else "key.conversations"
        limits.append(Rule(code, Q(**{f"{scope}__in": sorted(principal.scopes)})))
    if principal.data_classes is not None:
        limits.append(_class_limit(principal, scope))
    if principal.on_behalf_of is not None:
        person = _grants(
            principal, principal.on_behalf_of, is_guest=principal.person_is_guest, scope=scope, time=time
        )
        code = "view_as" if principal.viewed_by else "on_behalf_of"
        limits.append(Rule(code, Rules(person).q))
    return Rules(grants, tuple(limits))


def _class_limit(principal: Principal, scope: str) -> Rule:
    if not principal.data_classes:
        return Rule(principal.held or DATA_CLASS, NOTHING)
    reached = Scope.objects.filter(
        organization_id=principal.organization_id,
        pk=OuterRef(scope),
        data_class__in=sorted(principal.data_classes),
    )
    return Rule(DATA_CLASS, Q(Exists(reached)))


def visible_scope_clause(
    principal: Principal, *, scope: str = "scope_id", time: str | None = None, few: bool = False
) -> ScopeClause:
    """Return `visible_content` as SQL for a raw statement with named parameters.

    Args:
        scope, time: column expressions of the statement, constants of the calling code.
        few: it is asked of some rows, found by their ids: each is looked up. Otherwise the server may read all seats
            of the principal first, which for one of 500 conversations costs twice what a page does.
    """
    end = " OFFSET 0" if few else ""
    is_guest = principal.role in BY_SEAT_ONLY
    sql = _clause("visible_principal", is_guest=is_guest, scope=scope, time=time, end=end)
    params: dict[str, Any] = {
        "visible_organization": principal.organization_id,
        "visible_principal": principal.id,
    }
    if principal.scopes is not None:
        sql += f" AND {scope} = ANY(%(visible_bound)s::uuid[])"
        params["visible_bound"] = sorted(principal.scopes)
    if principal.data_classes is not None:
        sql += (
            " AND EXISTS (SELECT 1 FROM accounts_scope vc WHERE vc.organization_id = %(visible_organization)s "  # noqa: S608
            f"AND vc.id = {scope} AND vc.data_class = ANY(%(visible_classes)s){end})"
        )
        params["visible_classes"] = sorted(principal.data_classes)
    if principal.on_behalf_of is not None:
        is_guest = principal.person_is_guest
        sql += " AND " + _clause("visible_person", is_guest=is_guest, scope=scope, time=time, end=end)
        params["visible_person"] = principal.on_behalf_of
    return ScopeClause(sql=f"({sql})", params=params)


def can_see_scope(principal: Principal, scope_id: UUID) -> bool:
    """Return whether the principal sees this scope now. One query."""
    return Scope.objects.filter(
        visible_content(principal, scope="pk"), organization_id=principal.organization_id, pk=scope_id
    ).exists()


def principals_in(scope_id: UUID) -> set[UUID]:
    """Return everyone who sees a scope: its seats, and all full members where it is open. Two queries."""
    scope = Scope.objects.get(pk=scope_id)
    seen = set(Seat.objects.filter(scope_id=scope_id, left_at=None).values_list("principal_id", flat=True))
    if scope.audience == Scope.Audience.ORGANIZATION:
        full = Member.objects.filter(organization_id=scope.organization_id, deactivated_at=None).exclude(
            role__key__in=BY_SEAT_ONLY
        )
        seen |= set(full.values_list("user_id", flat=True))
    return seen


def scopes_seen_by_all(principals: Iterable[Principal]) -> QuerySet[Scope, UUID]:
    """Return the ids of the scopes that all of these principals see: the audience of a shared answer."""
    first, *rest = [visible_scopes(principal) for principal in principals]
    return first.intersection(*rest) if rest else first


def _seen(principal: Principal, who: UUID, *, is_guest: bool) -> QuerySet[Scope, UUID]:
    """A union of two partial indexes: the seats of one principal, and the open scopes of the organization."""
    seats = Seat.objects.filter(organization_id=principal.organization_id, principal_id=who, left_at=None)
    seated: Any = seats.order_by().values_list("scope_id", flat=True)
    if is_guest:
        return seated  # type: ignore[no-any-return]  # ids of scopes, from the seats' column
    opened = Scope.objects.filter(
        organization_id=principal.organization_id, audience=Scope.Audience.ORGANIZATION
    ).order_by()
    return opened.values_list("pk", flat=True).union(seated)


def _bound(principal: Principal, scopes: frozenset[UUID]) -> QuerySet[Scope, UUID]:
    """The scopes a key is bound to."""
    rows: Any = Scope.objects.filter(
        organization_id=principal.organization_id, pk__in=sorted(scopes)
    ).order_by()
    return rows.values_list("pk", flat=True)  # type: ignore[no-any-return]  # ids


def _classed(principal: Principal, classes: frozenset[str]) -> QuerySet[Scope, UUID]:
    """The scopes whose class of data a role reaches."""
    rows: Any = Scope.objects.filter(
        organization_id=principal.organization_id, data_class__in=sorted(classes)
    ).order_by()
    return rows.values_list("pk", flat=True)  # type: ignore[no-any-return]  # ids


def owned(principal: Principal, field: str) -> Q:
    """Return the condition on rows that belong to the principal itself.

    A key bound to conversations has none, and nobody has where the conditions of the role do not hold.
    """
    return NOTHING if principal.scopes is not None or principal.held else Q(**{field: principal.id})


def _grants(
    principal: Principal, who: UUID, *, is_guest: bool, scope: str, time: str | None
) -> tuple[Rule, ...]:
    seats = Seat.objects.filter(
        organization_id=principal.organization_id, scope_id=OuterRef(scope), principal_id=who, left_at=None
    )
    if time:
        seats = seats.filter(Q(visible_from=None) | Q(visible_from__lte=OuterRef(time)))
    seated = Rule("seat", Q(Exists(seats)))
    if is_guest:
        return (seated,)
    opened = Scope.objects.filter(
        organization_id=principal.organization_id, pk=OuterRef(scope), audience=Scope.Audience.ORGANIZATION
    )
    return seated, Rule("open_scope", Q(Exists(opened)))


def _clause(who: str, *, is_guest: bool, scope: str, time: str | None, end: str) -> str:
    since = f" AND (vs.visible_from IS NULL OR vs.visible_from <= {time})" if time else ""
    seated = (
        "EXISTS (SELECT 1 FROM accounts_seat vs WHERE vs.organization_id = %(visible_organization)s "  # noqa: S608
        f"AND vs.scope_id = {scope} AND vs.principal_id = %({who})s AND vs.left_at IS NULL{since}{end})"
    )
    if is_guest:
        return seated
    return (
        f"({seated} OR EXISTS (SELECT 1 FROM accounts_scope vo "  # noqa: S608
        f"WHERE vo.organization_id = %(visible_organization)s AND vo.id = {scope} "
        f"AND vo.audience = 'organization'{end}))"
    )
