"""Goes through doors as somebody, and sees whether anything leaks, changes or breaks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from weakref import WeakKeyDictionary

import orjson
from django.db import connection, transaction
from django.http import StreamingHttpResponse
from django.test import Client
from django.utils import timezone

from apps.core.walls import walled_tables
from tests.notify.test_web_push import BROWSER_POINT, SECRET
from tests.security.doors import Door, body_schema, example
from tests.security.realm import Realm, forget_limits
from tests.walls import everywhere

FORM = "application/x-www-form-urlencoded"
# What changes by being looked at, and the trail of refusals.
VOLATILE = ("last_used_at", "last_used_address", "last_seen_at", "updated_at")
UNWATCHED = {"core_auditentry", "core_auditchain", "accounts_refreshtoken"}
BESIDE = ("accounts_user", "accounts_organization", "core_featureflag", "accounts_signinlink")

# Bodies that the document's smallest example does not make, so that the door is reached and not only its form.
JSON_BODIES: Mapping[str, Any] = {
    "PATCH /api/v1/me/": {"title": "x"},
    "POST /api/v1/roles/": {"key": "fresh", "name": "Fresh", "permissions": ["message.send"]},
    "PATCH /api/v1/roles/{role_id}/": {"name": "Other"},
    "PATCH /api/v1/members/{member_id}/": {"role": "member"},
    "PATCH /api/v1/organizations/{organization_id}/": {"name": "Other"},
    "POST /api/v1/invitations/": {"email": "fresh@example.org"},
    "POST /api/v1/conversations/": {"kind": "channel", "name": "fresh"},
    "PATCH /api/v1/conversations/{conversation_id}/": {"description": "x"},
    "PUT /api/v1/conversations/{conversation_id}/read/": {"sequence": 1},
    "PUT /api/v1/conversations/{conversation_id}/draft/": {"body": "half"},
    "POST /api/v1/conversations/{conversation_id}/members/": {"people": ["{person_id}"]},
    "POST /api/v1/conversations/{conversation_id}/messages/": {"body": "x", "client_key": "crawl"},
    "PATCH /api/v1/conversations/{conversation_id}/topics/{topic_id}/": {"name": "other topic"},
    "POST /api/v1/conversations/{conversation_id}/topics/{topic_id}/merge/": {"into": "{other_topic_id}"},
    "POST /api/v1/messages/{message_id}/move/": {"topic": "elsewhere"},
    "POST /api/v1/groups/": {"name": "fresh group"},
    "PATCH /api/v1/groups/{group_id}/": {"description": "other"},
    "POST /api/v1/groups/{group_id}/members/": {"people": ["{person_id}"]},
    "PATCH /api/v1/messages/{message_id}/": {"body": "other"},
    "POST /api/v1/messages/{message_id}/reactions/": {"emoji": "👍"},
    "DELETE /api/v1/messages/{message_id}/reactions/": {"emoji": "👍"},
    "PUT /api/v1/message-policy/": {"link_previews": False},
    "POST /api/v1/conversations/{conversation_id}/polls/": {
        "question": "Where?",
        "options": ["Here", "There"],
        "client_key": "crawl-poll",
    },
    "PUT /api/v1/messages/{message_id}/votes/": {"options": [0]},
    "POST /api/v1/conversations/{conversation_id}/commands/": {
        "line": "/me waves",
        "client_key": "crawl-command",
    },
    "POST /api/v1/emoji/": {"code": "fresh", "file": "{file_id}"},
    "POST /api/v1/scheduled/": {"conversation": "{conversation_id}", "body": "x", "send_at": "{soon}"},
    "PATCH /api/v1/scheduled/{scheduled_id}/": {"body": "other"},
    "POST /api/v1/reminders/": {"due_at": "{soon}"},
    "PATCH /api/v1/reminders/{reminder_id}/": {"note": "other"},
    "PUT /api/v1/messages/{message_id}/pin/": {"is_pinned": True},
    "PUT /api/v1/messages/{message_id}/saved/": {"is_saved": True},
    "POST /api/v1/messages/{message_id}/forward/": {
        "conversation": "{conversation_id}",
        "client_key": "crawl-copy",
    },
    "POST /api/v1/conversations/{conversation_id}/bookmarks/": {"url": "https://example.org/"},
    "PUT /api/v1/messages/{message_id}/follow/": {"is_followed": True},
    "PUT /api/v1/messages/{message_id}/thread-read/": {"sequence": 9},
    "POST /api/v1/messages/{message_id}/report/": {"reason": "spam"},
    "POST /api/v1/reports/{report_id}/decision/": {"decision": "dismissed"},
    "POST /api/v1/retention/rules/": {"days": 30_000},
    "POST /api/v1/imports/": {"file": "{file_id}"},
    "POST /api/v1/exports/": {"kind": "conversation", "target": "{conversation_id}"},
    "POST /api/v1/documents/": {"file": "{file_id}"},
    "PATCH /api/v1/documents/{document_id}/": {"title": "crawled"},
    "POST /api/v1/documents/{document_id}/replace/": {"file": "{file_id}"},
    "POST /api/v1/sources/": {
        "kind": "url",
        "name": "crawled",
        "settings": {"addresses": ["https://docs.invalid/crawled"]},
        "interval": "manual",
    },
    "PATCH /api/v1/sources/{source_id}/": {"name": "crawled along"},
    "POST /api/v1/files/": {"name": "a.txt", "size_bytes": 3},
    "POST /api/v1/ask/": {"question": "When is the crane oiled?"},
    "POST /api/v1/privacy/requests/": {"kind": "export"},
    "POST /api/v1/oauth-clients/": {
        "name": "Weather",
        "is_confidential": True,
        "redirect_uris": ["https://weather.example.org/back"],
    },
    "PATCH /api/v1/oauth-clients/{client_id}/": {"name": "Other weather"},
    "POST /api/v1/access/scoped-roles/": {
        "object": "conversation:{conversation_id}",
        "member_id": "{newcomer_id}",
        "role": "moderator",
    },
    "POST /api/v1/access/object-rights/": {
        "object": "conversation:{conversation_id}",
        "member_id": "{newcomer_id}",
        "permission": "message.moderate",
        "reason": "x",
        "days": 1,
    },
    "POST /api/v1/me/notifications/": {"state": "seen"},
    "PATCH /api/v1/me/notification-preferences/": {"mail": "daily"},
    "PUT /api/v1/me/notification-preferences/levels/": {
        "place": "conversation:{conversation_id}",
        "level": "all",
    },
    "POST /api/v1/me/notification-preferences/keywords/": {"word": "crane"},
    "DELETE /api/v1/me/notification-preferences/keywords/": {"word": "crane"},
    "POST /api/v1/me/push-subscriptions/": {
        "endpoint": "https://push.example/crawl",
        "public_key": BROWSER_POINT,
        "secret": SECRET,
    },
    "PATCH /api/v1/notification-defaults/": {"mail": "daily"},
    "PUT /api/v1/me/status/": {"text": "crawling"},
    "PUT /api/v1/me/status/sharing/": {"shows_presence": True, "shows_typing": False},
    "PUT /api/v1/presence-rules/": {"shows_presence": True, "shows_typing": False},
    "PATCH /api/v1/second-factor-policy/": {"policy": "nobody"},
    "PUT /api/v1/search/{search_id}/hits/{number}/thumb/": {"is_good": True},
    "PUT /api/v1/search/policy/": {"other_words": False},
    "POST /api/v1/search/synonyms/": {"terms": ["crawled", "crept"]},
    "PATCH /api/v1/search/synonyms/{set_id}/": {"terms": ["crawled along", "crept along"]},
    "POST /api/v1/service-accounts/": {"name": "Importer", "role": "guest"},
    "POST /api/v1/api-keys/": {"name": "x", "scopes": ["chat:read"], "expires_at": "{soon}"},
    "POST /api/v1/api-keys/{key_id}/rotate/": {"overlap_hours": 1},
}
FORMS: Mapping[str, Mapping[str, Any]] = {
    "/o/{slug}/c/{conversation_id}/send/": {"body": "x", "client_key": "crawl-page"},
    "/o/{slug}/c/{conversation_id}/draft/": {"body": "half"},
    "/o/{slug}/c/{conversation_id}/about/": {"name": "renamed", "description": "x"},
    "/o/{slug}/c/{conversation_id}/archive/": {"archived": "1"},
    "/o/{slug}/c/{conversation_id}/preferences/": {"is_starred": "1"},
    "/o/{slug}/c/{conversation_id}/topics/{topic_id}/": {"name": "other topic"},
    "/o/{slug}/c/{conversation_id}/topics/{topic_id}/resolve/": {"resolved": "1"},
    "/o/{slug}/c/{conversation_id}/topics/{topic_id}/level/": {"level": "muted"},
    "/o/{slug}/c/{conversation_id}/topics/{topic_id}/merge/": {"into": "{other_topic_id}"},
    "/o/{slug}/c/{conversation_id}/m/{message_id}/move/": {
        "span": "message",
        "conversation": "{conversation_id}",
        "topic": "elsewhere",
    },
    "/o/{slug}/c/{conversation_id}/convert/": {"name": "fresh"},
    "/o/{slug}/c/{conversation_id}/roles/": {"whose": "person:{member_id}", "role": "moderator"},
    "/o/{slug}/console/groups/new/": {"name": "fresh group"},
    "/o/{slug}/console/groups/{group_id}/": {"name": "other group", "description": "x"},
    "/o/{slug}/search/{search_id}/hits/{number}/thumb/": {"good": "1"},
    "/o/{slug}/console/search/other-words/": {"other_words": "0"},
    "/o/{slug}/console/search/synonyms/new/": {"terms": "crawled, crept"},
    "/o/{slug}/console/search/synonyms/{set_id}/": {"terms": "crawled along, crept along"},
    "/o/{slug}/console/people/{member_id}/expiry/": {"expires_at": ""},
    "/o/{slug}/c/{conversation_id}/m/{message_id}/edit/": {"body": "other", "version": "2"},
    "/o/{slug}/c/{conversation_id}/m/{message_id}/react/": {"emoji": "👍"},
    "/o/{slug}/notifications/{notification_id}/mark/": {"state": "read"},
    "/o/{slug}/settings/notifications/level/": {"place": "conversation:x", "level": "all"},
    "/o/{slug}/settings/notifications/keywords/": {"word": "crawl"},
    "/o/{slug}/c/{conversation_id}/command/": {"line": "/me waves", "client_key": "crawl-command-page"},
    "/o/{slug}/c/{conversation_id}/m/{message_id}/vote/": {"option": "0"},
    "/o/{slug}/c/{conversation_id}/schedule/": {"body": "x", "send_at": "{minute}"},
    "/o/{slug}/scheduled/{scheduled_id}/": {"body": "other", "send_at": "{minute}"},
    "/o/{slug}/c/{conversation_id}/m/{message_id}/remind/": {"due_at": "{minute}"},
    "/o/{slug}/reminders/{reminder_id}/": {"due_at": "{minute}", "note": "other"},
    "/o/{slug}/c/{conversation_id}/bookmarks/": {"url": "https://example.org/"},
    "/o/{slug}/c/{conversation_id}/m/{message_id}/pin/": {"is_pinned": "1"},
    "/o/{slug}/c/{conversation_id}/m/{message_id}/save/": {"is_saved": "1"},
    "/o/{slug}/c/{conversation_id}/m/{message_id}/forward/": {
        "conversation": "{conversation_id}",
        "client_key": "01890000-0000-7000-8000-000000000000",
    },
    "/o/{slug}/c/{conversation_id}/t/{message_id}/follow/": {"is_followed": "1"},
    "/o/{slug}/c/{conversation_id}/read/": {"sequence": "9"},
    "/o/{slug}/c/{conversation_id}/t/{message_id}/read/": {"sequence": "9"},
    "/o/{slug}/c/{conversation_id}/m/{message_id}/report/": {"reason": "spam"},
    "/o/{slug}/console/reports/{report_id}/decide/": {"decision": "dismissed"},
    "/o/{slug}/reports/{report_id}/decide/": {"decision": "dismissed"},
    "/o/{slug}/console/retention/new/": {"place": "", "days": "30000", "confirmed": "1"},
    "/o/{slug}/console/sources/addresses/new/": {
        "name": "fresh source",
        "addresses": "https://docs.invalid/fresh",
        "interval": "manual",
    },
    "/o/{slug}/console/sources/git/new/": {
        "name": "fresh repository",
        "url": "https://git.invalid/team/fresh",
        "interval": "manual",
    },
    "/o/{slug}/console/sources/bucket/new/": {
        "name": "fresh bucket",
        "bucket": "fresh-bucket",
        "interval": "manual",
    },
    "/o/{slug}/console/sources/mailbox/new/": {
        "name": "fresh mailbox",
        "host": "imap.invalid",
        "security": "tls",
        "port": "993",
        "username": "crawler",
        "secret": "x",
        "interval": "manual",
    },
    "/o/{slug}/console/sources/{source_id}/change/": {
        "name": "other source",
        "addresses": "https://docs.invalid/other",
        "interval": "manual",
    },
    "/o/{slug}/console/sources/{source_id}/pause/": {"paused": "1"},
    "/o/{slug}/console/sources/{source_id}/remove/": {"documents": "keep"},
    "/o/{slug}/console/imports/check/": {"file": "{file_id}"},
    "/o/{slug}/documents/{document_id}/change/": {"title": "crawled"},
    "/o/{slug}/documents/{document_id}/replace/": {"file": "{file_id}"},
    "/o/{slug}/console/documents/{document_id}/change/": {"title": "crawled"},
    "/o/{slug}/console/documents/{document_id}/replace/": {"file": "{file_id}"},
    "/o/{slug}/exports/": {"kind": "conversation", "target": "{conversation_id}"},
    "/o/{slug}/console/people/{member_id}/role/": {"role": "member"},
    "/o/{slug}/console/people/{member_id}/view/": {"reason": "crawl"},
    "/o/{slug}/console/conversations/{conversation_id}/class/": {"data_class": "confidential"},
    "/o/{slug}/console/people/{member_id}/active/": {"active": "0"},
    "/o/{slug}/console/roles/{role_id}/": {"name": "Other", "permissions": ["message.send"]},
    "/o/{slug}/console/keys/accounts/{member_id}/key/": {"name": "x", "scopes": ["chat:read"], "days": "3"},
    "/o/{slug}/console/conversations/{conversation_id}/archive/": {"archived": "1"},
    "/o/{slug}/console/status/given-up/{letter_id}/": {"action": "dismiss"},
}
_BRACES = re.compile(r"{(\w+)}")
_AGAIN = re.compile(r'name="version" value="(\d+)"')


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    text: str
    headers: str
    location: str
    media_type: str

    @property
    def is_refusal(self) -> bool:
        return self.status in (403, 404)

    @property
    def sends_to_sign_in(self) -> bool:
        return self.status == 401 or (self.status == 302 and "/accounts/login/" in self.location)


@dataclass
class Found:
    """What went wrong, by kind."""

    calls: int = 0
    statuses: list[str] = field(default_factory=list)
    leaks: list[str] = field(default_factory=list)
    effects: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def everything(self) -> list[str]:
        return [*self.leaks, *self.effects, *self.faults, *self.statuses]


def fill(value: Any, realm: Realm, path: str = "") -> Any:
    """Put a realm's ids into the braces of a body."""
    if isinstance(value, str):
        soon = (timezone.now() + timedelta(days=2)).isoformat()
        times = {"soon": soon, "minute": soon[:16]}
        return _BRACES.sub(lambda found: times.get(found[1]) or str(realm.id_for(path, found[1])), value)
    if isinstance(value, Mapping):
        return {name: fill(part, realm, path) for name, part in value.items()}
    return [fill(part, realm, path) for part in value] if isinstance(value, list) else value


