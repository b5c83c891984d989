"""Deciding about messages for an organization: whether links are looked at, and for how long a text can be changed."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Final, TypedDict, Unpack
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts.services import access, trail
from apps.accounts.types import Principal
from apps.chat import actions
from apps.chat.errors import EditTooLate, EditWindowInvalid, NotEditable
from apps.chat.models import MessagePolicy
from apps.chat.selectors.policy import rules_of
from apps.chat.types import MOST_EDIT_MINUTES, MessageRules

PERMISSION: Final = "conversation.manage_any"


class Changed(TypedDict, total=False):
    """What is decided anew; what is absent stays. Meanings as in `MessageRules`."""

    link_previews: bool
    edit_minutes: int | None


def change_rules(*, principal: Principal, **changed: Unpack[Changed]) -> MessageRules:
    """Decide, and return what holds now. Previews that were found are shown on; texts that were changed stay so.

    Raises:
        PermissionMissing.
        EditWindowInvalid: less than nothing, or more than a year.
    """
    access.require(principal, PERMISSION)
    minutes = changed.get("edit_minutes")
    if minutes is not None and not 0 <= minutes <= MOST_EDIT_MINUTES:
        raise EditWindowInvalid(limit=MOST_EDIT_MINUTES)
    with transaction.atomic():
        MessagePolicy.objects.update_or_create(organization_id=principal.organization_id, defaults=changed)
        found = rules_of(principal.organization_id)
        trail.note(
            principal, actions.POLICY_CHANGED, "organization", principal.organization_id, **asdict(found)
        )
    return found


def require_in_time(organization_id: UUID, sent_at: datetime) -> None:
    """Refuse to change the text of a message for which it is too late. One query.

    Raises:
        EditTooLate.
        NotEditable: nothing is changed in this organization.
    """
    minutes = rules_of(organization_id).edit_minutes
    if minutes == 0:
        raise NotEditable
    if minutes is not None and timezone.now() - sent_at > timedelta(minutes=minutes):
        raise EditTooLate(minutes=minutes)
