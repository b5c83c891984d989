"""The REST endpoints of sources: what they do, for whom, and with which key."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from apps.accounts.models import Member
from apps.chat.services.conversations import create_channel
from apps.core.models import AuditEntry
from apps.documents.models import Document, Source
from apps.documents.types import SourceState
from tests.documents.sources import Shelf, Synced, added, synced, texts
from tests.factories.accounts import MemberFactory, api_key, principal_of
from tests.factories.runs import work_off

SITE = {"kind": "url", "name": "Site", "settings": {"addresses": ["https://docs.invalid/a"]}}


class Api:
    """A program with a member's key."""

    def __init__(self, member: Member, *, scopes: list[str] | None = None) -> None:
        secret = api_key(member, scopes=scopes).secret
        self._client = Client(headers={"Authorization": f"Bearer {secret}"})

    def __call__(self, method: str, path: str = "", body: object = None) -> Any:
        return self._client.generic(
            method, f"/api/v1/sources/{path}", "" if body is None else _json(body), "application/json"
        )


def _json(body: object) -> str:

    return json.dumps(body)


@pytest.fixture
def api(administrator: Member) -> Api:
    return Api(administrator)


@pytest.fixture
def source(administrator: Member, shelf: Shelf) -> Synced:
    shelf.put("a.txt", b"First words.")
    shelf.put("empty.txt", b"")
    return synced(administrator, shelf)


