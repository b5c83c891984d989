"""Send, edit and delete messages. `send_messages` is the only Python face of the write path for sync callers."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from prometheus_client import Counter

from apps.accounts.services import access, trail
from apps.accounts.types import InScope, Principal
from apps.chat import actions, events
from apps.chat.errors import (
    AnnouncersOnly,
    AttachmentNotFound,
    ClientKeyReused,
    ConversationArchived,
    MessageChanged,
    MessageDeleted,
    MessageNotFound,
    NotAChannel,
    NotAMember,
    NotEditable,
    NotTheAuthor,
    RepliesClosed,
    ThreadNotFound,
)
from apps.chat.models import (
    Attachment,
    Conversation,
    Mention,
    Message,
    MessagePreview,
    MessageRevision,
)
from apps.chat.rendering.markdown import CALLS_MANY
from apps.chat.selectors import conversations as conversation_selectors
from apps.chat.selectors.messages import visible_messages
from apps.chat.services import composing, deleted, forgetting, mass_mentions, policy, write_path
from apps.chat.services.mentions import replace_mentions
from apps.chat.services.standing import lock_message, require_channel
from apps.chat.types import Card, Draft, Priority, SentMessage
from apps.core.errors import DomainError
from apps.core.events import log, publishing
from apps.files.services import access as file_access

sent_total = Counter("chatsystem_messages_sent_total", "Stored messages", ["door"])


def send_messages(drafts: Sequence[Draft]) -> list[SentMessage | DomainError]:
    """Store drafts in their order and publish them after the commit; a refused one harms no other.

    Two statements in all, inside the caller's transaction if there is one. The outcome of each draft is in its place:
    a `SentMessage`, or the error that explains the refusal.
    """
    if not drafts:
        return []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(write_path.SEND_BATCH, [write_path.encode(drafts)])
        stored = write_path.decode(drafts, cursor.fetchall())
        told = [
            _told(draft, stored[draft.id].sent)
            for draft in drafts
            if draft.id in stored and stored[draft.id].sent.payload
        ]
        if told:
            transaction.on_commit(lambda: publishing.publish_stored(told))
    sent_total.labels("sync").inc(len(told))
    return [outcome(draft, stored.get(draft.id)) for draft in drafts]


def _told(draft: Draft, sent: SentMessage) -> publishing.Stored:
    event = events.MessageImported if draft.is_history else events.MessageSent
    return publishing.Stored(event.type, sent.conversation_id, sent.sequence, sent.payload)


def outcome(draft: Draft, stored: write_path.Stored | None) -> SentMessage | DomainError:
    """Return what to tell the sender of a draft."""
    if stored is None:
        return explain_refusal(draft)
    return stored.sent if stored.same else ClientKeyReused()


def explain_refusal(draft: Draft) -> DomainError:
    """Return why the write path left a draft out. At most four queries; only refusals pay them."""
    conversation = conversation_selectors.find_for_sender(
        organization_id=draft.organization_id,
        conversation_id=draft.conversation_id,
        sender_id=draft.sender.id,
    )
    if isinstance(conversation, DomainError):
        return conversation
    if conversation.archived_at is not None:
        return ConversationArchived()
    if not conversation.is_member:
        return NotAMember()
    return _explain_place(draft, conversation)


def _explain_place(draft: Draft, conversation: conversation_selectors.SenderView) -> DomainError:
    """Return why a member's draft does not go where it was meant for."""
    if draft.thread and not _is_root(draft.thread, draft.conversation_id):
        return ThreadNotFound()
    if draft.topic and conversation.kind != Conversation.Kind.CHANNEL:
        return NotAChannel()
    if conversation.is_closed_to(draft):
        return AnnouncersOnly() if conversation.takes_replies else RepliesClosed()
    # Nothing of it: left between the statement and this explanation.
    return AttachmentNotFound() if draft.attachments else NotAMember()


def _is_root(message_id: UUID, conversation_id: UUID) -> bool:
    return Message.objects.filter(pk=message_id, conversation_id=conversation_id, thread_id=None).exists()


def require_parts(draft: Draft) -> None:
    """Refuse what the write path would leave out: a thread or topic that is none here, a file one may not attach.

    Raises:
        ThreadNotFound, NotAChannel, AttachmentNotFound.
    """
    if draft.thread and not _is_root(draft.thread, draft.conversation_id):
        raise ThreadNotFound
    if draft.topic and not draft.thread:
        require_channel(Conversation.objects.get(pk=draft.conversation_id))
    if not file_access.may_attach(
        organization_id=draft.organization_id, uploader_id=draft.sender.id, file_ids=draft.attachments
    ):
        raise AttachmentNotFound


