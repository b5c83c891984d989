"""Files of messages as documents of their conversation."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from apps.accounts.types import Principal
from apps.chat.selectors.indexing import other_carriers
from apps.documents.models import Document
from apps.documents.services.documents import Place, add_attachment, remove
from apps.documents.services.moving import move_document
from apps.files.selectors.files import find_file


def add_attachments(
    *, principal: Principal, file_ids: Sequence[UUID], scope_id: UUID, conversation_id: UUID, message_id: UUID
) -> None:
    """Make those files of a message documents that can be read as such; the others are left alone."""
    for file_id in file_ids:
        file = find_file(organization_id=principal.organization_id, file_id=file_id)
        if file is not None and file.is_ready:
            add_attachment(principal=principal, file=file, place=Place(scope_id, conversation_id, message_id))


def remove_of_message(*, organization_id: UUID, message_id: UUID) -> None:
    """Delete the documents of a message inside the transaction that deletes it; one whose file another message of the
    audience carries is that one's now.
    """
    for row in _not_carried(organization_id, message_id):
        remove(row)


def move_of_message(
    *, organization_id: UUID, message_id: UUID, scope_id: UUID, conversation_id: UUID
) -> None:
    """Take the documents of a message along to its new audience, inside the transaction that moves it.

    One whose file another message of the old audience carries stays there, as that one's; one that the new audience
    has already is not needed twice.
    """
    rows = _not_carried(organization_id, message_id)
    known = Document.objects.filter(scope_id=scope_id, file_id__in=[row.file_id for row in rows])
    there = set(known.values_list("file_id", flat=True))
    for row in rows:
        if row.file_id in there:
            remove(row)
        else:
            move_document(row, scope_id=scope_id, conversation_id=conversation_id)


def _not_carried(organization_id: UUID, message_id: UUID) -> list[Document]:
    """Return the locked documents of a message, but not those that it leaves to another one that carries the file."""
    locked = Document.objects.filter(
        organization_id=organization_id, message_id=message_id
    ).select_for_update()
    rows = list(locked.order_by("pk"))
    if not rows:
        return []
    others = other_carriers(
        organization_id=organization_id,
        file_ids=[row.file_id for row in rows],
        scope_id=rows[0].scope_id,
        message_id=message_id,
    )
    for row in rows:
        if row.file_id in others:
            row.message_id = others[row.file_id]
            row.save(update_fields=["message_id"])
    return [row for row in rows if row.file_id not in others]
