"""Events of chat. Their data is what every reader of the scope may see: it is published as it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from apps.core.events.types import Audience, DomainEvent


@dataclass(frozen=True, kw_only=True)
class ConversationEvent(DomainEvent):
    """Stream: the conversation."""

    audience: ClassVar[Audience] = Audience.CONVERSATION

    @property
    def conversation_id(self) -> UUID:
        """The conversation is the stream."""
        return self.stream_id


@dataclass(frozen=True, kw_only=True)
class MessageSent(ConversationEvent):
    """A message was stored; written by `send_batch` only. `message` is `MessageView.as_json()`."""

    type: ClassVar[str] = "message.sent"
    personal: ClassVar[tuple[str, ...]] = (
        "message.body", "message.html", "message.card", "message.mentions", "message.attachments",
        "message.client_key",
    )  # fmt: skip
    message: dict[str, Any]

    @property
    def message_id(self) -> UUID:
        """Return the message's id."""
        return UUID(str(self.message["id"]))


@dataclass(frozen=True, kw_only=True)
class MessageEdited(ConversationEvent):
    """The body was replaced; the old one is kept as a revision."""

    type: ClassVar[str] = "message.edited"
    personal: ClassVar[tuple[str, ...]] = ("body", "html", "mentions")
    message_id: UUID
    version: int
    body: str
    html: str
    mentions: tuple[UUID, ...] = ()
    edited_at: datetime


@dataclass(frozen=True, kw_only=True)
class MessageDeleted(ConversationEvent):
    """The message is gone for everyone; its place stays."""

    type: ClassVar[str] = "message.deleted"
    message_id: UUID
    deleted_at: datetime


@dataclass(frozen=True, kw_only=True)
class MessagesErased(ConversationEvent):
    """Messages are gone for everyone, and so is who wrote them: `person` is the `PersonRef` that stands there now.

    Each is emptied as by `message.deleted`; a reader that shows one draws it with the new sender. `deleted_at` is of
    those that were not deleted before.
    """

    type: ClassVar[str] = "message.erased"
    message_ids: tuple[UUID, ...]
    person: dict[str, Any] | None
    deleted_at: datetime


@dataclass(frozen=True, kw_only=True)
class MessagesMoved(ConversationEvent):
    """Messages stand in another topic of the conversation, replies with the message they answer.

    `message_id` alone moved, or where that is null all that stood in `source` from number `since` on. `source` null is
    the general topic and so is `target`, which is a `TopicRef`. `is_source_gone`: nothing is left in that topic.
    """

    type: ClassVar[str] = "message.moved"
    personal: ClassVar[tuple[str, ...]] = ("target.name",)
    message_id: UUID | None
    source: UUID | None
    since: int
    target: dict[str, Any] | None
    is_source_gone: bool


@dataclass(frozen=True, kw_only=True)
class MessagesMovedAway(ConversationEvent):
    """Messages were taken to another channel: nobody finds them here any more. `sequences` are their old numbers."""

    type: ClassVar[str] = "message.moved_away"
    message_ids: tuple[UUID, ...]
    sequences: tuple[int, ...]
    topic_gone: UUID | None


@dataclass(frozen=True, kw_only=True)
class MessageMovedIn(ConversationEvent):
    """A message came from another channel and has its place by this event. `message` is `MessageView.as_json()`."""

    type: ClassVar[str] = "message.moved_in"
    personal: ClassVar[tuple[str, ...]] = MessageSent.personal
    message: dict[str, Any]

    @property
    def message_id(self) -> UUID:
        """Return the message's id."""
        return UUID(str(self.message["id"]))


@dataclass(frozen=True, kw_only=True)
class TopicChanged(ConversationEvent):
    """A topic has another name, was resolved, or was opened again."""

    type: ClassVar[str] = "topic.changed"
    personal: ClassVar[tuple[str, ...]] = ("name",)
    topic_id: UUID
    name: str
    resolved_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class CardChanged(ConversationEvent):
    """The card a message carries has new data."""

    type: ClassVar[str] = "message.card_changed"
    personal: ClassVar[tuple[str, ...]] = ("card", "body", "html")
    message_id: UUID
    card: dict[str, Any] | None
    body: str
    html: str
    version: int


