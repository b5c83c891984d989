"""Synchronize a source: list what is there, read what is new or changed, let go what is gone.

Documents come and go by the same services as those that people add and delete. Each part is a step that can be
repeated; what one thing of a source does wrong is noted beside it, and the others go on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from typing import BinaryIO, Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from apps.accounts.errors import PermissionMissing
from apps.accounts.types import Principal
from apps.chat.errors import ConversationNotFound
from apps.core.errors import DomainError
from apps.core.outbound.errors import AddressNotAllowed, ContentTypeNotAllowed, FetchTooLarge, HostUnavailable
from apps.core.services.breaker import Broken
from apps.documents.connectors.contract import Connector, Content, Fingerprint, Gone, Item, Unchanged
from apps.documents.connectors.kinds import kind_of
from apps.documents.errors import ItemFailed, SourceError, SourceFailed, Unreadable
from apps.documents.models import Document, Source, SourceItem
from apps.documents.parsing.errors import ErrorCode
from apps.documents.services.documents import add_document, remove, renew_document
from apps.documents.services.metrics import items_total, syncs_total
from apps.documents.services.owning import is_administrator, owner_of
from apps.documents.services.starting import next_due
from apps.documents.types import SourceState
from apps.files.errors import QuotaExceeded, StorageFull, TypeMismatch, TypeRefused
from apps.files.services.removal import remove_unused
from apps.files.services.uploads import store_stream

BATCH: Final = 500
BLOCK_BYTES: Final = 1024 * 1024
FEW: Final = 20  # below, any number may go without asking
Keep = Callable[[str, Callable[[], AbstractContextManager[Connector]]], Connector]
_CODES: Final[dict[type[DomainError], str]] = {
    PermissionMissing: SourceError.OWNER_GONE,
    ConversationNotFound: SourceError.OWNER_GONE,
    AddressNotAllowed: SourceError.ADDRESS,
    ContentTypeNotAllowed: ErrorCode.UNSUPPORTED_TYPE,
    FetchTooLarge: ErrorCode.TOO_LARGE,
    HostUnavailable: SourceError.ITEM_UNAVAILABLE,
    Broken: SourceError.ITEM_UNAVAILABLE,
    QuotaExceeded: SourceError.NO_ROOM,
    StorageFull: SourceError.NO_ROOM,
    TypeMismatch: ErrorCode.TYPE_MISMATCH,
    TypeRefused: ErrorCode.UNSUPPORTED_TYPE,
}
_OF_THE_CONTENT: Final = (Unreadable, TypeMismatch, TypeRefused)  # no better before it changes


@dataclass(frozen=True)
class Listed:
    """What a listing found.

    Attributes:
        known: how many things had a document before.
        to_read: those that are new, may have changed, or could not be read.
    """

    known: int
    to_read: list[UUID]


def list_items(*, organization_id: UUID, source_id: UUID, run_id: UUID) -> Listed:
    """Note what is there and what is missing.

    Raises:
        SourceFailed: nothing was noted.
    """
    source = _source(organization_id, source_id)
    if source is None:
        return Listed(0, [])
    with closing(_opened(source)) as connector:
        found = {item.external_id: item for item in connector.list()}
    known = {row.external_id: row for row in SourceItem.objects.filter(source_id=source_id)}
    with transaction.atomic():
        _insert(source, (item for name, item in found.items() if name not in known), run_id)
        _note_seen([row for name, row in known.items() if name in found], found, run_id)
        unseen = [row.pk for name, row in known.items() if name not in found]
        SourceItem.objects.filter(pk__in=unseen).update(
            error_code="", missing_at=Coalesce("missing_at", Now())
        )
    rows = SourceItem.objects.filter(source_id=source_id, seen_run_id=run_id).order_by("pk")
    there = (
        (row, found[row.external_id]) for row in rows if row.external_id in found
    )  # a repeated step saw more
    return Listed(
        sum(row.document_id is not None for row in known.values()),
        [row.pk for row, item in there if _may_have_changed(row, item)],
    )


def read_item(*, organization_id: UUID, source_id: UUID, item_id: UUID, keep: Keep | None = None) -> str:
    """Read one thing; return what became of it: `added`, `changed`, `unchanged` or `gone`.

    Args:
        keep: gives the opened source of this name again, for the things one worker reads one after another.

    Raises:
        ItemFailed: noted; what was read before stays.
    """
    source = _source(organization_id, source_id)
    item = SourceItem.objects.filter(source_id=source_id, pk=item_id).first()
    if source is None or item is None:
        return "gone"
    try:
        if keep is None:
            with closing(_opened(source)) as connector:
                outcome = _read(source, item, connector)
        else:
            outcome = _read(source, item, keep(_name(source), lambda: closing(_opened(source))))
    except Unchanged:
        outcome = "unchanged"
        _note(item, error_code="", missing_at=None)
    except Gone:
        outcome = "gone"
        _note(item, error_code=SourceError.ITEM_GONE, missing_at=item.missing_at or timezone.now())
    except DomainError as error:
        code = _code_of(error)
        items_total.labels(source.kind, "unreadable").inc()
        _note(item, error_code="" if isinstance(error, _OF_THE_CONTENT) else code, missing_at=None)
        raise ItemFailed(code) from error
    if outcome in ("added", "changed"):
        items_total.labels(source.kind, outcome).inc()
    return outcome


def finish(*, organization_id: UUID, source_id: UUID, known: int, allowed: int) -> int:
    """Remove the documents of what is gone, and say how it went; return how many went.

    Nothing goes where more than half of many would: a folder that is not mounted and a site that was moved look alike.
    Then somebody is asked.

    Args:
        known: how many things had a document before.
        allowed: so many were shown to somebody who agreed.
    """
    source = _source(organization_id, source_id)
    if source is None:
        return 0
    missing = SourceItem.objects.filter(source_id=source_id, gone_at=None).exclude(missing_at=None)
    count = missing.exclude(document=None).count()
    if known >= FEW and 2 * count > known and count > allowed:
        _settle(source, SourceState.HELD, held_count=count, due_at=None)
        syncs_total.labels(source.kind, "held").inc()
        return 0
    for item_id in list(missing.values_list("pk", flat=True)):
        let_go(source_id=source_id, item_id=item_id)
    items_total.labels(source.kind, "removed").inc(count)
    _settle(source, SourceState.READY, held_count=0, synced_at=timezone.now())
    syncs_total.labels(source.kind, "succeeded").inc()
    return count


def let_go(*, source_id: UUID, item_id: UUID) -> None:
    """Remove the document of a thing that is gone; the thing's row stays as its tombstone. Twice is harmless."""
    with transaction.atomic():
        item = _locked(source_id, item_id)
        if item is None:
            return
        _remove_document(item)
        item.gone_at = item.gone_at or timezone.now()
        item.document, item.fingerprint, item.content_hash, item.content_error = None, {}, "", ""
        item.save()