def body_of(door: Door, realm: Realm) -> Any:
    """Return a body the door takes, about the realm's objects."""
    named = fill(JSON_BODIES.get(door.name), realm, door.path)
    if named is not None:
        return named
    schema = body_schema(door)
    return None if schema is None else example(schema)


def address(door: Door, realm: Realm, **ids: Any) -> str:
    """Return the door's address with a realm's ids, or those given."""
    values = {name: ids.get(name, realm.id_for(door.path, name)) for name in door.parameters}
    return door.path.format(**values)


def call(client: Client, door: Door, where: str, realm: Realm, *, body: Any = ..., **headers: str) -> Answer:
    """Go through a door once, and read all that comes back."""
    forget_limits()
    if door.kind == "api":
        return _read(_api(client, door, where, body_of(door, realm) if body is ... else body, headers))
    if door.method == "POST":
        form = fill(FORMS.get(door.path, {}), realm, door.path) if body is ... else body
        return _read(client.post(where, form, headers=headers))
    return _read(client.get(where, headers=headers))


def _api(client: Client, door: Door, where: str, body: Any, headers: dict[str, str]) -> Any:
    if door.path.endswith("/content") and door.method == "PUT":
        headers = {"Content-Range": "bytes 0-2/3", **headers}
        return client.put(where, b"abc", content_type="application/octet-stream", headers=headers)
    sent = b"" if body is None else orjson.dumps(body)
    return client.generic(door.method, where, sent, content_type="application/json", headers=headers)