def test_a_source_is_added_and_read(api: Api, administrator: Member, shelf: Shelf) -> None:
    shelf.put("a.txt", b"First words.")
    answer = api("POST", "", {"kind": "folder", "name": " Handbook ", "settings": {"path": "handbook/"}})
    made = answer.json()
    assert (answer.status_code, answer["Location"]) == (201, f"/api/v1/sources/{made['id']}/")
    assert (made["kind"], made["name"], made["settings"]) == ("folder", "Handbook", {"path": "handbook"})
    assert (made["state"], made["interval"], made["conversation"]) == ("syncing", "daily", None)
    work_off()
    shown = api("GET", f"{made['id']}/").json()
    assert (shown["state"], shown["documents"], shown["unread"]) == ("ready", 1, 0)
    assert shown["run"] is not None
    assert texts() == ["First words."]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"settings": {"addresses": ["http://10.0.0.1/"]}}, "addresses"),
        ({"settings": {"addresses": []}}, "addresses"),
        ({"settings": {"path": "x", "secret": "y"}}, "settings.secret"),
        ({"settings": "x"}, "settings"),
        ({"kind": "mailbox"}, "kind"),
        ({"name": ""}, "name"),
        ({"interval": "often"}, "interval"),
        ({"owner": "x"}, "owner"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_kept(api: Api, change: dict[str, Any], field: str) -> None:
    answer = api("POST", "", {**SITE, **change})
    assert answer.status_code == 400
    assert field in [error["field"] for error in answer.json()["errors"]]
    assert not Source.objects.exists()


def test_refusals_have_their_codes(api: Api, source: Synced) -> None:
    asked = {"kind": "folder", "name": "Handbook", "settings": {"path": "x"}}
    assert api("POST", "", asked).json()["code"] == "documents.source_name_taken"
    assert api("POST", f"{source.id}/confirm/").json()["code"] == "documents.nothing_held"
    assert api("GET", f"{uuid4()}/").json()["code"] == "documents.source_not_found"
    gone = api("PATCH", f"{source.id}/", {"conversation": str(uuid4())})
    assert (gone.status_code, gone.json()["code"]) == (404, "chat.conversation_not_found")


def test_what_is_left_out_of_a_change_stays(
    api: Api, administrator: Member, source: Synced, shelf: Shelf
) -> None:
    channel = create_channel(principal=principal_of(administrator), name="team", is_private=True)
    answer = api("PATCH", f"{source.id}/", {"name": "Manual", "interval": "hourly"})
    assert (answer.status_code, answer.json()["name"]) == (200, "Manual")
    assert (source.row.settings, source.row.conversation_id) == ({"path": "handbook"}, None)
    assert api("PATCH", f"{source.id}/", {"conversation": str(channel)}).json()["state"] == "syncing"
    assert Document.objects.get().conversation_id == channel
    assert api("PATCH", f"{source.id}/", {"is_paused": True}).json()["is_paused"] is True
    assert (source.row.name, source.row.interval, source.row.conversation_id) == ("Manual", "hourly", channel)
    assert api("PATCH", f"{source.id}/", {"conversation": None}).json()["conversation"] is None
    assert Document.objects.get().conversation_id is None


def test_it_is_looked_at_now_and_says_what_was_not_read(api: Api, source: Synced, shelf: Shelf) -> None:
    shelf.put("a.txt", b"Other words.")
    answer = api("POST", f"{source.id}/sync/")
    assert (answer.status_code, answer.json()["state"], answer.json()["run"]) == (
        202,
        "syncing",
        str(source.row.run_id),
    )
    work_off()
    assert texts() == ["Other words."]
    assert api("GET", f"{source.id}/unread/").json()["results"] == [
        {"external_id": "empty.txt", "error_code": "documents.empty", "error": "The file is empty."}
    ]


def test_what_waits_is_confirmed(api: Api, source: Synced, shelf: Shelf) -> None:
    Source.objects.filter(pk=source.id).update(state=SourceState.HELD, held_count=1)
    shelf.take("a.txt")
    assert api("POST", f"{source.id}/confirm/").status_code == 202
    work_off()
    assert (texts(), source.row.state) == ([], "ready")


@pytest.mark.parametrize(("query", "left"), [("", 1), ("?documents=keep", 1), ("?documents=remove", 0)])
def test_it_goes_with_or_without_its_documents(api: Api, source: Synced, query: str, left: int) -> None:
    assert api("DELETE", f"{source.id}/{query}").status_code == 204
    work_off()
    assert (Source.objects.count(), Document.objects.count()) == (0, left)


def test_a_removal_that_is_not_understood_removes_nothing(api: Api, source: Synced) -> None:
    assert api("DELETE", f"{source.id}/?documents=all").status_code == 400
    assert Source.objects.count() == 1


WRITES = [
    ("POST", "", SITE), ("PATCH", "{id}/", {"name": "Mine"}), ("POST", "{id}/sync/", None),
    ("POST", "{id}/confirm/", None), ("DELETE", "{id}/?documents=remove", None),
]  # fmt: skip
READS = ["", "{id}/", "{id}/unread/"]


@pytest.mark.parametrize("role", ["guest", "member", "moderator", "auditor"])
def test_only_administrators_come_in(source: Synced, role: str) -> None:
    other = Api(MemberFactory(organization=source.member.organization, role=role))
    before = Source.objects.values().get()
    asked = [*WRITES, *(("GET", path, None) for path in READS)]
    answers = [other(method, path.format(id=source.id), body) for method, path, body in asked]
    assert {answer.status_code for answer in answers} == {403}
    assert Source.objects.values().get() == before


def test_a_source_of_another_organization_does_not_exist(source: Synced) -> None:
    stranger = Api(MemberFactory(role="owner"))
    before = Source.objects.values().get()
    asked = [one for one in WRITES if one[1]] + [("GET", path, None) for path in READS if path]
    answers = [stranger(method, path.format(id=source.id), body) for method, path, body in asked]
    assert {answer.status_code for answer in answers} == {404}
    assert stranger("GET").json()["results"] == []
    assert Source.objects.values().get() == before


def test_a_key_reads_with_one_scope_and_changes_with_two(source: Synced) -> None:
    reading = Api(source.member, scopes=["admin:read"])
    assert [reading("GET", path.format(id=source.id)).status_code for path in READS] == [200, 200, 200]
    for scopes in (["admin:read"], ["files:write"], ["chat:read", "admin:write"]):
        narrow = Api(source.member, scopes=scopes)
        answers = [narrow(method, path.format(id=source.id), body) for method, path, body in WRITES]
        assert {answer.status_code for answer in answers} == {403}
    whole = Api(source.member, scopes=["admin:read", "files:write"])
    assert whole("PATCH", f"{source.id}/", {"name": "Manual"}).status_code == 200


@pytest.mark.parametrize("number", [1, 20])
def test_the_list_costs_the_same_for_one_and_for_many(
    api: Api,
    administrator: Member,
    shelf: Shelf,
    number: int,
    django_assert_num_queries: Callable[..., Any],
) -> None:
    for at in range(number):
        added(administrator, shelf, name=f"Source {at}")
    api("GET")
    with django_assert_num_queries(4):  # who asks with which key; sources, counts, runs
        found = api("GET").json()["results"]
    assert [row["name"] for row in found] == [f"Source {at}" for at in range(number)]


# Kinds with a password

REPOSITORY = {
    "kind": "git", "name": "Repository", "interval": "manual", "secret": " the token ",
    "settings": {"url": "https://git.invalid/team/handbook/", "username": "reader", "include": ["docs/**"]},
}  # fmt: skip


def test_a_password_goes_in_and_never_out(api: Api) -> None:
    answer = api("POST", "", REPOSITORY)
    made = answer.json()
    assert answer.status_code == 201
    assert made["settings"] == {
        "url": "https://git.invalid/team/handbook", "branch": "", "include": ["docs/**"], "username": "reader",
    }  # fmt: skip
    assert made["has_secret"] is True
    assert Source.objects.get().secret == " the token "
    for path in ("", f"{made['id']}/"):
        assert "the token" not in api("GET", path).content.decode()
    changed = api("PATCH", f"{made['id']}/", {"settings": made["settings"] | {"username": ""}, "secret": ""})
    assert changed.json()["has_secret"] is False
    assert Source.objects.get().secret is None


def test_a_password_is_asked_for_anew_with_another_address(api: Api) -> None:
    made = api("POST", "", REPOSITORY).json()
    settings = made["settings"] | {"url": "https://evil.invalid/team/handbook"}
    answer = api("PATCH", f"{made['id']}/", {"settings": settings})
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["secret"]
    assert Source.objects.get().settings == made["settings"]
    trail = "".join(map(str, AuditEntry.objects.values_list("details", flat=True)))
    assert "the token" not in trail