def remove_some(*, organization_id: UUID, source_id: UUID) -> bool:
    """Remove the next documents of a source that goes, in the end the source; return whether something is left."""
    source = Source.objects.filter(
        organization_id=organization_id, pk=source_id, state=SourceState.REMOVING
    ).first()
    if source is None:
        return False
    rows = SourceItem.objects.filter(source_id=source_id).exclude(document=None)
    batch = list(rows.values_list("pk", flat=True)[:BATCH])
    for item_id in batch:
        let_go(source_id=source_id, item_id=item_id)
    if not batch:
        source.delete()
    return bool(batch)


def note_end(*, organization_id: UUID, source_id: UUID, run_id: UUID, error_code: str) -> None:
    """Note that a synchronization ended without success; a source that was settled, or begun anew, stays as it is."""
    source = Source.objects.filter(
        organization_id=organization_id, pk=source_id, run_id=run_id, state=SourceState.SYNCING
    ).first()
    if source is None:
        return
    _settle(source, SourceState.FAILED, error_code=error_code, due_at=next_due(source, has_failed=True))
    outcome = "cancelled" if error_code == SourceError.CANCELLED else "failed"
    syncs_total.labels(source.kind, outcome).inc()


def _read(source: Source, item: SourceItem, connector: Connector) -> str:
    owner = _owner(source)
    fingerprint: Fingerprint = item.fingerprint if item.content_hash else {}
    with connector.read(item.external_id, fingerprint) as content:
        digest = _sha256(content.stream)
        if digest == item.content_hash:
            _note(item, fingerprint=dict(content.fingerprint), error_code="", missing_at=None)
            return "unchanged"
        try:
            return _become(source, item, owner, content, digest)
        except _OF_THE_CONTENT as error:
            _note(
                item, fingerprint=dict(content.fingerprint), content_hash=digest,
                content_error=_code_of(error), gone_at=None,
            )  # fmt: skip
            raise


