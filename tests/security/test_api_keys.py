"""SEC-17: API keys are weak only where they are allowed to be."""

from __future__ import annotations

import subprocess
import threading
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django.test import Client
from django.utils import timezone

from apps.accounts.models import ApiKey, Member
from apps.accounts.selectors.principals import principal_for_key
from apps.accounts.services import api_keys, key_use
from apps.accounts.types import KEY_SCOPES, KeyLimits, Principal
from apps.chat.errors import ConversationNotFound
from apps.chat.services import conversations, messages
from apps.core import tenancy
from tests.conftest import owner_connection
from tests.factories.accounts import MemberFactory, api_key, principal_of
from tests.security.test_answers_match_document import OPERATIONS
from tests.walls import everywhere


def issue(principal: Principal, **values: Any) -> Any:
    usual = {"name": "CI", "scopes": sorted(KEY_SCOPES), "expires_at": timezone.now() + timedelta(days=30)}
    with tenancy.use(principal.organization_id):
        return api_keys.issue_key(principal=principal, **{**usual, **values})


def client(secret: str, **options: Any) -> Client:
    return Client(headers={"Authorization": f"Bearer {secret}"}, raise_request_exception=False, **options)


# What a key must be allowed for each part of the API: for reading, for writing. None: no key may. "": every key may.
NEEDED: dict[str, tuple[str | None, str | None]] = {
    "conversations": ("chat:read", "chat:write"),
    "messages": ("chat:read", "chat:write"),
    "mentions": ("chat:read", "chat:write"),
    "me/sessions": (None, None),
    "me/tokens": (None, None),
    "api-keys": ("keys:write", "keys:write"),
    "roles": ("chat:read", "admin:write"),
    "invitations": ("admin:write", "admin:write"),
    "search": ("search:read", "search:read"),
    "search/policy": ("admin:write", "admin:write"),
    "search/synonyms": ("admin:write", "admin:write"),
    "answers": ("", "ask:write"),
    "members": ("chat:read", "admin:write"),
}
IDS = "00000000-0000-7000-8000-000000000000"


def part_of(path: str) -> str | None:
    plain = path.removeprefix("/api/v1/")
    return next(
        (part for part in sorted(NEEDED, key=len, reverse=True) if plain.startswith(f"{part}/")), None
    )


MATRIX = [
    (method, path)
    for method, path, operation in OPERATIONS
    if part_of(path) is not None and operation.get("security") != [{}]
]


def address(path: str) -> str:
    words = path.split("/")
    return "/".join("1" if word == "{number}" else IDS if word.startswith("{") else word for word in words)


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path"), MATRIX)
def test_a_scope_opens_what_it_names_and_nothing_else(method: str, path: str) -> None:
    """403 where the scope is missing; with it, anything but 401 and 403 (the ids are made up: 404, 400)."""
    reading, writing = NEEDED[part_of(path) or ""]
    needed = reading if method == "get" else writing
    owner = MemberFactory(role="owner")
    for scope in sorted(KEY_SCOPES):
        key = api_key(owner, scopes=[scope])
        answer = client(key.secret).generic(
            method.upper(), address(path), b"{}", content_type="application/json"
        )
        said = (scope, answer.status_code, answer.content[:200])
        if needed is None or (needed and needed != scope):
            assert answer.status_code in (403, 404, 405), said
            assert answer.status_code == 403 or needed is None or method == "delete", said
        else:
            assert answer.status_code not in (401, 403), said
            assert answer.status_code < 500, said


def test_the_matrix_is_large() -> None:
    assert len(MATRIX) * len(KEY_SCOPES) > 300


@pytest.mark.django_db(transaction=True)
def test_a_dump_of_the_database_holds_no_key() -> None:
    member = MemberFactory()
    issued = issue(principal_of(member))
    assert client(issued.secret).get("/api/v1/me/").status_code == 200
    found = 0
    with owner_connection() as connection:
        tables = connection.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        for (table,) in tables:
            for (row,) in connection.execute(f"SELECT to_jsonb(t)::text FROM {table} t").fetchall():
                assert issued.secret[11:] not in str(row), table
                found += issued.prefix in str(row)
    assert found == 1  # the control: the prefix is there, so the walk reads what is stored
    assert len(tables) > 30


