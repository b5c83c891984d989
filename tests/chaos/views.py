"""A conversation as a device knows it: a snapshot, and what it was told since, by the rules of docs/integrators.md."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(\+00:00|Z)")
_MOVED = frozenset({"message.moved", "message.moved_away", "message.moved_in"})


def instants(value: Any) -> Any:
    """Times in one spelling: PostgreSQL leaves out the last zeros of a second, Python writes them."""
    if isinstance(value, dict):
        return {name: instants(one) for name, one in value.items()}
    if isinstance(value, list):
        return [instants(one) for one in value]
    is_time = isinstance(value, str) and _TIME.fullmatch(value)
    return datetime.fromisoformat(value).isoformat() if is_time else value


@dataclass
class View:
    """What one device shows of one conversation.

    Attributes:
        me: the person, whose own messages are never unread.
        head: number of the last event it was told.
        levels: what the person wants of topics; it may be told before the message that makes one.
        known: what of a message was fetched, up to this number: what is told again of it changes nothing.
        counted_to: number up to which the counts reach.
        is_uncertain: something happened that cannot be counted without asking.
    """

    me: str
    head: int
    messages: dict[str, Json] = field(default_factory=dict)
    known: dict[str, int] = field(default_factory=dict)
    topics: dict[str, Json] = field(default_factory=dict)
    levels: dict[str, str] = field(default_factory=dict)
    members: set[str] = field(default_factory=set)
    preferences: Json = field(default_factory=dict)
    marker: int = 0
    counts: Json = field(default_factory=lambda: {"unread": 0, "counted": 0, "mentions": 0})
    counted_to: int = 0
    is_uncertain: bool = False

    def learn(self, messages: Iterable[Json], up_to: int) -> None:
        """Take fetched messages, which show at least everything up to a number."""
        for message in messages:
            self.messages[message["id"]] = instants(message)
            self.known[message["id"]] = up_to

    def count(self, told: Json) -> None:
        """Take the counts that were asked for."""
        self.marker, self.counted_to = told["last_read_sequence"], told["up_to"]
        self.counts = {name: told[name] for name in ("unread", "counted", "mentions")}
        self.is_uncertain = False

    def take(self, sequence: int, kind: str, told: Json) -> None:
        """Apply the next event."""
        data = instants(told)
        self.head = sequence
        if kind in ("message.sent", "message.moved_in"):
            self._add(data["message"])
        elif kind == "message.moved":
            self._move(sequence, data)
        elif kind == "message.moved_away":
            for pk in data["message_ids"]:
                self.messages.pop(pk, None)
            self.topics.pop(data["topic_gone"], None)
        elif kind == "topic.changed":
            self._change_topic(data)
        elif kind == "member.joined":
            self.members.add(data["principal_id"])
        elif kind == "member.left":
            self.members.discard(data["principal_id"])
        elif kind == "message.restored":
            self.messages[data["message"]["id"]] = data["message"]
        elif (message := self.messages.get(data.get("message_id", ""))) and sequence > self.known.get(
            message["id"], 0
        ):
            change(message, kind, data)
        if sequence > self.counted_to:
            self._count(kind, data)

    def meet(self, topic: Json) -> None:
        """Take a topic that was fetched."""
        self.topics[topic["id"]] = instants({name: topic[name] for name in ("name", "resolved_at")})
        self.levels[topic["id"]] = topic["level"]

    def notice(self, kind: str, data: Json) -> None:
        """Apply what the own stream says of this conversation."""
        if kind == "read.moved":
            self.marker = data["last_read_sequence"]
            if data["counted_to"] < self.head:  # counted before something that is shown already
                self.is_uncertain = True
            else:
                self.counts = {name: data[name] for name in ("unread", "counted", "mentions")}
                self.counted_to, self.is_uncertain = data["counted_to"], False
        elif kind == "conversation.preference_changed":
            self.preferences = {name: data[name] for name in ("is_muted", "is_starred")}
            self.is_uncertain = True
        elif kind == "topic.preference_changed":
            self.levels[data["topic"]] = data["level"]
            self.is_uncertain = True

    def state(self) -> Json:
        """Return everything that a person would compare on two devices.

        Deleted replies are left out: who comes new does not fetch a thread with nothing else in it.
        """
        return {
            "messages": {
                pk: message | {"replies": self._replies(pk)}
                for pk, message in self.messages.items()
                if not (message["thread"] and message["deleted_at"])
            },
            "topics": {pk: topic | {"level": self._level(pk)} for pk, topic in self.topics.items()},
            "members": sorted(self.members),
            "preferences": self.preferences,
            "counts": {"last_read_sequence": self.marker, **self.counts},
        }

    def threads_counted(self) -> dict[str, Json | None]:
        """Return what the server says of the thread below each message, where it was fetched just now."""
        return {pk: message["replies"] for pk, message in self.messages.items()}

    def _add(self, message: Json) -> None:
        self.messages.setdefault(message["id"], message)
        if message["topic"]:
            self._meet(message["topic"])

    def _meet(self, topic: Json) -> None:
        self.topics.setdefault(topic["id"], {"name": topic["name"], "resolved_at": None})

    def _move(self, sequence: int, data: Json) -> None:
        """Messages stand in another topic, replies with the message they answer."""
        for message in self.messages.values():
            root = self.messages.get(message["thread"] or message["id"])
            if root is None or sequence <= self.known.get(message["id"], 0):
                continue
            stands = message["topic"]["id"] if message["topic"] else None
            is_later = stands == data["source"] and data["since"] <= root["sequence"] < sequence
            if root["id"] == data["message_id"] or (data["message_id"] is None and is_later):
                message["topic"] = data["target"]
        if data["target"]:
            self._meet(data["target"])
        if data["is_source_gone"]:
            self.topics.pop(data["source"], None)

    def _change_topic(self, data: Json) -> None:
        if data["topic_id"] in self.topics:
            self.topics[data["topic_id"]] |= {"name": data["name"], "resolved_at": data["resolved_at"]}
        for message in self.messages.values():
            if message["topic"] and message["topic"]["id"] == data["topic_id"]:
                message["topic"] = {"id": data["topic_id"], "name": data["name"]}

    def _count(self, kind: str, data: Json) -> None:
        """Count what can be counted here; what was unread and is something else now, only the server counts."""
        if kind == "message.sent":
            message = data["message"]
            if message["sender"]["id"] != self.me:
                self._count_new(message)
        elif kind in ("message.deleted", "message.restored"):
            pk = data["message_id"] if kind == "message.deleted" else data["message"]["id"]
            message = self.messages.get(pk)
            if message is None or (message["sender"]["id"] != self.me and message["sequence"] > self.marker):
                self.is_uncertain = True
        elif kind in _MOVED or (
            kind == "message.edited" and self.me in (*data["newly_mentioned"], *data["no_longer_mentioned"])
        ):
            self.is_uncertain = True

    def _count_new(self, message: Json) -> None:
        level = self._level(message["topic"]["id"]) if message["topic"] else "default"
        is_silent = self.preferences.get("is_muted", False) and level != "followed"
        self.counts["unread"] += level != "muted"
        self.counts["counted"] += level != "muted" and not is_silent
        self.counts["mentions"] += self.me in message["mentions"]

    def _level(self, topic: str) -> str:
        return self.levels.get(topic, "default")

    def _replies(self, pk: str) -> Json | None:
        """Return the thread below a message, from the replies that are here."""
        replies = [one for one in self.messages.values() if one["thread"] == pk and not one["deleted_at"]]
        if not replies:
            return None
        replies.sort(key=lambda one: one["sequence"])
        latest = {one["sender"]["id"]: one["sequence"] for one in replies}
        return {
            "count": len(replies),
            "last_at": replies[-1]["sent_at"],
            "people": sorted(latest, key=latest.__getitem__),
        }


def change(message: Json, kind: str, data: Json) -> None:
    """Change one message by an event that names it; one that it shows already changes nothing."""
    if kind == "message.edited" and data["version"] > message["version"]:
        message.update({name: data[name] for name in ("body", "html", "version", "mentions", "edited_at")})
    elif kind == "message.deleted" and message["deleted_at"] != data["deleted_at"]:
        message.update(
            body="", html="", mentions=[], card=None, attachments=[], previews=[],
            deleted_at=data["deleted_at"], hidden_at=data["hidden_at"], version=message["version"] + 1,
        )  # fmt: skip
    elif kind == "message.pin_changed":
        message["pinned_at"] = data["pinned_at"]
    elif kind == "reaction.added":
        _react(message["reactions"], data["emoji"], data["principal_id"])
    elif kind == "reaction.removed":
        for one in message["reactions"]:
            if one["emoji"] == data["emoji"] and data["principal_id"] in one["principals"]:
                one["principals"].remove(data["principal_id"])
        message["reactions"] = [one for one in message["reactions"] if one["principals"]]


def _react(reactions: list[Json], emoji: str, principal: str) -> None:
    found = next((one for one in reactions if one["emoji"] == emoji), None)
    if found is None:
        reactions.append({"emoji": emoji, "principals": [principal]})
    elif principal not in found["principals"]:
        found["principals"].append(principal)


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Return where two states differ, in words."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [
            line
            for name in sorted(one.keys() | other.keys())
            for line in differences(one.get(name), other.get(name), f"{path}/{name}")
        ]
    return [] if one == other else [f"{path}: {one!r} and {other!r}"]
