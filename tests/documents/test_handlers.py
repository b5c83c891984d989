"""Attachments of messages become documents of the conversation, and go with their message."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from apps.accounts.models import Member
from apps.chat.services.conversations import create_channel
from apps.chat.services.members import add_people
from apps.chat.services.messages import delete_message, send_message
from apps.core.events.types import restore
from apps.core.models import Event
from apps.documents import handlers
from apps.documents.models import Document, DocumentPage
from apps.documents.selectors.documents import list_documents
from apps.files.models import StoredFile
from apps.files.selectors.files import can_open
from tests.documents import samples
from tests.factories.accounts import MemberFactory, principal_of
from tests.factories.files import picture, upload
from tests.factories.runs import work_off


@pytest.fixture
def channel(member: Member) -> UUID:
    return create_channel(principal=principal_of(member), name="team", is_private=True)


def send(member: Member, channel: UUID, *files: UUID) -> UUID:
    sent = send_message(
        principal=principal_of(member),
        conversation_id=channel,
        body="see",
        client_key=uuid4().hex,
        attachments=files,
    )
    return sent.id


def deliver() -> None:
    """Let the handler take each sent message, as the relay does."""
    fields = (
        "organization_id",
        "stream_id",
        "scope_id",
        "actor_id",
        "sequence",
        "created_at",
        "type",
        "payload",
    )
    for row in Event.objects.filter(type="message.sent").order_by("id").values(*fields):
        event: Any = restore(row)
        handlers.read_attachments(event)


def test_an_attached_document_is_read_for_the_conversation(member: Member, channel: UUID) -> None:
    file, image = (
        upload(member, "plan.pdf", samples.text_pdf(["The plan."])),
        upload(member, "a.png", picture()),
    )
    message_id = send(member, channel, file.id, image.id)
    deliver()
    deliver()
    work_off()
    made = Document.objects.get()
    assert (made.message_id, made.conversation_id, made.state) == (message_id, channel, "ready")
    assert DocumentPage.objects.get().text == "The plan."
    outsider = MemberFactory(organization=member.organization)
    assert list_documents(principal=principal_of(member), conversation_id=channel).count() == 1
    assert not list_documents(principal=principal_of(outsider)).exists()


def test_an_unreadable_attachment_is_a_failed_document(member: Member, channel: UUID) -> None:
    macros = samples.rewritten(samples.word_file(), {"word/vbaProject.bin": b"x"})
    send(member, channel, upload(member, "macros.docx", macros).id)
    deliver()
    made = Document.objects.get()
    assert (made.state, made.error_code, made.run_id) == ("failed", "documents.type_mismatch", None)


def test_a_document_goes_with_its_message(member: Member, channel: UUID) -> None:
    message_id = send(member, channel, upload(member, "plan.txt", b"The plan.").id)
    deliver()
    work_off()
    delete_message(principal=principal_of(member), message_id=message_id)
    assert not Document.objects.exists()
    assert not DocumentPage.objects.exists()
    assert Event.objects.filter(type="document.deleted").count() == 1
    assert StoredFile.objects.exists()


def test_a_sender_who_left_reads_nothing(member: Member, channel: UUID) -> None:
    send(member, channel, upload(member, "plan.txt", b"The plan.").id)
    Member.objects.update(deactivated_at="2026-01-01T00:00:00Z")
    deliver()
    assert not Document.objects.exists()


def test_a_file_goes_with_its_message_unless_another_one_carries_it(member: Member, channel: UUID) -> None:
    colleague = MemberFactory(organization=member.organization)
    add_people(principal=principal_of(member), conversation_id=channel, people=[colleague.user_id])
    twice, once = upload(member, "twice.txt", b"Twice."), upload(member, "once.txt", b"Once.")
    first, second = send(member, channel, twice.id, once.id), send(member, channel, twice.id)
    reader = principal_of(colleague)
    assert can_open(reader, twice.id)
    assert can_open(reader, once.id)
    delete_message(principal=principal_of(member), message_id=first)
    assert can_open(reader, twice.id)
    assert not can_open(reader, once.id)
    delete_message(principal=principal_of(member), message_id=second)
    assert not can_open(reader, twice.id)
