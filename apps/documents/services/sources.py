"""Add, change, pause, synchronize and remove sources. Only administrators who may add documents do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.errors import MemberNotFound
from apps.accounts.selectors.principals import principal_of_member
from apps.accounts.services import trail
from apps.accounts.services.access import can, require
from apps.accounts.types import Principal
from apps.chat.errors import ConversationNotFound
from apps.chat.selectors.conversations import scope_of
from apps.core import tenancy
from apps.documents import actions
from apps.documents.connectors.kinds import kind_of, offered
from apps.documents.connectors.secrets import secret_invalid
from apps.documents.errors import (
    NothingHeld,
    SourceBusy,
    SourceError,
    SourceFailed,
    SourceNameTaken,
    SourceNotFound,
    SourcePlaceUnseen,
    TooManySources,
)
from apps.documents.models import Source, SourceItem
from apps.documents.services.collections import library_scope
from apps.documents.services.moving import move_documents
from apps.documents.types import SOURCE_SUBJECT, SYNC, SourceInterval, SourceKind, SourceState
from apps.runs.selectors.runs import find_run
from apps.runs.services import runs
from apps.runs.types import StepSpec, Subject

MOST_SOURCES: Final = 100
AGAIN: Final = timedelta(hours=1)
LONGEST_SECRET: Final = 1000
_READ_ANEW: Final = frozenset({"settings", "secret", "conversation_id"})
_NEEDED: Final = ("settings.view", "document.manage")
_EVERY: Final = {SourceInterval.HOURLY: timedelta(hours=1), SourceInterval.DAILY: timedelta(days=1)}


@dataclass(frozen=True, kw_only=True)
class NewSource:
    """What somebody wants to be read.

    Attributes:
        settings: as the kind asks for.
        secret: the password or key that goes with them; empty for none.
        conversation_id: None for the library.
    """

    kind: SourceKind
    name: str
    settings: Mapping[str, Any]
    secret: str = field(default="", repr=False)
    conversation_id: UUID | None = None
    interval: SourceInterval = SourceInterval.DAILY


@dataclass(frozen=True)
class SourcePlace:
    """Whose documents they become; None is the library."""

    conversation_id: UUID | None


@dataclass(frozen=True, kw_only=True)
class SourceChange:
    """What is to be different of a source; None leaves it as it is, an empty secret forgets it."""

    name: str | None = None
    settings: Mapping[str, Any] | None = None
    secret: str | None = field(default=None, repr=False)
    place: SourcePlace | None = None
    interval: SourceInterval | None = None
    is_paused: bool | None = None


def add_source(*, principal: Principal, wanted: NewSource) -> UUID:
    """Keep a source and begin to read it, with the rights of who adds it.

    Raises:
        PermissionMissing, ConversationNotFound, SourceSettingsInvalid, SourceNameTaken, TooManySources.
        SourceFailed: this kind is not offered here.
    """
    require_administrator(principal)
    if wanted.kind not in offered():
        raise SourceFailed(SourceError.OFF)
    row = Source(
        organization_id=principal.organization_id,
        kind=wanted.kind,
        name=wanted.name.strip(),
        settings=kind_of(wanted.kind).cleaned(wanted.settings, has_secret=bool(wanted.secret)),
        secret=_clean_secret(wanted.secret),
        scope_id=_scope_for(principal, wanted.conversation_id),
        conversation_id=wanted.conversation_id,
        interval=wanted.interval,
        created_by_id=principal.id,
    )
    with transaction.atomic():
        if Source.objects.filter(organization_id=principal.organization_id).count() >= MOST_SOURCES:
            raise TooManySources(most=MOST_SOURCES)
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError as error:
            raise SourceNameTaken from error
        trail.note(principal, actions.SOURCE_ADDED, "source", row.pk, kind=row.kind, scope=row.scope_id)
        start_sync(row, principal=principal)
    return row.pk


def change_source(*, principal: Principal, source_id: UUID, wanted: SourceChange) -> None:
    """Change a source. With another audience, all its documents have it by the same commit.

    Who changes what is read, or for whom, takes the source over, and it is looked at anew; a synchronization of what it
    was before ends.

    Raises:
        PermissionMissing, SourceNotFound, SourceBusy, SourcePlaceUnseen, ConversationNotFound, SourceSettingsInvalid,
        SourceNameTaken.
    """
    require_administrator(principal)
    with transaction.atomic():
        row = lock_source(source_id)
        if row.state == SourceState.REMOVING:
            raise SourceBusy
        if wanted.is_paused is not None:
            _pause(principal, row, is_paused=wanted.is_paused)
        changed = _changed(principal, row, wanted)
        if not changed:
            return
        try:
            with transaction.atomic():
                row.save()
        except IntegrityError as error:
            raise SourceNameTaken from error
        moved = _move_documents(row) if "scope_id" in changed else 0
        trail.note(
            principal, actions.SOURCE_CHANGED, "source", row.pk,
            fields=sorted(changed), scope=row.scope_id, moved_documents=moved,
        )  # fmt: skip
        if "secret" in changed and row.secret is None:
            trail.note(principal, actions.SOURCE_SECRET_FORGOTTEN, "source", row.pk)
        if changed & _READ_ANEW:
            _end_sync(row)
            row.run_id = None
            start_sync(row, principal=principal)


def pause_source(*, principal: Principal, source_id: UUID, is_paused: bool) -> None:
    """Let a source rest, or go on: what is due starts by itself again. Twice is harmless.

    Raises:
        PermissionMissing, SourceNotFound.
    """
    require_administrator(principal)
    with transaction.atomic():
        _pause(principal, lock_source(source_id), is_paused=is_paused)


def sync_source(*, principal: Principal, source_id: UUID) -> UUID:
    """Look at a source now and return the run; one that is going on already is returned as it is.

    Who asks takes the source over where whoever added it could not add it any more.

    Raises:
        PermissionMissing, SourceNotFound, SourceBusy.
    """
    require_administrator(principal)
    with transaction.atomic():
        row = lock_source(source_id)
        owner = owner_of(row)
        taken_over = owner is None or not is_administrator(owner)
        if taken_over:
            _scope_for(principal, row.conversation_id)
            row.created_by_id = principal.id
            row.save(update_fields=["created_by_id"])
        trail.note(principal, actions.SOURCE_SYNCED, "source", row.pk, taken_over=taken_over)
        return start_sync(row, principal=principal)


def confirm_removal(*, principal: Principal, source_id: UUID) -> UUID:
    """Let go what a synchronization stopped at: it looks again, and removes at most as many documents as were shown.

    Raises:
        PermissionMissing, SourceNotFound, NothingHeld.
    """
    require_administrator(principal)
    with transaction.atomic():
        row = lock_source(source_id)
        if row.state != SourceState.HELD:
            raise NothingHeld
        trail.note(principal, actions.SOURCE_REMOVAL_CONFIRMED, "source", row.pk, documents=row.held_count)
        return start_sync(row, principal=principal, allowed=row.held_count)


def remove_source(*, principal: Principal, source_id: UUID, with_documents: bool) -> None:
    """Forget a source. Its documents stay as if somebody had added them, or go with it, by a run.

    Raises:
        PermissionMissing, SourceNotFound.
    """
    require_administrator(principal)
    with transaction.atomic():
        row = lock_source(source_id)
        trail.note(
            principal, actions.SOURCE_REMOVED, "source", row.pk, kind=row.kind, with_documents=with_documents
        )
        _end_sync(row)
        if not with_documents:
            row.delete()
            return
        row.state, row.due_at, row.error_code = SourceState.REMOVING, None, ""
        row.run_id = _start(row, principal, StepSpec("documents.remove_source", {"source_id": row.pk}))
        row.save(update_fields=["state", "due_at", "error_code", "run_id"])


def start_due_syncs() -> int:
    """Start what is due, of all organizations; return how many. For the relay."""
    with tenancy.nobody():
        due = list(
            Source.objects.filter(due_at__lte=timezone.now(), is_paused=False)
            .order_by("due_at")
            .values_list("organization_id", "pk")[:100]
        )
    return sum(_start_due(organization_id, source_id) for organization_id, source_id in due)


def start_sync(row: Source, *, principal: Principal | None, allowed: int = 0) -> UUID:
    """Start to look at a locked source; return the run that is going on already, if there is one.

    Args:
        principal: who sees the run besides those who see all; None for the clock.
        allowed: so many documents may go without asking, however large their share is.

    Raises:
        SourceBusy.
    """
    if row.state == SourceState.REMOVING:
        raise SourceBusy
    if row.run_id is not None:
        running = find_run(organization_id=row.organization_id, run_id=row.run_id)
        if running is not None and not running.is_finished:
            return running.id
    row.run_id = _start(
        row, principal, StepSpec("documents.list_source", {"source_id": row.pk, "allowed": allowed})
    )
    row.state, row.error_code, row.due_at = SourceState.SYNCING, "", next_due(row)
    row.save(update_fields=["run_id", "state", "error_code", "due_at"])
    return row.run_id


def next_due(row: Source, *, has_failed: bool = False) -> datetime | None:
    """Return when a source is looked at next; sooner after a failure, None where only people ask."""
    pause = _EVERY.get(SourceInterval(row.interval))
    return timezone.now() + (min(pause, AGAIN) if has_failed else pause) if pause else None


def owner_of(row: Source) -> Principal | None:
    """Return whoever added a source, with the rights of now; None where the seat is gone."""
    try:
        return principal_of_member(organization_id=row.organization_id, user_id=row.created_by_id)
    except MemberNotFound:
        return None


def require_administrator(principal: Principal) -> None:
    """Refuse who does not administrate, or may not add documents.

    Raises:
        PermissionMissing.
    """
    for permission in _NEEDED:
        require(principal, permission)


def is_administrator(principal: Principal) -> bool:
    """Return whether a principal may have sources."""
    return all(can(principal, permission) for permission in _NEEDED)


def lock_source(source_id: UUID) -> Source:
    """Return a source of the current organization, locked.

    Raises:
        SourceNotFound.
    """
    rows = Source.objects.filter(organization_id=tenancy.current(), pk=source_id)
    row = rows.select_for_update(no_key=True).first()
    if row is None:
        raise SourceNotFound
    return row


def _pause(principal: Principal, row: Source, *, is_paused: bool) -> None:
    if row.is_paused == is_paused:
        return
    row.is_paused = is_paused
    row.save(update_fields=["is_paused"])
    action = actions.SOURCE_PAUSED if is_paused else actions.SOURCE_RESUMED
    trail.note(principal, action, "source", row.pk)


def _changed(principal: Principal, row: Source, wanted: SourceChange) -> set[str]:
    """Put what is wanted into a locked row; return the columns that are different now."""
    values: dict[str, Any] = {}
    if wanted.name is not None:
        values["name"] = wanted.name.strip()
    if wanted.interval is not None:
        values["interval"] = wanted.interval
    values |= _read_from(row, wanted)
    if wanted.place is not None and wanted.place.conversation_id != row.conversation_id:
        values["conversation_id"] = wanted.place.conversation_id
    changed = {name for name, value in values.items() if name == "secret" or getattr(row, name) != value}
    if changed & _READ_ANEW:
        _require_place(principal, row.conversation_id)
        values["created_by_id"] = principal.id
    if "conversation_id" in changed:
        values["scope_id"] = _scope_for(principal, values["conversation_id"])
        changed.add("scope_id")
    for name, value in values.items():
        setattr(row, name, value)
    if "interval" in changed:
        row.due_at = next_due(row)
    return changed


def _read_from(row: Source, wanted: SourceChange) -> dict[str, Any]:
    """Return settings and secret as they are wanted, where either is.

    A secret goes to the place it was given for: who names another place does not take it there.
    """
    if wanted.settings is None and wanted.secret is None:
        return {}
    kind, settings = kind_of(row.kind), row.settings if wanted.settings is None else wanted.settings
    has_one = Source.objects.filter(pk=row.pk, secret__isnull=False).exists()
    is_kept = has_one and wanted.secret is None
    cleaned = kind.cleaned(settings, has_secret=is_kept or bool(wanted.secret))
    if is_kept and kind.secret_is_for(cleaned) != kind.secret_is_for(row.settings):
        raise secret_invalid(_("Enter it again: the one that is kept was given for another address or user."))
    if wanted.secret is None or not (wanted.secret or has_one):
        return {"settings": cleaned}
    return {"settings": cleaned, "secret": _clean_secret(wanted.secret)}


def _clean_secret(secret: str) -> str | None:
    """Return a secret as it is kept: a password may begin or end with a blank, but has no line break.

    Raises:
        SourceSettingsInvalid.
    """
    if len(secret) > LONGEST_SECRET or not secret.isprintable():
        raise secret_invalid(_("This cannot be a password or key."))
    return secret or None


def _require_place(principal: Principal, conversation_id: UUID | None) -> None:
    """Refuse who does not see whose documents they are: an administrator is not in every conversation."""
    try:
        _scope_for(principal, conversation_id)
    except ConversationNotFound as error:
        raise SourcePlaceUnseen from error


def _move_documents(row: Source) -> int:
    documents = SourceItem.objects.filter(source=row).exclude(document=None).order_by("document_id")
    found = list(documents.select_for_update(no_key=True).values_list("document_id", flat=True))
    move_documents(row, found)
    return len(found)


def _end_sync(row: Source) -> None:
    if row.run_id is not None and find_run(organization_id=row.organization_id, run_id=row.run_id):
        runs.cancel_as_house(run_id=row.run_id)


def _start_due(organization_id: UUID, source_id: UUID) -> bool:
    with tenancy.use(organization_id), transaction.atomic():
        row = (
            Source.objects.filter(pk=source_id, due_at__lte=timezone.now(), is_paused=False)
            .select_for_update(no_key=True, skip_locked=True)
            .first()
        )
        if row is None:
            return False  # somebody else was faster
        start_sync(row, principal=None)
    return True


def _start(row: Source, principal: Principal | None, first: StepSpec) -> UUID:
    return runs.start_run(
        kind=SYNC, principal=principal, steps=[first], subject=Subject(SOURCE_SUBJECT, row.pk)
    ).id


def _scope_for(principal: Principal, conversation_id: UUID | None) -> UUID:
    return library_scope() if conversation_id is None else scope_of(principal, conversation_id)
