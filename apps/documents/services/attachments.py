"""Files of messages as documents of their conversation."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from apps.accounts.types import Principal
from apps.documents.models import Document
from apps.documents.services.documents import Place, add_attachment, remove
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
    """Delete the documents of a message inside the transaction that deletes it."""
    rows = Document.objects.filter(organization_id=organization_id, message_id=message_id)
    for row in rows.select_for_update():
        remove(row)