@pytest.mark.django_db
def test_a_key_is_in_no_log(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    issued = issue(principal_of(MemberFactory()))
    client(issued.secret).get("/api/v1/me/")
    client(issued.secret).post("/api/v1/messages/", b"{", content_type="application/json")
    Client().get(f"/api/v1/me/?key={issued.secret}")
    records = " ".join(str(vars(record)) for record in caplog.records)
    written = records + caplog.text + "".join(capfd.readouterr())
    assert issued.secret[11:] not in written
    assert "/api/v1/me/" in written  # the control: the requests were logged


@pytest.mark.django_db
@pytest.mark.parametrize("shape", ["?key={}", "?a=1&access_token={}", "?q=x%20{}", "?{}", "?key=%63k_{rest}"])
def test_a_key_in_the_address_is_refused_valid_or_not(shape: str) -> None:
    secret = api_key(MemberFactory()).secret
    where = "/api/v1/me/" + shape.format(secret, rest=secret.removeprefix("ck_"))
    for caller in (Client(), client(secret)):
        answer = caller.get(where)
        assert (answer.status_code, answer.json()["code"]) == (400, "accounts.key_in_address")


@pytest.mark.django_db
def test_words_that_only_look_like_a_prefix_are_not_keys() -> None:
    """The control of the refusal above."""
    caller = client(api_key(MemberFactory()).secret)
    assert caller.get("/api/v1/members/?query=back_end").status_code == 200


@pytest.mark.django_db
def test_a_scanner_can_tell_our_keys() -> None:
    secret = issue(principal_of(MemberFactory())).secret
    assert api_keys.is_key(secret)
    broken = secret[:20] + ("A" if secret[20] != "A" else "B") + secret[21:]
    assert not api_keys.is_key(broken)
    assert client(broken).get("/api/v1/me/").status_code == 401


# --- limits ---


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("networks", "address", "status"),
    [
        ([], "203.0.113.9", 200),
        (["203.0.113.0/24"], "203.0.113.9", 200),
        (["203.0.113.9"], "203.0.113.9", 200),
        (["203.0.113.0/24"], "203.0.114.9", 403),
        (["203.0.113.0/24", "2001:db8::/32"], "2001:db8::7", 200),
        (["203.0.113.0/24"], "::ffff:203.0.113.9", 200),
        (["2001:db8::/32"], "2001:db9::7", 403),
        (["203.0.113.0/24"], "", 403),
        (["203.0.113.0/24"], "unix:", 403),
    ],
)
def test_a_key_is_taken_only_from_its_networks(networks: list[str], address: str, status: int) -> None:
    issued = issue(principal_of(MemberFactory()), limits=KeyLimits(networks=tuple(networks)))
    answer = client(issued.secret).get("/api/v1/me/", REMOTE_ADDR=address)
    assert answer.status_code == status, answer.content
    with everywhere():
        row = ApiKey.objects.get()
    assert (row.last_used_at is not None) == (status == 200)


@pytest.mark.django_db
def test_a_forwarded_address_counts_only_behind_a_trusted_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    issued = issue(principal_of(MemberFactory()), limits=KeyLimits(networks=("203.0.113.0/24",)))
    spoofed = {"REMOTE_ADDR": "198.51.100.1", "HTTP_X_FORWARDED_FOR": "203.0.113.9"}
    assert client(issued.secret).get("/api/v1/me/", **spoofed).status_code == 403
    server = settings.CONFIGURATION.server.model_copy(update={"trusted_proxies": 1})
    monkeypatch.setattr(settings, "CONFIGURATION", replaced(server))
    assert client(issued.secret).get("/api/v1/me/", **spoofed).status_code == 200
    longer = {**spoofed, "HTTP_X_FORWARDED_FOR": "203.0.113.9, 192.0.2.1"}
    assert client(issued.secret).get("/api/v1/me/", **longer).status_code == 403


