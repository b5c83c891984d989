"""What stands in the files of an export, read without trust: a value of a wrong type is as good as absent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from django.utils import timezone

EARLIEST = datetime(2009, 1, 1, tzinfo=UTC)
LONGEST_TEXT = 400_000  # ten times what Slack takes
MOST_FILES, MOST_REACTIONS, MOST_PEOPLE = 50, 50, 500
MOST_PINS, MOST_BOOKMARKS = 500, 500  # Slack takes 100 pins; more is noise that nobody looks at
# What Slack itself writes into channels; the members and names they tell of are imported as they are in the end.
SYSTEM = frozenset(
    {
        "app_conversation_join", "bot_add", "bot_disable", "bot_enable", "bot_remove", "channel_archive",
        "channel_canvas_updated", "channel_convert_to_private", "channel_join", "channel_leave", "channel_name",
        "channel_posting_permissions", "channel_purpose", "channel_topic", "channel_unarchive",
        "ekm_access_denied", "group_archive", "group_join", "group_leave", "group_name", "group_purpose",
        "group_topic", "group_unarchive", "huddle_thread", "joiner_notification",
        "joiner_notification_for_inviter", "message_replied", "pinned_item", "reminder_add", "reminder_delete",
        "sh_room_created", "sh_room_shared", "tabbed_canvas_updated", "unpinned_item",
    }
)  # fmt: skip
_TS = re.compile(r"(\d{1,11})\.(\d{1,6})")
_ID = re.compile(r"[A-Za-z0-9_\-]{1,30}")
_SURROGATE = re.compile(r"[\ud800-\udfff\x00]")
PlaceKind = Literal["channel", "private", "group", "direct"]


@dataclass(frozen=True, slots=True)
class SlackPerson:
    """A row of `users.json`."""

    id: str
    name: str
    address: str = ""
    is_bot: bool = False
    is_guest: bool = False
    has_left: bool = False
    team: str = ""


@dataclass(frozen=True, slots=True)
class SlackPin:
    """That a message is pinned; `ts` names it, `by` is who pinned it and `at` when, where the export tells."""

    ts: str
    by: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SlackBookmark:
    """What a channel keeps at hand; `id` is empty where it is no link to a page."""

    id: str
    title: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class SlackPlace:
    """A conversation; `folder` is where its messages lie.

    Attributes:
        pins: the messages that are pinned in it; `ts` is empty for pinned things that are no message.
        bookmarks: None where the export does not tell, as Slack's own does not.
    """

    id: str
    kind: PlaceKind
    name: str
    folder: str
    purpose: str = ""
    creator: str = ""
    members: tuple[str, ...] = ()
    is_archived: bool = False
    pins: tuple[SlackPin, ...] = ()
    bookmarks: tuple[SlackBookmark, ...] | None = None

    @property
    def is_named(self) -> bool:
        """Channels have names; who talks with whom is told to nobody."""
        return self.kind in ("channel", "private")

    @property
    def said(self) -> str:
        """How the report names it."""
        return f"#{self.name}" if self.is_named else self.id

    def client_key(self, ts: str) -> str:
        """Return the key under which a message of it is stored."""
        return f"slack:{self.id}:{ts}"


@dataclass(frozen=True, slots=True)
class SlackFile:
    """A file at a message: in the archive under its id, or at an address."""

    id: str
    name: str
    address: str
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class SlackMessage:
    """A message of a person or a program.

    Attributes:
        ts: its name in the channel. thread: the `ts` it replies to, or empty.
        author: an id of `users.json`, or `bot:` and what is known of a program.
        is_repaired: its text had what cannot be stored.
        pins: where it is pinned, by the conversation's id.
    """

    ts: str
    at: datetime
    author: str
    author_name: str
    text: str
    thread: str = ""
    edited_at: datetime | None = None
    files: tuple[SlackFile, ...] = ()
    reactions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    is_repaired: bool = field(default=False, compare=False)
    pins: tuple[tuple[str, SlackPin], ...] = ()

    @property
    def order(self) -> tuple[int, int]:
        """Sorts as they were written."""
        return order_of(self.ts)


def read_person(row: Any) -> SlackPerson | None:
    """Return a person, or None for what is none."""
    if not isinstance(row, dict) or not (pk := external_id(row.get("id"))):
        return None
    profile = _dict(row.get("profile"))
    names = (profile.get("real_name"), row.get("real_name"), profile.get("display_name"), row.get("name"), pk)
    return SlackPerson(
        id=pk,
        name=next(name for raw in names if (name := line(raw, 80))),
        address=line(profile.get("email"), 254).lower(),
        is_bot=row.get("is_bot") is True or pk == "USLACKBOT",
        is_guest=row.get("is_restricted") is True or row.get("is_ultra_restricted") is True,
        has_left=row.get("deleted") is True,
        team=external_id(row.get("team_id")),
    )


def read_place(row: Any, kind: PlaceKind) -> SlackPlace | None:
    """Return a conversation, or None for what is none."""
    if not isinstance(row, dict) or not (pk := external_id(row.get("id"))):
        return None
    name = line(row.get("name"), 100)
    if kind != "direct" and not name:
        return None
    purpose = line(_dict(row.get("purpose")).get("value"), 250) or line(
        _dict(row.get("topic")).get("value"), 250
    )
    members = (external_id(one) for one in _list(row.get("members"))[:100_000])
    return SlackPlace(
        id=pk,
        kind=kind,
        name=name,
        folder=pk if kind == "direct" else name,
        purpose=purpose,
        creator=external_id(row.get("creator")),
        members=tuple(dict.fromkeys(one for one in members if one)),
        is_archived=row.get("is_archived") is True,
        pins=tuple(_pin(one) for one in _list(row.get("pins"))[:MOST_PINS]),
        bookmarks=(
            tuple(_bookmark(one) for one in _list(row["bookmarks"])[:MOST_BOOKMARKS])
            if "bookmarks" in row
            else None
        ),
    )


def read_message(row: Any) -> SlackMessage | str:
    """Return a message, or the code that says why it is none."""
    if not isinstance(row, dict):
        return "slack.no_message"
    at = read_time(row.get("ts"))
    if at is None:
        return "slack.time_invalid"
    subtype = row.get("subtype") if isinstance(row.get("subtype"), str) else ""
    if subtype in SYSTEM or subtype == "tombstone":
        return "slack.deleted" if subtype == "tombstone" else "slack.system_message"
    author, author_name = _author(row)
    raw, files = _text(row), tuple(_files(row))
    if not author or not (raw.strip() or files):
        return "slack.empty" if author else "slack.author_missing"
    text = _SURROGATE.sub("\ufffd", raw[:LONGEST_TEXT])
    ts, thread = str(row["ts"]), row.get("thread_ts")
    return SlackMessage(
        ts=ts,
        at=at,
        author=author,
        author_name=author_name,
        text=f"_{text}_" if subtype == "me_message" else text,
        thread=thread if isinstance(thread, str) and _TS.fullmatch(thread) and thread != ts else "",
        edited_at=read_time(_dict(row.get("edited")).get("ts")),
        files=files,
        reactions=tuple(_reactions(row)),
        is_repaired=text != raw,
        pins=tuple(_pinned_to(row, ts)),
    )


def starts_thread(row: Any) -> bool:
    """Return whether replies name this message."""
    return isinstance(row, dict) and row.get("thread_ts") == row.get("ts")


def read_time(ts: Any) -> datetime | None:
    """Return the moment of a `ts`; None for what is none, too long ago or to come."""
    found = _TS.fullmatch(ts) if isinstance(ts, str) else None
    if found is None or int(found[1]) > 4_000_000_000:
        return None
    at = datetime.fromtimestamp(int(found[1]), UTC) + timedelta(microseconds=int(found[2].ljust(6, "0")))
    return at if EARLIEST <= at <= timezone.now() + timedelta(days=1) else None


def order_of(ts: str) -> tuple[int, int]:
    """Return how a valid `ts` sorts."""
    seconds, _, rest = ts.partition(".")
    return int(seconds), int(rest.ljust(6, "0"))


def external_id(value: Any) -> str:
    """Return an id as Slack writes them, or nothing."""
    return value if isinstance(value, str) and _ID.fullmatch(value) else ""


def line(value: Any, limit: int) -> str:
    """Return one printable line of at most this length, or nothing."""
    if not isinstance(value, str):
        return ""
    shown = "".join(char if char.isprintable() else " " for char in value[: limit * 4])
    return " ".join(shown.split())[:limit].strip()


def _author(row: dict[str, Any]) -> tuple[str, str]:
    profile, bot = _dict(row.get("user_profile")), _dict(row.get("bot_profile"))
    if user := external_id(row.get("user")):
        return user, line(profile.get("real_name"), 80) or line(row.get("username"), 80)
    name = line(row.get("username"), 80) or line(bot.get("name"), 80)
    bot_id = external_id(row.get("bot_id"))
    if bot_id or name:
        return f"bot:{bot_id or name[:40]}", name or bot_id
    return "", ""


def _text(row: dict[str, Any]) -> str:
    """Return the text; of programs that wrote none, what their attachments say."""
    text = row.get("text")
    if isinstance(text, str) and text.strip():
        return text
    said: list[str] = []
    for part in _list(row.get("attachments"))[:20]:
        words = [
            value for key in ("pretext", "title", "text") if isinstance(value := _dict(part).get(key), str)
        ]
        fallback = _dict(part).get("fallback")
        said += [word for word in words if word.strip()] or ([fallback] if isinstance(fallback, str) else [])
    return "\n".join(said)


def _files(row: dict[str, Any]) -> list[SlackFile]:
    found = []
    for raw in _list(row.get("files"))[:MOST_FILES]:
        file = _dict(raw)
        pk = external_id(file.get("id"))
        address = file.get("url_private_download") or file.get("url_private")
        if pk:
            found.append(
                SlackFile(
                    id=pk,
                    name=line(file.get("name"), 200) or line(file.get("title"), 200) or pk,
                    address=address if isinstance(address, str) and len(address) <= 2000 else "",
                    is_gone=file.get("mode") in ("tombstone", "hidden_by_limit"),
                )
            )
    return found


def _reactions(row: dict[str, Any]) -> list[tuple[str, tuple[str, ...]]]:
    found = []
    for raw in _list(row.get("reactions"))[:MOST_REACTIONS]:
        name = line(_dict(raw).get("name"), 100)
        users = [external_id(one) for one in _list(_dict(raw).get("users"))[:MOST_PEOPLE]]
        if name and any(users):
            found.append((name, tuple(dict.fromkeys(one for one in users if one))))
    return found


def _pin(row: Any) -> SlackPin:
    """Return a row of a channel's `pins`: its `id` is the message's `ts`, its `owner` who wrote that."""
    pin = _dict(row)
    ts = pin.get("id")
    if read_time(ts) is None:
        return SlackPin("")
    return SlackPin(str(ts), external_id(pin.get("user")), _seconds(pin.get("created")))


def _pinned_to(row: dict[str, Any], ts: str) -> Iterator[tuple[str, SlackPin]]:
    """Yield where a message says it is pinned."""
    told = _dict(row.get("pinned_info"))
    for raw in _list(row.get("pinned_to"))[:MOST_PINS]:
        if place := external_id(raw):
            info = _dict(told.get(place))
            yield place, SlackPin(ts, external_id(info.get("pinned_by")), _seconds(info.get("pinned_ts")))


def _bookmark(row: Any) -> SlackBookmark:
    """Return a bookmark as `bookmarks.list` writes them."""
    bookmark = _dict(row)
    address, pk = bookmark.get("link"), external_id(bookmark.get("id"))
    if not pk or bookmark.get("type", "link") != "link" or not isinstance(address, str):
        return SlackBookmark("")
    return SlackBookmark(pk, line(bookmark.get("title"), 100), address)


def _seconds(value: Any) -> datetime | None:
    """Return the moment of a number of seconds."""
    is_number = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return read_time(f"{value}.0") if is_number else None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
