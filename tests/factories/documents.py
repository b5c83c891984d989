"""Documents made through the real services, read in the real parsing process."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apps.accounts.models import Member
from apps.core import tenancy
from apps.documents.services.documents import add_document
from apps.documents.types import DocumentView
from tests.factories.accounts import principal_of
from tests.factories.files import upload
from tests.factories.runs import work_off


def document(
    member: Member, name: str, data: bytes, *, conversation_id: UUID | None = None, **options: Any
) -> DocumentView:
    """Upload a file and make it a document; nothing of it is read yet."""
    file = upload(member, name, data)
    with tenancy.use(member.organization_id):
        return add_document(
            principal=principal_of(member), file_id=file.id, conversation_id=conversation_id, **options
        )


def read_document(member: Member, name: str, data: bytes, **options: Any) -> DocumentView:
    """Upload, make it a document and read all of it."""
    made = document(member, name, data, **options)
    work_off()
    return made