def send_message(
    *,
    principal: Principal,
    conversation_id: UUID,
    body: str,
    client_key: str,
    thread: UUID | None = None,
    topic: str = "",
    attachments: tuple[UUID, ...] = (),
    card: Card | None = None,
    priority: Priority = "",
    confirm_mass_mention: bool = False,
) -> SentMessage:
    """Compose and store one message.

    Args:
        topic: name of a topic of the channel; the first message makes it. Replies take that of their thread.

    Raises:
        PermissionMissing, ConversationNotFound, ConversationArchived, NotAMember, ThreadNotFound, NotAChannel,
        AnnouncersOnly, RepliesClosed, AttachmentNotFound, ClientKeyReused, and what `compose` raises.
    """
    access.require(principal, "message.send")
    draft = composing.compose(
        principal=principal,
        conversation_id=conversation_id,
        body=body,
        client_key=client_key,
        thread=thread,
        topic=topic,
        attachments=attachments,
        card=card,
        priority=priority,
        confirm_mass_mention=confirm_mass_mention,
    )
    (result,) = send_messages([draft])
    if isinstance(result, DomainError):
        raise result
    return result


def lock_visible_message(*, principal: Principal, message_id: UUID) -> Message:
    """Return the message, locked until the transaction ends.

    Raises:
        MessageNotFound: missing, or not visible to the principal.
    """
    message = lock_message(visible_messages(principal).filter(pk=message_id))
    if message is None:
        raise MessageNotFound
    return message


def edit_message(
    *,
    principal: Principal,
    message_id: UUID,
    body: str,
    expected_version: int | None = None,
    confirm_mass_mention: bool = False,
) -> int:
    """Replace the body, keep the old one as a revision, announce it after the commit; return the new version.

    Args:
        body: Markdown, 1..20_000 characters once trimmed; the same text again changes nothing.
        expected_version: the version the editor saw (from `If-Match`), so that nobody overwrites unseen.

    Raises:
        MessageNotFound, NotTheAuthor, MessageChanged, MessageDeleted, NotEditable, EditTooLate, EmptyMessage,
        MessageTooLong, UnreadableText, MassMentionUnconfirmed: the edit calls many, which the old text did not.
    """
    cleaned = composing.clean_body(body)
    rendered = composing.render_body(cleaned, principal)
    with transaction.atomic():
        message = lock_visible_message(principal=principal, message_id=message_id)
        _require_editable(message, principal, expected_version)
        if message.body == cleaned:
            return message.version
        if rendered.mentions_everyone and not confirm_mass_mention and CALLS_MANY not in message.html:
            mass_mentions.require_confirmed(
                mass_mentions.audience(principal, message.conversation_id, rendered)
            )
        meant = composing.everyone_meant(rendered, message.conversation_id)
        if not confirm_mass_mention:
            added = mass_mentions.by_group(principal, rendered, meant, before=message.mentions)
            mass_mentions.require_confirmed(added)
        MessageRevision.objects.create(
            organization_id=message.organization_id,
            message_id=message.pk,
            version=message.version,
            body=message.body,
            html=message.html,
            replaced_by_id=principal.id,
        )
        message.body, message.html, message.mentions = cleaned, rendered.html, list(meant)
        message.version, message.edited_at = message.version + 1, timezone.now()
        message.save(update_fields=["body", "html", "mentions", "version", "edited_at"])
        change = replace_mentions(message, rendered, meant)
        log.record(
            events.MessageEdited(
                organization_id=message.organization_id,
                stream_id=message.conversation_id,
                scope_id=message.scope_id,
                actor_id=principal.id,
                message_id=message.pk,
                version=message.version,
                body=cleaned,
                html=rendered.html,
                mentions=meant,
                newly_mentioned=change.added,
                no_longer_mentioned=change.removed,
                edited_at=message.edited_at,
            )
        )
    return message.version


def _require_editable(message: Message, principal: Principal, expected_version: int | None) -> None:
    if message.deleted_at is not None:
        raise MessageDeleted
    if message.sender_id != principal.id:
        raise NotTheAuthor
    access.require(principal, "message.send")
    if message.card is not None:
        raise NotEditable
    policy.require_in_time(message.organization_id, message.sent_at)
    if expected_version is not None and expected_version != message.version:
        raise MessageChanged
    require_open(principal=principal, conversation_id=message.conversation_id)