def _read(response: Any) -> Answer:
    if isinstance(response, StreamingHttpResponse):
        content = b"" if response.is_async else b"".join(response.streaming_content)
    else:
        content = response.content
    return Answer(
        status=response.status_code,
        text=content.decode("utf-8", "replace"),
        headers="\n".join(f"{name}: {value}" for name, value in response.headers.items()),
        location=response.headers.get("Location", ""),
        media_type=response.headers.get("Content-Type", "").partition(";")[0],
    )


def leaked(answer: Answer, realm: Realm, asked: str, *, only: Sequence[str] | None = None) -> list[str]:
    """Return what an answer says of the realm that the question did not; of some ids `only`, where others are open."""
    said, known = f"{answer.text}\n{answer.headers}".lower(), asked.lower()
    secrets = realm.secrets() if only is None else {str(realm.ids[name]) for name in only}
    return [secret for secret in secrets if secret in said and secret not in known]


def nothing(found: Sequence[str], *, most: int = 30) -> None:
    """Fail with all that was found, each on a line."""
    assert not found, f"{len(found)} found:\n" + "\n".join(found[:most])


_looks: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()


def fingerprint(realm: Realm) -> dict[str, str]:
    """Return a hash of every table's rows of an organization, and of the few tables that belong to nobody.

    Planning it takes longer than looking, so that each connection keeps the plan.
    """
    connection.ensure_connection()
    prepared, name = _looks.setdefault(connection.connection, set()), f"look_{realm.organization.pk.hex}"
    with everywhere(), connection.cursor() as cursor:
        if name not in prepared:
            cursor.execute(f"PREPARE {name} AS {_look(str(realm.organization.pk))}")
            prepared.add(name)
        cursor.execute(f"EXECUTE {name}")
        return dict(cursor.fetchall())


def _look(organization: str) -> str:
    volatile = ", ".join(f"'{name}'" for name in VOLATILE)
    row = f"md5((to_jsonb(t) - ARRAY[{volatile}])::text)"
    hashed = f"md5(coalesce(string_agg({row}, '' ORDER BY {row}), ''))"
    parts = [
        f"SELECT '{table}', {hashed} FROM {table} t WHERE organization_id = '{organization}'"
        for table in sorted(walled_tables() - UNWATCHED)
    ]
    parts += [f"SELECT '{table}', {hashed} FROM {table} t" for table in BESIDE]
    return " UNION ALL ".join(parts)


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    return sorted(table for table in before if before[table] != after[table])


@contextmanager
def undone() -> Iterator[None]:
    """Roll back what happens inside, as far as this connection did it."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