def replaced(server: Any) -> Any:
    return replace(settings.CONFIGURATION, server=server)


@pytest.fixture
def two_channels(db: None) -> Any:
    """Ada in two private channels with a message each, and the first one's key."""
    ada = MemberFactory(role="owner")
    principal = principal_of(ada)
    with tenancy.use(ada.organization_id):
        mine, other = [
            conversations.create_channel(principal=principal, name=name, is_private=True)
            for name in ("mine", "other")
        ]
        said = [
            messages.send_message(
                principal=principal, conversation_id=channel, body="pineapple", client_key=f"k{number}"
            )
            for number, channel in enumerate((mine, other))
        ]
    key = issue(principal, limits=KeyLimits(conversations=(mine,)))
    return ada, key, (mine, other), said


@pytest.mark.django_db
def test_a_bound_key_reaches_its_conversation_and_nothing_else(two_channels: Any) -> None:
    _ada, key, (mine, other), (own, foreign) = two_channels
    caller = client(key.secret)
    api = "/api/v1"
    listed = caller.get(f"{api}/conversations/").json()["results"]
    assert [row["id"] for row in listed] == [str(mine)]
    assert caller.get(f"{api}/conversations/{mine}/").status_code == 200
    assert caller.get(f"{api}/messages/{own.id}/").status_code == 200
    for path in (f"conversations/{other}/", f"conversations/{other}/members/", f"messages/{foreign.id}/"):
        answer = caller.get(f"{api}/{path}")
        assert answer.status_code == 404, path
        assert "pineapple" not in answer.content.decode()

    bound = principal_for_key(key.secret)

    def send(channel: Any) -> Any:
        with tenancy.use(bound.organization_id):
            return messages.send_message(
                principal=bound, conversation_id=channel, body="hello", client_key=f"s{channel}"
            )

    assert send(mine).sequence
    with pytest.raises(ConversationNotFound):
        send(other)
    for path in ("search/?q=pineapple", "members/", "api-keys/", "roles/", "invitations/"):
        assert caller.get(f"{api}/{path}").status_code == 403, path
    for path in ("runs/", "files/", "answers/", "documents/"):
        answer = caller.get(f"{api}/{path}")
        assert answer.status_code in (403, 404, 405) or answer.json()["results"] == [], path


@pytest.mark.django_db
def test_a_bound_key_makes_no_wider_one_and_nobody_binds_to_what_it_does_not_see(two_channels: Any) -> None:
    ada, _key, (mine, _other), _said = two_channels
    caller = client(api_key(ada).secret)
    stranger = MemberFactory(organization=ada.organization)
    body = {"name": "x", "scopes": ["chat:read"], "expires_at": timezone.now() + timedelta(days=1)}
    made = caller.post(
        "/api/v1/api-keys/", {**body, "conversations": [str(mine)]}, content_type="application/json"
    )
    assert made.status_code == 201, made.content
    foreign = client(api_key(stranger).secret).post(
        "/api/v1/api-keys/", {**body, "conversations": [str(mine)]}, content_type="application/json"
    )
    assert (foreign.status_code, foreign.json()["code"]) == (400, "accounts.conversations_not_known")
    empty = caller.post("/api/v1/api-keys/", {**body, "conversations": []}, content_type="application/json")
    assert empty.status_code == 400


@pytest.mark.django_db
@pytest.mark.parametrize(
    "network", ["203.0.113.0/33", "203.0.113.9/24", "nowhere", "", "203.0.113.0/24; DROP", "1"]
)
def test_a_network_that_is_none_is_refused(network: str) -> None:
    caller = client(api_key(MemberFactory()).secret)
    body = {"name": "x", "scopes": ["chat:read"], "expires_at": timezone.now() + timedelta(days=1)}
    answer = caller.post(
        "/api/v1/api-keys/", {**body, "networks": [network]}, content_type="application/json"
    )
    assert answer.status_code == 400
    with everywhere():
        assert ApiKey.objects.count() == 1