def _become(source: Source, item: SourceItem, owner: Principal, content: Content, digest: str) -> str:
    """Store the bytes; they become the next content of the thing's document, or a document."""
    file = store_stream(
        uploader=owner, name=content.name, size_bytes=content.size_bytes, source=content.stream
    )
    try:
        with transaction.atomic():
            current = _current(source.organization_id, source.pk).select_for_update(no_key=True).first()
            locked = _locked(source.pk, item.pk)
            if locked is None or current is None or _is_another(source, current):
                remove_unused(file_ids=[file.id])
                return "gone"  # the source was removed meanwhile, or reads something else now
            place = current.conversation_id
            outcome = "changed"
            if locked.document_id is None or not renew_document(
                principal=owner, document_id=locked.document_id, file_id=file.id, conversation_id=place
            ):
                outcome = "added"
                made = add_document(principal=owner, file_id=file.id, conversation_id=place)
                locked.document_id = made.id
            locked.content_hash = digest
            locked.fingerprint, locked.content_error, locked.error_code = dict(content.fingerprint), "", ""
            locked.missing_at = locked.gone_at = None
            locked.save()
    except DomainError:
        remove_unused(file_ids=[file.id])
        raise
    return outcome


def _opened(source: Source) -> Connector:
    slug = _owner(source).organization_slug
    return kind_of(source.kind).open(source.settings, organization_slug=slug, secret=source.secret or "")


def _name(source: Source) -> str:
    """Name an opened source: another one after every change of what is read."""
    read_from = json.dumps(source.settings, sort_keys=True)
    return f"source:{source.pk}:{source.run_id}:{hashlib.sha256(read_from.encode()).hexdigest()}"


def _owner(source: Source) -> Principal:
    owner = owner_of(source)
    if owner is None or not is_administrator(owner):
        raise SourceFailed(SourceError.OWNER_GONE)
    return owner


def _is_another(before: Source, now: Source) -> bool:
    return (before.settings, before.created_by_id) != (now.settings, now.created_by_id)


def _source(organization_id: UUID, source_id: UUID) -> Source | None:
    return _current(organization_id, source_id).first()


def _current(organization_id: UUID, source_id: UUID) -> QuerySet[Source]:
    rows = Source.objects.filter(organization_id=organization_id, pk=source_id)
    return rows.exclude(state=SourceState.REMOVING)


def _locked(source_id: UUID, item_id: UUID) -> SourceItem | None:
    rows = SourceItem.objects.filter(source_id=source_id, pk=item_id)
    return rows.select_for_update(no_key=True).first()


def _insert(source: Source, new: Iterable[Item], run_id: UUID) -> None:
    SourceItem.objects.bulk_create(
        [
            SourceItem(
                organization_id=source.organization_id, source=source, external_id=item.external_id,
                error_code=item.error_code, seen_run_id=run_id, seen_at=timezone.now(),
            )
            for item in new
        ],
        batch_size=BATCH,
    )  # fmt: skip


def _note_seen(rows: list[SourceItem], found: dict[str, Item], run_id: UUID) -> None:
    for row in rows:
        row.seen_run_id, row.seen_at, row.missing_at = run_id, timezone.now(), None
        row.error_code = found[row.external_id].error_code or row.error_code
    SourceItem.objects.bulk_update(
        rows, ["seen_run_id", "seen_at", "missing_at", "error_code"], batch_size=BATCH
    )


def _may_have_changed(row: SourceItem, item: Item) -> bool:
    if item.error_code:
        return False
    is_new = not row.content_hash or row.gone_at is not None
    return is_new or not item.fingerprint or dict(item.fingerprint) != row.fingerprint


def _remove_document(item: SourceItem) -> None:
    if item.document_id is None:
        return
    row = Document.objects.filter(pk=item.document_id).select_for_update().first()
    if row is not None:
        remove(row)


def _note(item: SourceItem, **values: object) -> None:
    SourceItem.objects.filter(pk=item.pk).update(**values)


def _settle(source: Source, state: SourceState, **values: object) -> None:
    Source.objects.filter(pk=source.pk).exclude(state=SourceState.REMOVING).update(state=state, **values)


def _code_of(error: DomainError) -> str:
    """Return why something could not be read, as a code that has a sentence for people."""
    own = error.code if isinstance(error, SourceFailed | Unreadable) else SourceError.ITEM_UNUSABLE
    return str(_CODES.get(type(error), own))


def _sha256(stream: BinaryIO) -> str:
    digest = hashlib.sha256()
    while block := stream.read(BLOCK_BYTES):
        digest.update(block)
    stream.seek(0)
    return digest.hexdigest()
