"""What documents hear: attachments of messages, messages that go, runs that end."""

from __future__ import annotations

from uuid import UUID

from apps.accounts.errors import MemberNotFound
from apps.accounts.selectors.principals import principal_of_member
from apps.accounts.services.objects import register_object_kind
from apps.chat.events import (
    FilesEnded,
    MessageDeleted,
    MessageImported,
    MessageMovedIn,
    MessageRestored,
    MessageSent,
    MessagesErased,
)
from apps.core.events.subscribers import after_commit, in_transaction
from apps.core.relay.periodic import every
from apps.documents.errors import SourceError
from apps.documents.selectors import explaining
from apps.documents.services import attachments, erasing, reading, starting, syncing
from apps.documents.types import SOURCE_SUBJECT, SUBJECT
from apps.runs.events import RunFinished
from apps.runs.types import RunState

register_object_kind(explaining.DOCUMENT)


@after_commit(MessageSent, MessageImported, MessageRestored, MessageMovedIn)
def read_attachments(event: MessageSent | MessageRestored | MessageMovedIn) -> None:
    """Attached documents are read for the conversation's audience; twice is fine: one document for each file."""
    files = [UUID(str(file["id"])) for file in event.message["attachments"]]
    if not files or event.scope_id is None:
        return
    try:
        sender = principal_of_member(
            organization_id=event.organization_id, user_id=UUID(str(event.message["sender"]["id"]))
        )
    except MemberNotFound:
        return  # left meanwhile
    attachments.add_attachments(
        principal=sender,
        file_ids=files,
        scope_id=event.scope_id,
        conversation_id=event.conversation_id,
        message_id=event.message_id,
    )


@in_transaction(MessageMovedIn)
def move_attachments(event: MessageMovedIn) -> None:
    """Documents go where their message goes: who reads it no more reads nothing of them once that is committed."""
    assert event.scope_id is not None  # noqa: S101 - channels have an audience
    if event.message["attachments"]:
        attachments.move_of_message(
            organization_id=event.organization_id,
            message_id=event.message_id,
            scope_id=event.scope_id,
            conversation_id=event.conversation_id,
        )


@in_transaction(MessageDeleted)
def forget_attachments(event: MessageDeleted) -> None:
    """Documents of a message go with it."""
    attachments.remove_of_message(organization_id=event.organization_id, message_id=event.message_id)


@in_transaction(MessagesErased, FilesEnded)
def forget_attachments_of_many(event: MessagesErased | FilesEnded) -> None:
    """The same for many messages at once."""
    erasing.remove_of_messages(organization_id=event.organization_id, message_ids=event.message_ids)


@in_transaction(RunFinished)
def note_end_of_reading(event: RunFinished) -> None:
    """A document, or its next content, whose run failed or was cancelled says so."""
    if event.subject_type != SUBJECT or event.subject_id is None or event.state == RunState.SUCCEEDED:
        return
    code = event.error_code if event.state == RunState.FAILED else "documents.cancelled"
    reading.note_end(
        organization_id=event.organization_id,
        document_id=event.subject_id,
        run_id=event.run_id,
        error_code=code,
    )


@in_transaction(RunFinished)
def note_end_of_synchronization(event: RunFinished) -> None:
    """A source whose run failed or was cancelled says so."""
    if event.subject_type != SOURCE_SUBJECT or event.subject_id is None or event.state == RunState.SUCCEEDED:
        return
    code = event.error_code if event.state == RunState.FAILED else SourceError.CANCELLED
    syncing.note_end(
        organization_id=event.organization_id,
        source_id=event.subject_id,
        run_id=event.run_id,
        error_code=code,
    )


@every(seconds=30)
def synchronize_due_sources() -> None:
    """Sources with an interval are looked at when it is over."""
    starting.start_due_syncs()
