"""Attachments of messages become documents of the conversation, and go with their message."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from apps.accounts.models import Member
from apps.chat.services.conversations import create_channel
from apps.chat.services.members import add_people
from apps.chat.services.messages import delete_message, send_message
from apps.chat.services.moving import move_messages
from apps.core.events.types import restore
from apps.core.models import Event
from apps.documents import handlers
from apps.documents.errors import PageNotFound
from apps.documents.models import Document, DocumentPage
from apps.documents.selectors.documents import list_documents
from apps.documents.selectors.pages import get_page
from apps.files.models import StoredFile
from apps.files.selectors.files import can_open
from apps.rag.handlers import index_page
from apps.rag.selectors.search import search
from apps.runs.errors import RunNotFound
from apps.runs.selectors.runs import get_run
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


def deliver(kind: str = "message.sent") -> None:
    """Let the handler take each message, as the relay does."""
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
    for row in Event.objects.filter(type=kind).order_by("id").values(*fields):
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


def test_a_document_passes_to_the_next_message_that_carries_its_file(member: Member, channel: UUID) -> None:
    plan = upload(member, "plan.txt", b"The plan.")
    first, second = send(member, channel, plan.id), send(member, channel, plan.id)
    deliver()
    work_off()
    delete_message(principal=principal_of(member), message_id=first)
    assert Document.objects.get().message_id == second
    delete_message(principal=principal_of(member), message_id=second)
    assert not Document.objects.exists()


def test_a_document_goes_where_its_message_goes(member: Member, channel: UUID) -> None:
    """Who is in the old channel only reads nothing of it any more, by the commit that moves the message."""
    colleague = MemberFactory(organization=member.organization)
    owner, reader = principal_of(member), principal_of(colleague)
    add_people(principal=owner, conversation_id=channel, people=[reader.id])
    board = create_channel(principal=owner, name="board", is_private=True)
    message_id = send(member, channel, upload(member, "plan.txt", b"The kormoran plan.").id)
    deliver()
    work_off()
    for row in Event.objects.filter(type="document.page_parsed").values():
        index_page(restore(row))
    (document,) = list_documents(principal=reader)
    assert [hit.source for hit in search(principal=reader, query="kormoran").hits] == [document.pk]

    move_messages(principal=owner, message_id=message_id, conversation_id=board)
    assert not list_documents(principal=reader)
    assert not search(principal=reader, query="kormoran type:document").hits
    with pytest.raises(PageNotFound):
        get_page(principal=reader, document_id=document.pk, number=1)
    with pytest.raises(RunNotFound):
        get_run(principal=reader, run_id=document.run_id)
    assert [hit.source for hit in search(principal=owner, query="kormoran in:board").hits] == [document.pk]
    assert list_documents(principal=owner, conversation_id=board).get().message_id == message_id


def test_each_audience_keeps_the_document_that_a_message_of_it_carries(member: Member, channel: UUID) -> None:
    owner, plan = principal_of(member), upload(member, "plan.txt", b"The plan.")
    board = create_channel(principal=owner, name="board", is_private=True)
    moved, stays = send(member, channel, plan.id), send(member, channel, plan.id)
    deliver()
    move_messages(principal=owner, message_id=moved, conversation_id=board)
    deliver("message.moved_in")
    placed = {row.conversation_id: row.message_id for row in Document.objects.all()}
    assert placed == {channel: stays, board: moved}
    move_messages(principal=owner, message_id=stays, conversation_id=board)
    deliver("message.moved_in")
    assert Document.objects.get().conversation_id == board


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
