"""Say what one is doing, and what of oneself others see. Statuses end by themselves."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from apps.accounts.selectors import people as people_selectors
from apps.accounts.services import access, trail
from apps.accounts.types import Principal
from apps.chat import actions, events
from apps.chat.errors import StatusInvalid
from apps.chat.models import PresenceRules, Status
from apps.chat.services import presence
from apps.chat.services.reactions import clean_emoji
from apps.core import tenancy
from apps.core.events import log
from apps.notify.services import preferences

LONGEST = 100
PERMISSION = "organization.manage"


def set_status(
    principal: Principal,
    *,
    emoji: str = "",
    text: str = "",
    is_away: bool = False,
    is_undisturbed: bool = False,
    expires_at: datetime | None = None,
) -> None:
    """Say something until a moment; all empty takes it back. Not to be disturbed ends with it.

    Raises:
        StatusInvalid, UnknownEmoji.
    """
    words = " ".join(text.split())
    if len(words) > LONGEST or any(unicodedata.category(letter) in ("Cc", "Cs") for letter in words):
        raise StatusInvalid
    if expires_at is not None and expires_at <= timezone.now():
        raise StatusInvalid
    if is_undisturbed and expires_at is None:
        raise StatusInvalid
    said = {
        "emoji": clean_emoji(emoji) if emoji else "",
        "text": words,
        "is_away": is_away,
        "expires_at": expires_at if (emoji or words or is_away) else None,
    }
    with transaction.atomic():
        if is_undisturbed:
            preferences.stay_undisturbed(principal, until=expires_at)
        _change(principal, said)


def set_sharing(principal: Principal, *, shows_presence: bool, shows_typing: bool) -> None:
    """Let others see, or not, whether one is here and writing."""
    with transaction.atomic():
        _change(principal, {"shows_presence": shows_presence, "shows_typing": shows_typing})


def set_rules(principal: Principal, *, shows_presence: bool, shows_typing: bool) -> None:
    """Show, or not, whether people are here and writing, in the whole organization.

    Raises:
        PermissionMissing.
    """
    access.require(principal, PERMISSION)
    with transaction.atomic():
        PresenceRules.objects.update_or_create(
            organization_id=principal.organization_id,
            defaults={"shows_presence": shows_presence, "shows_typing": shows_typing},
        )
        trail.note(
            principal, actions.PRESENCE_RULES_CHANGED, "organization", principal.organization_id,
            shows_presence=shows_presence, shows_typing=shows_typing,
        )  # fmt: skip


def end_expired(principal_id: UUID) -> bool:
    """End one status of the current organization whose time is over, and tell it; return whether it was."""
    with transaction.atomic():
        row = (
            Status.objects.select_for_update(no_key=True, skip_locked=True)
            .filter(
                organization_id=tenancy.current(), principal_id=principal_id, expires_at__lte=timezone.now()
            )
            .first()
        )
        if row is None:
            return False
        row.emoji, row.text, row.is_away, row.expires_at = "", "", False, None
        row.save()
        person = people_selectors.people([principal_id]).get(principal_id)
        if person is not None:
            _announce(row, member_id=person.member_id)
    return True


def _change(principal: Principal, changes: dict[str, object]) -> None:
    row, _ = Status.objects.update_or_create(
        organization_id=principal.organization_id, principal_id=principal.id, defaults=changes
    )
    _announce(row, member_id=principal.member_id)


def _announce(row: Status, *, member_id: UUID) -> None:
    """Tell the own devices by an event, and whoever watches by a frame after the commit."""
    log.record(
        events.StatusChanged(
            organization_id=row.organization_id,
            stream_id=member_id,
            actor_id=row.principal_id,
            emoji=row.emoji,
            text=row.text,
            is_away=row.is_away,
            expires_at=row.expires_at,
            shows_presence=row.shows_presence,
            shows_typing=row.shows_typing,
        )
    )
    organization_id, principal_id = row.organization_id, row.principal_id
    transaction.on_commit(
        lambda: presence.show_words(organization_id=organization_id, principal_id=principal_id)
    )
