"""Who needs a second factor in an organization."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts import actions
from apps.accounts.errors import FactorPolicyUnknown
from apps.accounts.models import Member, Organization
from apps.accounts.selectors.factors import get_policy, list_lacking
from apps.accounts.services import trail
from apps.accounts.services.access import require
from apps.accounts.services.organizations import lock_organization
from apps.accounts.services.revocation import change_access, forget_organization
from apps.accounts.types import Principal

LONGEST_GRACE_DAYS = 90
MOST = 10_000  # told at once; the sockets of others look again within 30 s


def set_factor_policy(*, principal: Principal, policy: str, grace_days: int) -> None:
    """Ask nobody, administrators or everybody for a second factor, after some days of grace.

    The days count from now if more people are asked than before, and from joining for who joins later. Where nobody
    has days left, sockets of those without a factor close at once.

    Raises:
        PermissionMissing, OrganizationNotFound, FactorPolicyUnknown.
    """
    require(principal, "organization.manage")
    if policy not in Organization.FactorPolicy.values or not 0 <= grace_days <= LONGEST_GRACE_DAYS:
        raise FactorPolicyUnknown
    with transaction.atomic():
        lock_organization(organization_id=principal.organization_id)
        organization = Organization.objects.get(pk=principal.organization_id)
        order = list(Organization.FactorPolicy.values)
        if order.index(policy) > order.index(organization.factor_policy):
            organization.factor_policy_since = timezone.now()
        organization.factor_policy, organization.factor_grace_days = policy, grace_days
        organization.save(update_fields=["factor_policy", "factor_policy_since", "factor_grace_days"])
        trail.note(
            principal,
            actions.FACTOR_POLICY_CHANGED,
            "organization",
            organization.pk,
            policy=policy,
            grace_days=grace_days,
        )
        _end_access_of_lacking(organization.pk)


def _end_access_of_lacking(organization_id: UUID) -> None:
    lacking = list_lacking(organization_id=organization_id, policy=get_policy(organization_id), limit=MOST)
    now = timezone.now()
    due = {member.id: member.role for member in lacking if member.due_at <= now}
    users = Member.objects.filter(organization_id=organization_id, pk__in=due).order_by("pk")
    for member_id, user_id in users.values_list("pk", "user_id"):
        change_access(organization_id=organization_id, principal_id=user_id, role=due[member_id])
    forget_organization(organization_id=organization_id)
