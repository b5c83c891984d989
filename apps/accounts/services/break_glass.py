"""Emergency accounts: a way in when mail, single sign-on or second factors are broken, which nobody uses unseen.

An operator at the machine makes one for one organization; its secret is a sign-in link that works once. The account
skips the organization's policy on second factors and nothing else. Each use alarms the owners; it ends by itself.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from prometheus_client import Counter

from apps.accounts import actions, events
from apps.accounts.errors import OrganizationNotFound
from apps.accounts.models import ApiKey, BreakGlass, Member, Organization, User
from apps.accounts.selectors.seats import open_seats_of
from apps.accounts.services.mailing import mail_after_commit
from apps.accounts.services.members import add_member
from apps.accounts.services.sessions import end_all
from apps.accounts.services.sign_in_links import create_link
from apps.accounts.types import OWNER, IssuedLink
from apps.core import tenancy
from apps.core.events import log
from apps.core.ids import uuid7
from apps.core.services import audit

LONGEST_HOURS = 72
uses_total = Counter("chatsystem_break_glass_uses_total", "Sign-ins with emergency accounts")
logger = logging.getLogger(__name__)


def create_break_glass(*, slug: str, hours: int, reason: str, role: str = OWNER) -> IssuedLink:
    """Make an emergency account in an organization and return its one-time link.

    Args:
        hours: 1 to 72; afterwards nothing of the account works, whether it was used or not.
        reason: the owners read it.

    Raises:
        OrganizationNotFound, RoleNotFound.
        ValueError: the hours.
    """
    if not 1 <= hours <= LONGEST_HOURS:
        raise ValueError(f"1 to {LONGEST_HOURS} hours")
    organization = Organization.objects.filter(slug=slug, is_active=True).first()
    if organization is None:
        raise OrganizationNotFound
    until = timezone.now() + timedelta(hours=hours)
    with transaction.atomic(), tenancy.use(organization.pk):
        user = User(email=f"emergency-{uuid7().hex}@{slug}.invalid", break_glass_until=until)
        user.set_unusable_password()
        user.save(force_insert=True)
        add_member(organization_id=organization.pk, user_id=user.pk, role=role, name="Emergency access")
        row = BreakGlass.objects.create(
            organization=organization, user=user, reason=reason.strip()[:200], expires_at=until
        )
        _note(row, actions.EMERGENCY_CREATED, actor_id=None, hours=hours)
        link = create_link(user_id=user.pk, life=timedelta(hours=hours))
    logger.critical("break_glass.created", extra={"organization": str(organization.pk), "user": str(user.pk)})
    return link


def raise_alarm(*, user_id: UUID, address: str) -> None:
    """Tell everyone who must know that an emergency account signed in: log, metric, owners by mail, console."""
    for organization_id in open_seats_of(user_id):  # it has exactly one, as long as it works
        uses_total.inc()
        logger.critical(
            "break_glass.used",
            extra={"organization": str(organization_id), "user": str(user_id), "address": address},
        )
        with transaction.atomic(), tenancy.use(organization_id):
            _note_use(organization_id=organization_id, user_id=user_id, address=address)


def _note_use(*, organization_id: UUID, user_id: UUID, address: str) -> None:
    row = BreakGlass.objects.select_for_update(no_key=True, of=("self",)).get(
        organization_id=organization_id, user_id=user_id
    )
    row.used_at, row.used_from = timezone.now(), address
    row.save(update_fields=["used_at", "used_from"])
    log.record(
        events.EmergencyAccessUsed(
            organization_id=organization_id,
            stream_id=organization_id,
            actor_id=user_id,
            principal_id=user_id,
            reason=row.reason,
        )
    )
    _note(row, actions.EMERGENCY_USED, actor_id=user_id)
    _mail_owners(row, address=address)


def close_expired() -> int:
    """Close the accounts whose time is over: sessions, sockets and keys end; return how many.

    They stopped working at that moment already; this tidies up. For the relay, which sees every organization.
    """
    over = BreakGlass.objects.filter(closed_at=None, expires_at__lte=timezone.now())
    closed = 0
    for pk, organization_id in list(over.values_list("pk", "organization_id")):
        with transaction.atomic(), tenancy.use(organization_id):
            closed += _close(organization_id=organization_id, pk=pk)
    return closed


def _close(*, organization_id: UUID, pk: UUID) -> int:
    rows = BreakGlass.objects.filter(organization_id=organization_id, pk=pk, closed_at=None)
    row, now = rows.select_for_update(no_key=True).first(), timezone.now()
    if row is None:
        return 0
    row.closed_at = now
    row.save(update_fields=["closed_at"])
    own = {"organization_id": organization_id}
    ApiKey.objects.filter(**own, principal_id=row.user_id, revoked_at=None).update(revoked_at=now)
    end_all(user_id=row.user_id, reason="emergency_access_over")
    Member.objects.filter(**own, user_id=row.user_id).update(deactivated_at=now)
    User.objects.filter(pk=row.user_id).update(is_active=False)
    _note(row, actions.EMERGENCY_CLOSED, actor_id=None)
    return 1


def _note(row: BreakGlass, action: str, *, actor_id: UUID | None, **details: int) -> None:
    audit.record(
        organization_id=row.organization_id,
        action=action,
        actor_id=actor_id,
        object_type="account",
        object_id=row.user_id,
        details=details,
    )


def _mail_owners(row: BreakGlass, *, address: str) -> None:
    owners = Member.objects.filter(
        organization_id=row.organization_id,
        role__key=OWNER,
        deactivated_at=None,
        user__is_active=True,
        user__kind=User.Kind.PERSON,
        user__break_glass_until=None,
    ).select_related("user")
    organization = row.organization
    mail_after_commit(
        "emergency",
        to=[str(owner.user.email) for owner in owners.order_by("pk")],
        language=organization.language,
        context={
            "organization": organization.name,
            "reason": row.reason,
            "address": address,
            "until": row.expires_at,
            "url": f"{settings.PUBLIC_URL}/o/{organization.slug}/console/",
        },
        failed="break_glass.not_mailed",
        organization=str(organization.pk),
    )
