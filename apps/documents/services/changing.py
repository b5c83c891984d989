"""Change what a source reads, how often and for whom; let it rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts.services import trail
from apps.accounts.types import Principal
from apps.documents import actions
from apps.documents.connectors.kinds import kind_of
from apps.documents.connectors.secrets import clean_secret, secret_invalid
from apps.documents.errors import SourceBusy, SourceNameTaken
from apps.documents.models import Source, SourceItem
from apps.documents.services.moving import move_documents
from apps.documents.services.owning import lock_source, require_administrator, require_place, scope_for
from apps.documents.services.starting import end_sync, next_due, start_sync
from apps.documents.types import SourceInterval, SourceState

_READ_ANEW: Final = frozenset({"settings", "secret", "conversation_id"})


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
            end_sync(row)
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
        require_place(principal, row.conversation_id)
        values["created_by_id"] = principal.id
    if "conversation_id" in changed:
        values["scope_id"] = scope_for(principal, values["conversation_id"])
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
    return {"settings": cleaned, "secret": clean_secret(wanted.secret)}


def _move_documents(row: Source) -> int:
    documents = SourceItem.objects.filter(source=row).exclude(document=None).order_by("document_id")
    found = list(documents.select_for_update(no_key=True).values_list("document_id", flat=True))
    move_documents(row, found)
    return len(found)
