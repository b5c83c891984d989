"""The AsyncAPI document of the socket, made from the same classes that parse and send the frames."""

from __future__ import annotations

import dataclasses
from typing import Any

from pydantic import TypeAdapter

from apps.chat.frames import FRAMES
from apps.core.events.types import Audience, DomainEvent, registered

_UUID = {"type": "string", "format": "uuid"}
_NULLABLE_UUID = {"type": ["string", "null"], "format": "uuid"}
_TEXT = {"type": "string"}
_NUMBER = {"type": "integer", "minimum": 0}
_OWN_FIELDS = {"organization_id", "stream_id", "scope_id", "actor_id", "sequence", "recorded_at"}

# What the server sends, besides events: name -> (summary, properties, required).
SERVER_FRAMES: dict[str, tuple[str, dict[str, Any], list[str]]] = {
    "hello": (
        "First frame: who you are, the head of your own stream and of each of your conversations. Compare and resume.",
        {
            "connection": _TEXT, "principal": _UUID, "member": _UUID, "organization": _UUID, "sequence": _NUMBER,
            "conversations": {"type": "object", "additionalProperties": _NUMBER}, "heartbeat_seconds": _NUMBER,
        },
        ["connection", "principal", "member", "organization", "sequence", "conversations", "heartbeat_seconds"],
    ),
    "ack": (
        "Your `send` is committed.",
        {
            "ref": _TEXT, "conversation": _UUID, "message": _UUID, "sequence": _NUMBER, "client_key": _TEXT,
            "repeated": {"type": "boolean"},
        },
        ["ref", "conversation", "message", "sequence", "client_key", "repeated"],
    ),
    "error": (
        "A frame of yours was refused; the code is stable, the text translated.",
        {"ref": _TEXT, "code": _TEXT, "detail": _TEXT, "retry_after_seconds": _NUMBER},
        ["ref", "code", "detail"],
    ),
    "ephemeral": (
        "Typing, presence (`online`, `away`, `undisturbed`, `offline`) and words of a status (or null); may be lost.",
        {
            "conversation": _NULLABLE_UUID, "type": {"enum": ["typing", "presence", "status", "run"]},
            "data": {"type": "object"},
        },
        ["conversation", "type", "data"],
    ),
    "stream": (
        "A part of a run's output, in the order of its ids; one you have may come again.",
        {"run": _UUID, "id": _NUMBER, "type": _TEXT, "data": {"type": "object"}},
        ["run", "id", "type", "data"],
    ),
    "following": (
        "Your `follow` was heard: what comes of this run from here on goes on after that id, and nothing is left out.",
        {"ref": _TEXT, "run": _UUID, "after": _NUMBER},
        ["ref", "run", "after"],
    ),
    "resync": (
        "Too far behind, or the server lost its own thread: load the conversation again, or compare all when null.",
        {"conversation": _NULLABLE_UUID},
        [],
    ),
    "marked": (
        "Your `read` is committed: where the marker is now, further on where another device had read more.",
        {"ref": _TEXT, "conversation": _UUID, "last_read_sequence": _NUMBER},
        ["ref", "conversation", "last_read_sequence"],
    ),
    "resumed": ("Everything asked for by `resume` was sent.", {"ref": _TEXT}, ["ref"]),
    "pong": ("Answer to `ping`.", {"ref": _TEXT}, ["ref"]),
}  # fmt: skip
CLOSE_CODES = {
    1007: "A text frame was not UTF-8.",
    1008: "Too many frames, pings or fragments.",
    1009: "The frame was too big.",
    1012: "The server restarts: come back with your sequences.",
    4400: "Too many frames that are not valid.",
    4401: "Not signed in, or the session, key or membership ended.",
    4408: "The client read too slowly: come back with your sequences.",
    4429: "Too many sockets of one principal.",
}


def document(*, url: str) -> dict[str, Any]:
    """Return the AsyncAPI 3.0 document as JSON-able data."""
    events = [cls for cls in registered().values() if cls.audience is not Audience.NOBODY]
    server = {name: _server_frame(name, *parts) for name, parts in SERVER_FRAMES.items()}
    server |= {cls.type: _event_frame(cls) for cls in sorted(events, key=lambda cls: cls.type)}
    client = {f"client.{name}": _client_frame(name, cls) for name, cls in FRAMES.items()}
    messages = server | client
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "chatsystem socket",
            "version": "1",
            "description": "One socket per client, bound to one organization. A gap in a conversation's sequence "
            "means: send `resume`. Close codes: "
            + " ".join(f"{code}: {text}" for code, text in CLOSE_CODES.items()),
        },
        "servers": {"this": {"host": url.partition("://")[2], "protocol": url.partition("://")[0]}},
        "channels": {
            "client": {
                "address": "/ws/v1/",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
            }
        },
        "operations": {
            "receive": _operation("receive", client),
            "send": _operation("send", server),
        },
        "components": {"messages": messages},
    }


def _operation(action: str, messages: dict[str, Any]) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": "#/channels/client"},
        "messages": [{"$ref": f"#/channels/client/messages/{name}"} for name in messages],
    }


def _server_frame(name: str, summary: str, properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return _message(name, summary, {"frame": {"const": name}, **properties}, ["frame", *required])


def _client_frame(name: str, cls: type[Any]) -> dict[str, Any]:
    schema = cls.model_json_schema()
    properties = {"frame": {"const": name}, **schema["properties"]}
    return _message(name, (cls.__doc__ or "").strip(), properties, ["frame", *schema.get("required", [])])


def _event_frame(cls: type[DomainEvent]) -> dict[str, Any]:
    fields = {f.name for f in dataclasses.fields(cls) if f.name not in _OWN_FIELDS}
    adapter = TypeAdapter(cls).json_schema()
    data = {
        "type": "object",
        "properties": {name: adapter["properties"][name] for name in fields},
        "required": sorted(fields),
    }
    head: dict[str, Any] = {"sequence": _NUMBER, "type": {"const": cls.type}, "data": data}
    if cls.audience is Audience.CONVERSATION:
        head = {"frame": {"const": "event"}, "conversation": _UUID, **head}
    else:
        head = {"frame": {"const": "notice"}, **head}
    summary = (cls.__doc__ or "").strip().partition("\n")[0]
    return _message(cls.type, summary, head, list(head))


def _message(name: str, summary: str, properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {
        "name": name,
        "summary": summary,
        "payload": {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        },
    }