def require_open(*, principal: Principal, conversation_id: UUID) -> None:
    """Refuse changes where the principal is no member, or the conversation is archived.

    Raises:
        ConversationNotFound, ConversationArchived, NotAMember.
    """
    conversation = conversation_selectors.find_for_sender(
        organization_id=principal.organization_id, conversation_id=conversation_id, sender_id=principal.id
    )
    if isinstance(conversation, DomainError):
        raise conversation
    if conversation.archived_at is not None:
        raise ConversationArchived
    if not conversation.is_member:
        raise NotAMember


def delete_message(*, principal: Principal, message_id: UUID) -> None:
    """Take a message away for everyone; its place in the order stays.

    The author may, and whoever moderates the conversation. Its words are kept aside for the restore window, then they
    are gone. Deleting twice is harmless.

    Raises:
        MessageNotFound, NotTheAuthor.
    """
    with transaction.atomic():
        message = lock_visible_message(principal=principal, message_id=message_id)
        if message.deleted_at is not None:
            return
        if message.sender_id != principal.id and not access.can(
            principal, "message.moderate", InScope(message.scope_id)
        ):
            raise NotTheAuthor
        take_away(message, actor_id=principal.id)
        if message.sender_id != principal.id:
            trail.note(
                principal,
                actions.MESSAGE_REMOVED,
                "message",
                message.pk,
                conversation=message.conversation_id,
                sender=message.sender_id,
            )


def take_away(message: Message, *, actor_id: UUID, until_decided: bool = False) -> None:
    """Empty a locked message and tell it; the caller has decided about rights and holds a transaction.

    Args:
        until_decided: it is only hidden. What it said is kept until the decision, however long that takes.
    """
    deleted.keep_aside(message, actor_id=actor_id, until_decided=until_decided)
    message.body = message.html = ""
    message.mentions, message.card = [], None
    message.deleted_at = timezone.now()
    message.hidden_at = message.deleted_at if until_decided else None
    message.version += 1
    message.save(update_fields=["body", "html", "mentions", "card", "deleted_at", "hidden_at", "version"])
    # Who resumes from before, or reads the log from its beginning, reads no more than others.
    if until_decided or deleted.is_kept(message):
        forgetting.silence_log(message)
    else:
        forgetting.forget_log(message)
        MessageRevision.objects.filter(message_id=message.pk).delete()
    Mention.objects.filter(message_id=message.pk).delete()
    MessagePreview.objects.filter(message_id=message.pk).delete()
    _drop_files(message)
    deleted.tell(message, actor_id=actor_id)


def _drop_files(message: Message) -> None:
    """Take the message's files away; the audience loses those that no other message of it carries."""
    carried = set(Attachment.objects.filter(message_id=message.pk).values_list("file_id", flat=True))
    if not carried:
        return
    Attachment.objects.filter(message_id=message.pk).delete()
    elsewhere = Attachment.objects.filter(file_id__in=carried, message__scope_id=message.scope_id)
    lost = carried - set(elsewhere.values_list("file_id", flat=True))
    kept_until = timezone.now() + max(deleted.restore_window(), deleted.HELD_FOR)
    file_access.release(file_ids=lost, scope_id=message.scope_id, keep_until=kept_until)


def change_card(*, organization_id: UUID, message_id: UUID, card: Card, body: str) -> None:
    """Replace a message's card and text; for the app that owns the card, which has decided about rights.

    Raises:
        MessageNotFound, MessageDeleted.
    """
    cleaned = composing.clean_body(body, may_be_empty=True)
    rendered = composing.render_body(cleaned)
    with transaction.atomic():
        message = lock_message(Message.objects.filter(pk=message_id, organization_id=organization_id))
        if message is None:
            raise MessageNotFound
        if message.deleted_at is not None:
            raise MessageDeleted
        message.card = {"type": card.type, "id": card.id, "data": card.data}
        message.body, message.html = cleaned, rendered.html
        message.version += 1
        message.save(update_fields=["card", "body", "html", "version"])
        log.record(
            events.CardChanged(
                organization_id=organization_id,
                stream_id=message.conversation_id,
                scope_id=message.scope_id,
                actor_id=message.sender_id,
                message_id=message.pk,
                card=message.card,
                body=cleaned,
                html=rendered.html,
                version=message.version,
            )
        )
