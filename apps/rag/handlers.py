"""What the index hears: text that went is gone with it, new text follows."""

from __future__ import annotations

from apps.chat.events import (
    CardChanged,
    MessageDeleted,
    MessageEdited,
    MessageImported,
    MessageMovedIn,
    MessageRestored,
    MessageSent,
    MessagesErased,
    MessagesMovedAway,
)
from apps.chat.selectors.indexing import find_sequence
from apps.core.events.subscribers import after_commit, in_transaction
from apps.core.relay.periodic import every
from apps.documents.events import DocumentDeleted, DocumentRenewed, DocumentsMoved, PageParsed
from apps.elyza.services import encoder
from apps.rag.selectors.languages import default_language
from apps.rag.services import documents, messages, recall, scheduling, storing

Changed = MessageEdited | MessageDeleted | MessageRestored | CardChanged


@in_transaction(MessageEdited, MessageDeleted, CardChanged)
def forget_text(event: Changed) -> None:
    """Nobody finds the old text once the change is committed."""
    storing.remove_messages(organization_id=event.organization_id, message_ids=[event.message_id])


@in_transaction(MessagesErased, MessagesMovedAway)
def forget_texts(event: MessagesErased | MessagesMovedAway) -> None:
    """The same for many messages at once, and for those whose audience is another one now.

    Erased ones are of one sender, and only its messages share chunks, so no neighbour lost its own.
    """
    storing.remove_messages(organization_id=event.organization_id, message_ids=event.message_ids)


@after_commit(
    MessageSent,
    MessageImported,
    MessageMovedIn,
    MessageEdited,
    MessageDeleted,
    MessageRestored,
    CardChanged,
)
def index_message(event: MessageSent | MessageMovedIn | Changed) -> None:
    """Index what the message says now, and its neighbours that lost their chunk with it."""
    sequence = event.sequence
    if isinstance(event, MessageSent | MessageMovedIn):
        # Behind a backlog the one before it has taken its neighbours along.
        if storing.holds_message(organization_id=event.organization_id, message_id=event.message_id):
            return
    else:
        sequence = find_sequence(organization_id=event.organization_id, message_id=event.message_id)
    if sequence is None:
        return
    messages.index_around(
        organization_id=event.organization_id,
        conversation_id=event.conversation_id,
        sequence=sequence,
        default_language=default_language(event.organization_id),
    )


@after_commit(MessagesMovedAway)
def index_what_stayed(event: MessagesMovedAway) -> None:
    """Neighbours lost their chunk with a message that was taken to another channel."""
    for sequence in event.sequences:
        messages.index_around(
            organization_id=event.organization_id,
            conversation_id=event.conversation_id,
            sequence=sequence,
            default_language=default_language(event.organization_id),
        )


@in_transaction(DocumentDeleted)
def forget_document(event: DocumentDeleted) -> None:
    """Nobody finds a document once its deletion is committed."""
    storing.remove_document(organization_id=event.organization_id, document_id=event.document_id)


@in_transaction(DocumentsMoved)
def follow_documents(event: DocumentsMoved) -> None:
    """Nobody finds a document who may not see it once its move is committed, and who may finds it by its words."""
    assert event.scope_id is not None  # noqa: S101 - documents have an audience
    storing.move_documents(
        organization_id=event.organization_id,
        document_ids=event.document_ids,
        scope_id=event.scope_id,
        conversation_id=event.conversation_id,
    )


@in_transaction(DocumentRenewed)
def forget_pages(event: DocumentRenewed) -> None:
    """Nobody finds a page that a document has no more once its new content is committed."""
    documents.forget_pages(organization_id=event.organization_id, document_id=event.document_id)


@after_commit(PageParsed, DocumentRenewed)
def index_page(event: PageParsed | DocumentRenewed) -> None:
    """Pages are found one by one, as they are read.

    A page that was read before a renewal may have been stored beside it; in turn with the pages, it goes for good.
    """
    if isinstance(event, DocumentRenewed):
        forget_pages(event)
        return
    documents.index_page(
        organization_id=event.organization_id,
        document_id=event.document_id,
        number=event.page,
        default_language=default_language(event.organization_id),
    )


@every(seconds=1)
def start_embedding() -> None:
    """Chunks without a vector get one soon."""
    scheduling.start_due_runs()


@every(seconds=60)
def renew_vectors() -> None:
    """Vectors of a model that was replaced are made anew."""
    if version := encoder.find_health().model_version:
        scheduling.start_due_runs(model_version=version)


@every(seconds=600)
def check_recall() -> None:
    """At night the index is compared with the exact search."""
    recall.start_due_checks()
