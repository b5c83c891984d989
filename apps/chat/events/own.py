"""What happens to one person: told to its own windows, or to nobody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from apps.core.events.types import Audience, DomainEvent


@dataclass(frozen=True, kw_only=True)
class OwnEvent(DomainEvent):
    """Stream: a member's own; heard by that member's devices only."""

    audience: ClassVar[Audience] = Audience.PRINCIPAL


@dataclass(frozen=True, kw_only=True)
class ReadMoved(OwnEvent):
    """The read marker moved; `back`: "unread from here". Counts reach to `counted_to`: who saw more asks again.

    `place` is what was read alone up to `place_sequence`: a topic, a thread by its first message, or by the
    conversation's own id its general topic; null is all of the conversation. `counted` is what totals count.
    """

    type: ClassVar[str] = "read.moved"
    conversation: UUID
    last_read_sequence: int
    place: UUID | None = None
    place_sequence: int = 0
    back: bool
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
    personal: ClassVar[tuple[str, ...]] = ("body", "topic")
    conversation: UUID
    thread: UUID | None
    topic: str
    body: str


@dataclass(frozen=True, kw_only=True)
class ThreadFollowChanged(OwnEvent):
    """The member follows a thread, left it, or has read in it up to a reply."""

    type: ClassVar[str] = "thread.follow_changed"
    conversation: UUID
    thread: UUID
    is_followed: bool
    read_sequence: int


@dataclass(frozen=True, kw_only=True)
class SavedChanged(OwnEvent):
    """The member saved a message for itself, or no longer."""

    type: ClassVar[str] = "message.saved_changed"
    conversation: UUID
    message_id: UUID
    is_saved: bool


@dataclass(frozen=True, kw_only=True)
class ScheduledChanged(OwnEvent):
    """A scheduled message waits, was sent, failed (`failure_code` says why) or was cancelled: then it is gone."""

    type: ClassVar[str] = "schedule.changed"
    scheduled: UUID
    conversation: UUID
    state: str
    send_at: datetime
    failure_code: str
    message_id: UUID | None


@dataclass(frozen=True, kw_only=True)
class ReminderChanged(OwnEvent):
    """A reminder will come at another time; None: it is gone."""

    type: ClassVar[str] = "reminder.changed"
    reminder: UUID
    due_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class ReminderDue(OwnEvent):
    """The time of a reminder has come; of a message the member does not see any more only the note is left."""

    type: ClassVar[str] = "reminder.due"
    personal: ClassVar[tuple[str, ...]] = ("note",)
    reminder: UUID
    conversation: UUID | None
    message_id: UUID | None
    note: str
    due_at: datetime


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


@dataclass(frozen=True, kw_only=True)
class StatusChanged(OwnEvent):
    """The member's own status, or what it shows of itself, is this now. Others hear of it where they watch."""

    type: ClassVar[str] = "status.changed"
    personal: ClassVar[tuple[str, ...]] = ("text",)
    emoji: str
    text: str
    is_away: bool
    expires_at: datetime | None
    shows_presence: bool
    shows_typing: bool


@dataclass(frozen=True, kw_only=True)
class MessageReported(DomainEvent):
    """Somebody reported a message. Stream: the organization; for consumers only."""

    type: ClassVar[str] = "message.reported"
    report_id: UUID
    message_id: UUID
