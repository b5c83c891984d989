"""What callers announce and say, and what pages and API show."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from apps.accounts.types import Principal
from apps.core.errors import Text

# Why a person is told; a word here is in columns and stays. First is strongest.
REASONS: Final[Mapping[str, Text]] = {
    "mention": _("Somebody mentioned you"),
    "direct": _("Message to you"),
    "group_mention": _("Your group or everyone was mentioned"),
    "keyword": _("One of your keywords"),
    "followed_thread": _("Reply in a thread you follow"),
    "followed_topic": _("Message in a topic you follow"),
    "conversation": _("Message in a conversation you hear all of"),
    "reminder": _("Reminder"),
    "admin": _("From those who run this place"),
    "report": _("A report that waits for a decision"),
    "outcome": _("What became of your report"),
}
# Told even where the person muted the place: somebody asked for this person by name.
PERSONAL: Final = frozenset({"mention", "direct", "reminder", "admin", "report", "outcome"})

ALL, MENTIONS, NOTHING = "all", "mentions", "nothing"
LEVELS: Final[Mapping[str, Text]] = {
    ALL: _("Everything"),
    MENTIONS: _("Mentions, and threads and topics I follow"),
    NOTHING: _("Nothing"),
}
LEVELS_HINT: Final = _("Direct messages and mentions come at every level but “Nothing”.")

MOST_QUIET: Final = 21  # three spans a day
IN_APP, MAIL, PUSH = "in_app", "mail", "push"
CHANNELS: Final[Mapping[str, Text]] = {IN_APP: _("In the app"), MAIL: _("E-mail"), PUSH: _("Push message")}

# Why a way was or was not taken; a word here is in columns and stays.
OUTCOMES: Final[Mapping[str, Text]] = {
    "": _("on its way"),
    "sent": _("delivered"),
    "level": _("the level for this place leaves it out"),
    "muted": _("this place is muted"),
    "only_mentions": _("of this thread you hear only mentions"),
    "thread_muted": _("you hear nothing of this thread"),
    "off": _("this way is switched off"),
    "do_not_disturb": _("do not disturb was on"),
    "quiet_hours": _("it was within quiet hours"),
    "active": _("somebody is at the screen; it waits until nobody is"),
    "read": _("it was read before"),
    "gone": _("it was deleted or taken back before"),
    "no_access": _("it could not be seen any more"),
    "no_address": _("there is no address to send it to"),
    "unsubscribed": _("the browser ended its subscription"),
    "refused": _("the other server refused it"),
    "unreachable": _("the other server did not answer, however often we tried"),
}


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Something that concerns people.

    Attributes:
        kind: a registered one.
        subject: what it is about, `message:<id>`; a person is told once for each subject and reason.
        places: what its person may have set a level for, nearest first: thread, topic, conversation.
        sequence: its place in the conversation, so that reading up to there reads it too.
        urgent: said again every five minutes until it is read, for half an hour.
    """

    organization_id: UUID
    kind: str
    subject: str
    actor_id: UUID | None = None
    conversation_id: UUID | None = None
    thread_id: UUID | None = None
    message_id: UUID | None = None
    sequence: int | None = None
    places: tuple[str, ...] = ()
    is_urgent: bool = False


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """One person and why.

    Attributes:
        is_muted: the person muted the place in some other way than by a level.
    """

    principal_id: UUID
    reason: str
    is_muted: bool = False


@dataclass(frozen=True, kw_only=True)
class NotificationRow:
    """A notification without words: what it says is asked for when somebody looks."""

    id: UUID
    recipient_id: UUID
    kind: str
    reason: str
    subject: str
    actor_id: UUID | None
    conversation_id: UUID | None
    thread_id: UUID | None
    message_id: UUID | None
    sequence: int | None
    is_urgent: bool
    created_at: datetime
    seen_at: datetime | None
    read_at: datetime | None
    held_by: str = ""


@dataclass(frozen=True, kw_only=True)
class Described:
    """The words of a notification, as its recipient may read them now.

    Attributes:
        title: who and where, plain text.
        text: an excerpt, plain text.
        url: an address under this server, beginning with a slash.
    """

    title: str
    text: str
    url: str
    actor_name: str = ""
    place: str = ""


