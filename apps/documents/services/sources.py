"""Add and remove sources. Only administrators who may add documents do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.accounts.services import trail
from apps.accounts.types import Principal
from apps.documents import actions
from apps.documents.connectors.kinds import kind_of, offered
from apps.documents.connectors.secrets import clean_secret
from apps.documents.errors import SourceError, SourceFailed, SourceNameTaken, TooManySources
from apps.documents.models import Source
from apps.documents.services.owning import lock_source, require_administrator, scope_for
from apps.documents.services.starting import end_sync, start_run_of, start_sync
from apps.documents.types import SourceInterval, SourceKind, SourceState
from apps.runs.types import StepSpec

MOST_SOURCES: Final = 100


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
        secret=clean_secret(wanted.secret),
        scope_id=scope_for(principal, wanted.conversation_id),
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
        end_sync(row)
        if not with_documents:
            row.delete()
            return
        row.state, row.due_at, row.error_code = SourceState.REMOVING, None, ""
        row.run_id = start_run_of(row, principal, StepSpec("documents.remove_source", {"source_id": row.pk}))
        row.save(update_fields=["state", "due_at", "error_code", "run_id"])