# --- unused ---


@pytest.mark.django_db
def test_an_unused_key_is_suspended_with_notice_and_comes_back() -> None:
    ada = MemberFactory()
    principal = principal_of(ada)
    idle, busy, fresh = [issue(principal, expires_at=timezone.now() + timedelta(days=365)) for _ in range(3)]
    long_ago = timezone.now() - timedelta(days=91)
    with everywhere():
        ApiKey.objects.filter(pk__in=[idle.id, busy.id]).update(created_at=long_ago)
        ApiKey.objects.filter(pk=busy.id).update(last_used_at=timezone.now())
    with tenancy.use(ada.organization_id):
        counts = [
            key_use.suspend_unused(organization_id=ada.organization_id, unused_days=90) for _ in range(2)
        ]
    assert counts == [1, 0]
    states = [client(key.secret).get("/api/v1/me/").status_code for key in (idle, busy, fresh)]
    assert states == [401, 200, 200]
    caller = client(busy.secret)
    shown = caller.get(f"/api/v1/api-keys/{idle.id}/").json()
    assert shown["state"] == "suspended"
    assert caller.post(f"/api/v1/api-keys/{idle.id}/reactivate/").json()["state"] == "active"
    assert (
        caller.post(f"/api/v1/api-keys/{idle.id}/reactivate/").json()["code"] == "accounts.key_not_suspended"
    )
    assert client(idle.secret).get("/api/v1/me/").status_code == 200
    with tenancy.use(ada.organization_id):
        assert key_use.suspend_unused(organization_id=ada.organization_id, unused_days=90) == 0


# --- under load ---


class Load(threading.Thread):
    """Calls with a key, again and again, and remembers each answer with its time."""

    def __init__(self, secret: str) -> None:
        super().__init__()
        self.secret = secret
        self.answers: list[tuple[float, int]] = []
        self.stop = threading.Event()

    def run(self) -> None:
        try:
            while not self.stop.wait(0.02):
                began = time.monotonic()
                status = client(self.secret).get("/api/v1/me/").status_code
                self.answers.append((began, status))
        finally:
            connections.close_all()


@pytest.mark.django_db(transaction=True)
def test_rotation_fails_no_call_and_revocation_holds_at_once() -> None:
    ada: Member = MemberFactory()
    principal = principal_of(ada)
    first = issue(principal)
    load = Load(first.secret)
    load.start()
    while len(load.answers) < 5:
        time.sleep(0.01)
    with tenancy.use(ada.organization_id):
        second = api_keys.rotate_key(principal=principal, key_id=first.id)
    overlap = len(load.answers)
    while len(load.answers) < overlap + 5:
        time.sleep(0.01)
    load.secret = second.secret
    changed = len(load.answers)
    while len(load.answers) < changed + 5:
        time.sleep(0.01)
    assert {status for _at, status in load.answers} == {200}
    with tenancy.use(ada.organization_id):
        api_keys.revoke_key(principal=principal, key_id=second.id)
    revoked_at, before = time.monotonic(), len(load.answers)
    while len(load.answers) < before + 5:
        time.sleep(0.01)
    load.stop.set()
    load.join()
    assert {status for at, status in load.answers if at > revoked_at} == {401}
    assert client(first.secret).get("/api/v1/me/").status_code == 200  # until the overlap is over


def test_no_key_stands_in_the_repository() -> None:
    """A scanner over the working tree finds nothing that is one."""
    listed = subprocess.run(
        ["git", "grep", "-hoE", "c[kr]_[0-9A-Za-z]{57}"], capture_output=True, text=True, check=False
    ).stdout.split()
    assert [text for text in listed if api_keys.is_key(text)] == []