@dataclass(frozen=True, kw_only=True)
class ReactionAdded(ConversationEvent):
    """`principal_id` chose an emoji."""

    type: ClassVar[str] = "reaction.added"
    message_id: UUID
    emoji: str
    principal_id: UUID


@dataclass(frozen=True, kw_only=True)
class ReactionRemoved(ConversationEvent):
    """`principal_id` took an emoji back."""

    type: ClassVar[str] = "reaction.removed"
    message_id: UUID
    emoji: str
    principal_id: UUID


@dataclass(frozen=True, kw_only=True)
class ConversationCreated(ConversationEvent):
    """The first event of each conversation."""

    type: ClassVar[str] = "conversation.created"
    kind: str
    name: str
    is_private: bool


@dataclass(frozen=True, kw_only=True)
class ConversationUpdated(ConversationEvent):
    """Name, description, privacy, archive state or who may post changed."""

    type: ClassVar[str] = "conversation.updated"
    personal: ClassVar[tuple[str, ...]] = ("description",)
    name: str
    description: str
    is_private: bool
    archived_at: datetime | None
    kind: str = "channel"
    who_posts: str = "everyone"
    takes_replies: bool = True


@dataclass(frozen=True, kw_only=True)
class MemberJoined(ConversationEvent):
    """A principal is in the conversation from now on. `person` is a `PersonRef`."""

    type: ClassVar[str] = "member.joined"
    principal_id: UUID
    person: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class MemberLeft(ConversationEvent):
    """A principal left or was removed."""

    type: ClassVar[str] = "member.left"
    principal_id: UUID


@dataclass(frozen=True, kw_only=True)
class OwnEvent(DomainEvent):
    """Stream: a member's own; heard by that member's devices only."""

    audience: ClassVar[Audience] = Audience.PRINCIPAL


@dataclass(frozen=True, kw_only=True)
class ReadMoved(OwnEvent):
    """The read marker moved, forward or back. The counts reach up to `counted_to`: who has seen more asks again.

    `place` is what was read alone up to `place_sequence`: a topic, a thread by its first message, or by the
    conversation's own id its general topic; null is all of the conversation. `counted` is what totals count.
    """

    type: ClassVar[str] = "read.moved"
    conversation: UUID
    last_read_sequence: int
    place: UUID | None = None
    place_sequence: int = 0
    counted_to: int
    unread: int
    counted: int = 0
    mentions: int


@dataclass(frozen=True, kw_only=True)
class ConversationAdded(OwnEvent):
    """The member is in one more conversation."""

    type: ClassVar[str] = "conversation.added"
    conversation: UUID
    last_sequence: int


@dataclass(frozen=True, kw_only=True)
class ConversationRemoved(OwnEvent):
    """The member is no longer in a conversation: forget it."""

    type: ClassVar[str] = "conversation.removed"
    conversation: UUID


@dataclass(frozen=True, kw_only=True)
class DraftSaved(OwnEvent):
    """A draft changed on one of the member's devices; an empty body means it is gone."""

    type: ClassVar[str] = "draft.saved"
    personal: ClassVar[tuple[str, ...]] = ("body",)
    conversation: UUID
    thread: UUID | None
    body: str


@dataclass(frozen=True, kw_only=True)
class PreferenceChanged(OwnEvent):
    """A conversation was muted, starred or the opposite."""

    type: ClassVar[str] = "conversation.preference_changed"
    conversation: UUID
    is_muted: bool
    is_starred: bool


@dataclass(frozen=True, kw_only=True)
class TopicPreferenceChanged(OwnEvent):
    """The member follows a topic, mutes it, or wants of it what the conversation says (`default`)."""

    type: ClassVar[str] = "topic.preference_changed"
    conversation: UUID
    topic: UUID
    level: str
