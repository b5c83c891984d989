"""Second factors of a person, and who of an organization has none."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef

from apps.accounts.errors import OrganizationNotFound
from apps.accounts.models import Member, Organization, SecondFactor, User
from apps.accounts.types import PRIVILEGED, FactorPolicyView, FactorView, LackingMember

NOBODY, ADMINISTRATORS, EVERYBODY = (choice.value for choice in Organization.FactorPolicy)


def list_factors(*, user_id: UUID) -> list[FactorView]:
    """Return the second factors of a person, oldest first. One query."""
    rows = SecondFactor.objects.filter(user_id=user_id, confirmed=True).select_related("authenticator")
    return [
        FactorView(
            id=row.pk,
            kind=row.authenticator.type,
            name=row.name,
            created_at=row.authenticator.created_at,
            last_used_at=row.authenticator.last_used_at,
            left=_codes_left(row.authenticator),
        )
        for row in rows.order_by("authenticator__created_at", "pk")
    ]


def has_factor(*, user_id: UUID) -> bool:
    """Return whether a person has any second factor. One query."""
    found: bool = SecondFactor.objects.filter(user_id=user_id, confirmed=True).exists()
    return found


def kinds_of(*, user_id: UUID) -> set[str]:
    """Return the kinds of second factors a person has. One query."""
    rows = SecondFactor.objects.filter(user_id=user_id, confirmed=True)
    return set(rows.values_list("authenticator__type", flat=True))


def get_policy(organization_id: UUID) -> FactorPolicyView:
    """Return who needs a second factor in an organization. One query.

    Raises:
        OrganizationNotFound.
    """
    found = Organization.objects.filter(pk=organization_id).first()
    if found is None:
        raise OrganizationNotFound
    return FactorPolicyView(found.factor_policy, found.factor_policy_since, found.factor_grace_days)


def list_lacking(
    *, organization_id: UUID, policy: FactorPolicyView, offset: int = 0, limit: int = 50
) -> list[LackingMember]:
    """Return the active people a policy asks for a second factor and who have none, by name. One query."""
    if policy.policy == NOBODY:
        return []
    proved = SecondFactor.objects.filter(user_id=OuterRef("user_id"), confirmed=True)
    rows = Member.objects.filter(
        ~Exists(proved),
        organization_id=organization_id,
        deactivated_at=None,
        user__is_active=True,
        user__kind=User.Kind.PERSON,
        user__break_glass_until=None,
    ).select_related("user", "role")
    if policy.policy == ADMINISTRATORS:
        rows = rows.filter(role__permissions__overlap=sorted(PRIVILEGED))
    return [
        LackingMember(
            id=row.pk,
            name=row.name,
            email=row.user.email,
            role=row.role.key,
            due_at=max(policy.since, row.created_at) + timedelta(days=policy.grace_days),
        )
        for row in rows.order_by("name", "pk")[offset : offset + limit]
    ]


def operators_need_factor(*, user_id: UUID) -> bool:
    """Return whether an operator of this server must prove a factor for Django's admin.

    So it is where the server asks anyone, or one of the operator's organizations asks the operator. At most one query.
    """
    if settings.CONFIGURATION.security.second_factor != NOBODY:
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT accounts_asks_factor(%s, %s)", [user_id, sorted(PRIVILEGED)])
        return bool(cursor.fetchone()[0])


def _codes_left(authenticator: Authenticator) -> int:
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        return 0
    return len(authenticator.wrap().get_unused_codes())