Describe = Callable[[Principal, Sequence[NotificationRow]], Mapping[UUID, Described]]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of notification that an app announces.

    Attributes:
        key: stable, `app.what`.
        describe: the words of some notifications for their recipient; those it may not see are absent.
    """

    key: str
    label: Text
    describe: Describe


@dataclass(frozen=True, kw_only=True)
class Place:
    """Places of one sort, `<name>:<id>`, that an app announces: people may set a level for each.

    Attributes:
        may_set: whether a principal sees the place of an id.
        levels: the words of the choices. hint: what is said below them.
        standing: the level that holds for who set none; None offers "as everywhere else" as a choice of its own.
        others: places of this sort, or within one, that the principal mutes or follows in another way than by a level.
        titles: what places of these ids are called, and their addresses; those the principal does not see are absent.
    """

    name: str
    may_set: Callable[[Principal, UUID], bool]
    titles: Callable[[Principal, Collection[UUID]], Mapping[UUID, tuple[str, str]]]
    levels: Mapping[str, Text] = field(default_factory=lambda: LEVELS)
    hint: Text = LEVELS_HINT
    standing: Callable[[Principal, UUID], str] | None = None
    others: Callable[[Principal], Sequence[OwnLevel]] | None = None


@dataclass(frozen=True, kw_only=True)
class OwnLevel:
    """What somebody hears of one place, where that is another than elsewhere.

    Attributes:
        place: `<name>:<id>`.
        title: what it is called. url: its address.
        change_url: where that is changed, as a dialog; empty is the dialog of levels.
    """

    place: str
    title: str
    url: str
    level: Text
    change_url: str = ""


@dataclass(frozen=True, kw_only=True)
class NotificationView:
    """A notification as its recipient sees it."""

    row: NotificationRow
    described: Described

    @property
    def id(self) -> UUID:
        """Return its id."""
        return self.row.id

    @property
    def created_at(self) -> datetime:
        """Return when it was made; lists are sorted by it."""
        return self.row.created_at

    @property
    def reason_label(self) -> str:
        """Return the reason in words."""
        return str(REASONS.get(self.row.reason, self.row.reason))


@dataclass(frozen=True, kw_only=True)
class DeliveryView:
    """One line of the delivery log."""

    channel: str
    state: str
    outcome: str
    due_at: datetime
    settled_at: datetime | None
    attempts: int
    detail: str = ""

    @property
    def channel_label(self) -> str:
        """Return the way in words."""
        return str(CHANNELS[self.channel])

    @property
    def outcome_label(self) -> str:
        """Return what became of it in words."""
        return str(OUTCOMES.get(self.outcome, self.outcome))


@dataclass(frozen=True, kw_only=True)
class QuietTime:
    """Quiet hours of one weekday, in minutes of the person's day; `until` before `since` goes past midnight."""

    weekday: int
    since: int
    until: int


@dataclass(frozen=True, kw_only=True)
class PreferencesView:
    """What a person wants. What the organization decides is filled in.

    Attributes:
        mail: `off`, `soon`, `daily` or `weekly`.
        digest_minute: of the person's day. digest_weekday: 0 is Monday.
        push_content: push messages say what was written, else only that there is something.
    """

    level: str
    mail: str
    digest_minute: int
    digest_weekday: int
    has_push: bool
    push_content: bool
    time_zone: str
    quiet: tuple[QuietTime, ...] = ()
    do_not_disturb_until: datetime | None = None
    keywords: tuple[str, ...] = field(default=())


@dataclass(frozen=True, kw_only=True)
class ReplyTarget:
    """Where a reply that came by mail belongs; beside `message_id`, the last message the mail told of."""

    organization_id: UUID
    principal_id: UUID
    kind: str
    conversation_id: UUID
    thread_id: UUID | None
    message_id: UUID | None = None


@dataclass(frozen=True, kw_only=True)
class MailedFile:
    """A file that came with a mail."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class MailedReply:
    """What somebody answered by mail, without what it quoted.

    Attributes:
        client_key: the same for the same mail, so that it is posted once.
    """

    target: ReplyTarget
    body: str
    client_key: str
    files: tuple[MailedFile, ...] = ()
