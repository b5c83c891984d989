"""What pages, API and socket frames show of conversations and messages."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.errors import Text
from apps.core.ids import uuid7
from apps.notify.types import ALL, MENTIONS, NOTHING

ConversationKind = Literal["channel", "direct", "group"]
Posting = Literal["everyone", "announcers"]
# What one may want to hear of a thread.
THREAD_LEVELS: Final[Mapping[str, Text]] = {
    ALL: _("Every reply"),
    MENTIONS: _("Only mentions"),
    NOTHING: _("Nothing"),
}
TopicLevel = Literal["default", "followed", "muted"]
TOPIC_LIMIT = 60
Priority = Literal["", "important", "urgent"]
BODY_LIMIT = 20_000
ATTACHMENT_LIMIT = 10
MOST_EDIT_MINUTES = 525_600  # a year


@dataclass(frozen=True)
class MessageRules:
    """What an organization decided about messages.

    Attributes:
        link_previews: links are looked at.
        edit_minutes: after sending, in which authors change their text; None is for ever, 0 not at all.
    """

    link_previews: bool = True
    edit_minutes: int | None = None


@dataclass(frozen=True)
class PersonRef:
    """A principal beside a message: enough to draw name and face."""

    id: UUID
    name: str
    kind: str
    initials: str
    tint: int
    avatar: UUID | None = None
    is_guest: bool = False

    @property
    def is_agent(self) -> bool:
        """Agents have square faces."""
        return self.kind != "person"


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a person lets others see of it.

    Attributes:
        emoji, text: its own words, until a moment (None: until it says something else).
        is_undisturbed: it gets no push messages now.
    """

    emoji: str = ""
    text: str = ""
    until: datetime | None = None
    is_away: bool = False
    is_undisturbed: bool = False
    shows_presence: bool = True
    shows_typing: bool = True

    def state(self, *, is_connected: bool, is_idle: bool) -> str:
        """Return `online`, `away`, `undisturbed` or `offline`, as others may see it."""
        if not self.shows_presence or not is_connected:
            return "offline"
        if self.is_undisturbed:
            return "undisturbed"
        return "away" if self.is_away or is_idle else "online"

    def words(self) -> dict[str, Any] | None:
        """Return its words as frames carry them, or None."""
        return (
            {"emoji": self.emoji, "text": self.text, "until": self.until} if self.emoji or self.text else None
        )


@dataclass(frozen=True, kw_only=True)
class StatusView:
    """A person's own status, as the person set it."""

    emoji: str
    text: str
    is_away: bool
    expires_at: datetime | None
    shows_presence: bool
    shows_typing: bool


@dataclass(frozen=True)
class AttachmentView:
    """A file that hangs on a message."""

    id: UUID
    name: str
    media_type: str
    size_bytes: int


@dataclass(frozen=True)
class ReactionView:
    """One emoji under a message and who chose it, oldest first."""

    emoji: str
    principals: tuple[UUID, ...]

    @property
    def count(self) -> int:
        return len(self.principals)


@dataclass(frozen=True)
class PreviewView:
    """What stands behind a link of a message."""

    id: UUID
    url: str
    title: str
    description: str
    site: str


@dataclass(frozen=True)
class ThreadSummary:
    """Replies to a message."""

    count: int
    last_at: datetime
    people: tuple[UUID, ...]


@dataclass(frozen=True)
class TopicRef:
    """The topic of a message."""

    id: UUID
    name: str


