"""What happens in a conversation: told to all who are in it."""

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
    people: ClassVar[tuple[str, ...]] = ("message.sender",)
    message: dict[str, Any]

    @property
    def message_id(self) -> UUID:
        """Return the message's id."""
        return UUID(str(self.message["id"]))


@dataclass(frozen=True, kw_only=True)
class MessageImported(MessageSent):
    """A message of before was stored, written elsewhere; by `send_batch` only. Nobody is told of it and nothing answers
    it, so it is no `message.sent`; `message` is the same, and it is found, read and erased like any other.
    """

    type: ClassVar[str] = "message.imported"


@dataclass(frozen=True, kw_only=True)
class MessageEdited(ConversationEvent):
    """The body was replaced; the old one is kept as a revision. Who is mentioned since, and who is not any more, is
    among the members only.
    """

    type: ClassVar[str] = "message.edited"
    personal: ClassVar[tuple[str, ...]] = (
        "body", "html", "mentions", "newly_mentioned", "no_longer_mentioned",
    )  # fmt: skip
    message_id: UUID
    version: int
    body: str
    html: str
    mentions: tuple[UUID, ...] = ()
    newly_mentioned: tuple[UUID, ...] = ()
    no_longer_mentioned: tuple[UUID, ...] = ()
    edited_at: datetime


@dataclass(frozen=True, kw_only=True)
class MessageDeleted(ConversationEvent):
    """The message is gone for everyone; its place stays.

    With `hidden_at` moderators took it away until they decide: then `message.restored` brings it back, or this event
    without `hidden_at` says that it stays away. `thread` is the message that it answered.
    """

    type: ClassVar[str] = "message.deleted"
    forgets: ClassVar[bool] = True
    message_id: UUID
    deleted_at: datetime
    hidden_at: datetime | None = None
    thread: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class FilesEnded(ConversationEvent):
    """The time of the files of some messages was over: the messages stay without them, each with one version more."""

    type: ClassVar[str] = "message.files_ended"
    forgets: ClassVar[bool] = True
    message_ids: tuple[UUID, ...]
    ended_at: datetime


@dataclass(frozen=True, kw_only=True)
class MessageRestored(ConversationEvent):
    """A deleted or hidden message is back as it was. `message` is `MessageView.as_json()`."""

    type: ClassVar[str] = "message.restored"
    personal: ClassVar[tuple[str, ...]] = MessageSent.personal
    people: ClassVar[tuple[str, ...]] = MessageSent.people
    message: dict[str, Any]

    @property
    def message_id(self) -> UUID:
        """Return the message's id."""
        return UUID(str(self.message["id"]))


@dataclass(frozen=True, kw_only=True)
class MessagesErased(ConversationEvent):
    """Messages are gone for everyone, and so is who wrote them: `person` is the `PersonRef` that stands there now.

    Each is emptied as by `message.deleted`; a reader that shows one draws it with the new sender. `deleted_at` is of
    those that were not deleted before.
    """

    type: ClassVar[str] = "message.erased"
    forgets: ClassVar[bool] = True
    message_ids: tuple[UUID, ...]
    person: dict[str, Any] | None
    deleted_at: datetime


@dataclass(frozen=True, kw_only=True)
class MessagesMoved(ConversationEvent):
    """Messages stand in another topic of the conversation, replies with the message they answer.

    `message_id` alone moved, or where that is null all that stood in `source` from number `since` on. `source` null is
    the general topic and so is `target`, which is a `TopicRef`. `is_source_gone`: nothing is left in that topic, whose
    name was `gone_name`.
    """

    type: ClassVar[str] = "message.moved"
    personal: ClassVar[tuple[str, ...]] = ("target.name", "gone_name")
    message_id: UUID | None
    source: UUID | None
    since: int
    target: dict[str, Any] | None
    is_source_gone: bool
    gone_name: str = ""


@dataclass(frozen=True, kw_only=True)
class MessagesMovedAway(ConversationEvent):
    """Messages were taken to another channel: nobody finds them here any more. `sequences` are their old numbers;
    `topic_gone` and `gone_name` are the topic where nothing of it is left.
    """

    type: ClassVar[str] = "message.moved_away"
    personal: ClassVar[tuple[str, ...]] = ("gone_name",)
    forgets: ClassVar[bool] = True
    message_ids: tuple[UUID, ...]
    sequences: tuple[int, ...]
    topic_gone: UUID | None
    gone_name: str = ""


@dataclass(frozen=True, kw_only=True)
class MessageMovedIn(ConversationEvent):
    """A message came from another channel and has its place by this event. `message` is `MessageView.as_json()`."""

    type: ClassVar[str] = "message.moved_in"
    personal: ClassVar[tuple[str, ...]] = MessageSent.personal
    people: ClassVar[tuple[str, ...]] = MessageSent.people
    message: dict[str, Any]

    @property
    def message_id(self) -> UUID:
        """Return the message's id."""
        return UUID(str(self.message["id"]))


@dataclass(frozen=True, kw_only=True)
class TopicChanged(ConversationEvent):
    """A topic has another name than the former one, was resolved, or was opened again."""

    type: ClassVar[str] = "topic.changed"
    personal: ClassVar[tuple[str, ...]] = ("name", "former_name")
    topic_id: UUID
    name: str
    resolved_at: datetime | None
    former_name: str = ""


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
class PreviewsChanged(ConversationEvent):
    """What stands behind the links of a message was found, or removed. Each is a `PreviewView`."""

    type: ClassVar[str] = "message.previews_changed"
    personal: ClassVar[tuple[str, ...]] = ("previews",)
    message_id: UUID
    previews: tuple[dict[str, Any], ...]


@dataclass(frozen=True, kw_only=True)
class PollChanged(ConversationEvent):
    """A poll was voted on or closed: its card has new counts. Of an anonymous one nobody is named."""

    type: ClassVar[str] = "poll.changed"
    personal: ClassVar[tuple[str, ...]] = ("card",)
    message_id: UUID
    card: dict[str, Any]
    version: int


@dataclass(frozen=True, kw_only=True)
class PinChanged(ConversationEvent):
    """A message was pinned, or taken down (`pinned_at` is None)."""

    type: ClassVar[str] = "message.pin_changed"
    message_id: UUID
    pinned_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class MessageAcknowledged(ConversationEvent):
    """`principal_id` has seen an important message."""

    type: ClassVar[str] = "message.acknowledged"
    message_id: UUID
    principal_id: UUID


@dataclass(frozen=True, kw_only=True)
class AcknowledgementWithdrawn(ConversationEvent):
    """`principal_id` takes back that it has seen an important message."""

    type: ClassVar[str] = "message.acknowledgement_withdrawn"
    message_id: UUID
    principal_id: UUID


@dataclass(frozen=True, kw_only=True)
class BookmarkAdded(ConversationEvent):
    """A link or file was put at hand. `bookmark` is `BookmarkView.as_json()`."""

    type: ClassVar[str] = "bookmark.added"
    personal: ClassVar[tuple[str, ...]] = ("bookmark.title", "bookmark.url")
    bookmark: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class BookmarkRemoved(ConversationEvent):
    """A bookmark was taken away."""

    type: ClassVar[str] = "bookmark.removed"
    bookmark_id: UUID


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