@dataclass(frozen=True)
class Card:
    """A typed payload that a higher app owns and renders.

    Attributes:
        type: registered name, for example `agents.answer`.
        id: key of the thing in its app.
        data: what every reader of the scope may see.
    """

    type: str
    id: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class MessageView:
    """A message as every reader of its conversation may see it.

    Attributes:
        sequence: number of the event that created it; strictly increasing in the conversation.
        html: rendered on the server, sanitised; empty when deleted.
        version: from 1, plus one per edit; the `ETag`.
        thread: the message this replies to, or None.
        topic: None is the general topic of its conversation.
        acknowledged: who said to have seen an important message, oldest first.
        hidden_at: moderators took it away until they decide; `deleted_at` is set too.
        files_ended_at: when the files it had were deleted, because their time was over.
    """

    id: UUID
    conversation: UUID
    sequence: int
    sender: PersonRef
    body: str
    html: str
    sent_at: datetime
    version: int = 1
    edited_at: datetime | None = None
    deleted_at: datetime | None = None
    hidden_at: datetime | None = None
    files_ended_at: datetime | None = None
    thread: UUID | None = None
    topic: TopicRef | None = None
    client_key: str = ""
    mentions: tuple[UUID, ...] = ()
    attachments: tuple[AttachmentView, ...] = ()
    reactions: tuple[ReactionView, ...] = ()
    replies: ThreadSummary | None = None
    card: Card | None = None
    priority: Priority = ""
    pinned_at: datetime | None = None
    acknowledged: tuple[UUID, ...] = ()
    previews: tuple[PreviewView, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the shape of API and frames; orjson encodes ids and times."""
        return dataclasses.asdict(self)


class ConversationView(NamedTuple):
    """A conversation in one principal's list; a list has hundreds, read and compared for each page.

    Attributes:
        name: of a channel; for direct and group conversations the other people's names.
        unread: messages of others that were not read, replies too, without those in muted topics.
        counted: of these, what totals count: where the conversation is muted, those in followed topics only.
        mentions: messages that were not read and mention the principal, wherever they are.
        who_posts, takes_replies: where only announcers post, and whether the others may reply there.
        last_sequence: head of the stream, counts every event; a client resumes from here.
        is_member: False for an open channel the principal has not joined.
        last_message_at: None where nothing was said, and for channels in a list whose reader does not look at it.
    """

    id: UUID
    kind: ConversationKind
    name: str
    description: str
    is_private: bool
    is_member: bool
    archived_at: datetime | None
    last_read_sequence: int
    last_sequence: int
    unread: int
    counted: int
    mentions: int
    has_draft: bool
    is_muted: bool
    is_starred: bool
    scope: UUID
    who_posts: Posting = "everyone"
    takes_replies: bool = True
    last_message_at: datetime | None = None
    people: tuple[PersonRef, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TopicView:
    """A topic in the list of a channel.

    Attributes:
        level: what the principal wants of it: default, followed or muted.
        unread, mentions: not read by the principal, replies too; 0 where it is no member.
        messages: without replies and deleted ones; None beside a conversation, where nobody looks at it.
    """

    id: UUID
    conversation: UUID
    name: str
    resolved_at: datetime | None
    level: TopicLevel
    unread: int
    mentions: int
    messages: int | None
    last_message_at: datetime | None
    created_by: UUID | None


@dataclass(frozen=True, kw_only=True)
class MessagePage:
    """A window of messages, oldest first."""

    messages: tuple[MessageView, ...]
    anchor: UUID | None
    found_oldest: bool
    found_newest: bool
    first_unread: UUID | None
    last_sequence: int


@dataclass(frozen=True, kw_only=True)
class KeptDraft:
    """Unsent text of a composer, and the name of the topic that it is written for."""

    body: str
    topic: str


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A message before it is sent: rendered, checked for shape, not yet for rights (the write path does that).

    Attributes:
        topic: name of a topic of the channel, made where there is none; replies take that of their thread.
        announces: may post where only announcers do, everywhere; `announce_scopes` are single places.
        sent_at: only for imported history; None means the time of the commit.
        is_history: written elsewhere before: the sender needs no seat, nobody is told, nothing answers it.
        edited_at, reactions: only for imported history.
        also_notified: who counts as mentioned beside those the text names: who is online, for `@here`.
    """

    organization_id: UUID
    conversation_id: UUID
    sender: PersonRef
    client_key: str
    body: str
    html: str
    id: UUID = field(default_factory=uuid7)
    thread: UUID | None = None
    topic: str = ""
    announces: bool = False
    announce_scopes: tuple[UUID, ...] = ()
    mentions: tuple[UUID, ...] = ()
    mentions_everyone: bool = False
    attachments: tuple[UUID, ...] = ()
    card: Card | None = None
    sent_at: datetime | None = None
    priority: Priority = ""
    also_notified: tuple[UUID, ...] = ()
    is_history: bool = False
    edited_at: datetime | None = None
    reactions: tuple[ReactionView, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SentMessage:
    """The outcome of a draft.

    Attributes:
        repeated: the client key was stored before; id and sequence are those of the first time.
        payload: the data of the event `message.sent` (`message.imported`) as JSON; empty when repeated.
    """

    id: UUID
    conversation_id: UUID
    sequence: int
    sent_at: datetime
    repeated: bool
    payload: bytes = b""


SearchProblemReason = Literal[
    "unknown_operator", "value_missing", "value_unknown", "date_unknown", "too_many"
]


@dataclass(frozen=True, slots=True)
class SearchProblem:
    """A part of a search that cannot be understood: why, where it stands, as written, and what could be meant."""

    reason: SearchProblemReason
    start: int
    end: int
    text: str
    suggestions: tuple[str, ...] = ()


class ReportReason(models.TextChoices):
    """Why somebody reports a message."""

    HARASSMENT = "harassment", _("Harassment or insult")
    HATE = "hate", _("Hate or discrimination")
    SPAM = "spam", _("Spam or advertising")
    SECRET = "secret", _("Secrets or personal data")
    ILLEGAL = "illegal", _("Against the law")
    OTHER = "other", _("Something else")


class ReportState(models.TextChoices):
    """What became of a report."""

    OPEN = "open", _("open")
    DISMISSED = "dismissed", _("dismissed")
    WARNED = "warned", _("warned")
    REMOVED = "removed", _("removed")


class ImportState(models.TextChoices):
    """Where an import of history is."""

    CHECKING = "checking", _("looking through")
    REFUSED = "refused", _("refused")
    READY = "ready", _("waits for you")
    RUNNING = "running", _("importing")
    DONE = "done", _("imported")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("stopped")


OPEN_IMPORTS = frozenset({ImportState.CHECKING, ImportState.RUNNING})
MAY_GO_ON = frozenset({ImportState.READY, ImportState.FAILED, ImportState.CANCELLED})
