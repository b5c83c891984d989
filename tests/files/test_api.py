"""The REST endpoints of files, through the whole stack."""

from __future__ import annotations

import errno
import os
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.http import StreamingHttpResponse
from django.test import AsyncClient, Client

from apps.accounts.models import Member
from apps.files.models import FileScope, StoredFile
from apps.files.types import CHUNK_BYTES
from tests.factories.accounts import MemberFactory, ScopeFactory, SeatFactory, api_key
from tests.factories.files import picture, upload

pytestmark = pytest.mark.django_db


class Api:
    """A program with a member's key."""

    def __init__(self, member: Member, scopes: list[str] | None = None) -> None:
        self._client, self._headers = (
            Client(),
            {"Authorization": f"Bearer {api_key(member, scopes=scopes).secret}"},
        )

    def get(self, path: str, **headers: str) -> Any:
        return self._client.get(f"/api/v1/{path}", headers={**self._headers, **headers})

    def delete(self, path: str) -> Any:
        return self._client.delete(f"/api/v1/{path}", headers=self._headers)

    def post(self, path: str, body: object, **headers: str) -> Any:
        return self._client.post(
            f"/api/v1/{path}", body, content_type="application/json", headers={**self._headers, **headers}
        )

    def put(self, path: str, data: bytes, span: str | None) -> Any:
        ranged = {"Content-Range": span} if span else {}
        return self._client.put(
            f"/api/v1/{path}",
            data,
            content_type="application/octet-stream",
            headers={**self._headers, **ranged},
        )


@pytest.fixture
async def closing_thread() -> AsyncIterator[None]:
    """Close the connection of the thread in which the views of an async test ran."""
    yield
    await sync_to_async(connections.close_all)()


@pytest.fixture
def api(member: Member) -> Api:
    return Api(member)


def test_a_file_is_announced_sent_in_parts_and_fetched(api: Api) -> None:
    began = api.post("files/", {"name": "../notes.txt", "size_bytes": 10})
    assert began.status_code == 201
    body = began.json()
    assert (body["name"], body["state"], body["received_bytes"]) == ("notes.txt", "uploading", 0)
    assert body["chunk_bytes"] == CHUNK_BYTES
    content = f"files/{body['id']}/content"
    assert api.put(content, b"hello", "bytes 0-4/10").json()["received_bytes"] == 5
    assert api.get(f"files/{body['id']}/").json()["received_bytes"] == 5
    done = api.put(content, b"world", "bytes 5-9/10").json()
    assert (done["state"], done["media_type"]) == ("ready", "text/plain")
    fetched = api.get(content)
    assert fetched.content == b"helloworld"
    assert fetched["Content-Disposition"] == "attachment; filename*=UTF-8''notes.txt"


def test_a_wrong_offset_is_a_conflict_that_names_the_byte(api: Api) -> None:
    file_id = api.post("files/", {"name": "a.txt", "size_bytes": 10}).json()["id"]
    api.put(f"files/{file_id}/content", b"hello", "bytes 0-4/10")
    refused = api.put(f"files/{file_id}/content", b"hello", "bytes 0-4/10")
    assert refused.status_code == 409
    problem = refused.json()
    assert problem["code"] == "files.wrong_offset"
    assert problem["errors"] == [{"field": "Content-Range", "code": "received_bytes", "detail": "5"}]


@pytest.mark.parametrize(
    "span", [None, "bytes */10", "bytes 0-4", "items 0-4/10", "bytes -1-4/10", "bytes 0-" + "9" * 30]
)
def test_a_part_without_a_readable_range_is_refused(api: Api, span: str | None) -> None:
    file_id = api.post("files/", {"name": "a.txt", "size_bytes": 10}).json()["id"]
    refused = api.put(f"files/{file_id}/content", b"hello", span)
    assert (refused.status_code, refused.json()["code"]) == (400, "files.range_invalid")
    assert StoredFile.objects.get().received_bytes == 0


def test_a_part_above_the_limit_is_refused(api: Api) -> None:
    size = CHUNK_BYTES * 2
    file_id = api.post("files/", {"name": "a.txt", "size_bytes": size}).json()["id"]
    refused = api.put(f"files/{file_id}/content", b"x" * (CHUNK_BYTES + 1), f"bytes 0-{CHUNK_BYTES}/{size}")
    assert (refused.status_code, refused.json()["code"]) == (413, "files.chunk_too_large")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": "a.txt"}, 400, "core.invalid_input"),
        ({"name": "a.txt", "size_bytes": "many"}, 400, "core.invalid_input"),
        ({"name": "a.txt", "size_bytes": -1}, 400, "core.invalid_input"),
        ({"name": "a.txt", "size_bytes": 10, "path": "/etc"}, 400, "core.invalid_input"),
        ({"name": "a.txt", "size_bytes": 0}, 400, "files.empty"),
        ({"name": "a.txt", "size_bytes": 10**12}, 413, "files.too_large"),
        ({"name": "a\x00.txt", "size_bytes": 10}, 400, "core.malformed"),
    ],
)
def test_bad_announcements_are_refused_and_nothing_is_written(
    api: Api, body: dict[str, object], status: int, code: str
) -> None:
    refused = api.post("files/", body)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert not StoredFile.objects.exists()


def test_the_same_announcement_twice_begins_one_upload(api: Api) -> None:
    first, second = (
        api.post("files/", {"name": "a.txt", "size_bytes": 9}, **{"Idempotency-Key": "k1"}) for _ in range(2)
    )
    assert first.json() == second.json()
    assert StoredFile.objects.count() == 1


def test_mislabelled_content_is_refused_with_its_code(api: Api) -> None:
    file_id = api.post("files/", {"name": "page.png", "size_bytes": 6}).json()["id"]
    refused = api.put(f"files/{file_id}/content", b"<html>", "bytes 0-5/6")
    assert (refused.status_code, refused.json()["code"]) == (415, "files.type_mismatch")
    assert api.get(f"files/{file_id}/").json()["failure_code"] == "files.type_mismatch"
    assert api.get(f"files/{file_id}/content").status_code == 404


def test_a_full_disk_is_said_with_its_code_and_the_upload_goes_on_later(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_id = api.post("files/", {"name": "a.txt", "size_bytes": 5}).json()["id"]

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        refused = api.put(f"files/{file_id}/content", b"hello", "bytes 0-4/5")
    assert (refused.status_code, refused.json()["code"]) == (507, "files.storage_full")
    assert StoredFile.objects.get().received_bytes == 0
    assert api.put(f"files/{file_id}/content", b"hello", "bytes 0-4/5").json()["state"] == "ready"


def test_a_foreign_file_is_the_same_as_none(member: Member, api: Api) -> None:
    view = upload(member)
    colleague, stranger = MemberFactory(organization=member.organization), MemberFactory()
    missing = api.get(f"files/{uuid4()}/").json()
    for other in (Api(colleague), Api(stranger)):
        for answer in (
            other.get(f"files/{view.id}/"),
            other.get(f"files/{view.id}/content"),
            other.delete(f"files/{view.id}/"),
        ):
            assert answer.status_code == 404
            assert {**answer.json(), "request_id": ""} == {**missing, "request_id": ""}
        assert other.put(f"files/{view.id}/content", b"x", "bytes 0-0/1").status_code == 404
        assert other.get("files/").json()["results"] == []
    assert StoredFile.objects.filter(pk=view.id).exists()


def test_readers_of_the_scope_fetch_it_and_do_not_delete_it(member: Member) -> None:
    view = upload(member)
    seat = SeatFactory(scope=ScopeFactory(organization=member.organization))
    reader = Api(Member.objects.get(user_id=seat.principal_id))
    assert reader.get(f"files/{view.id}/content").status_code == 404
    FileScope.objects.create(organization_id=member.organization_id, file_id=view.id, scope_id=seat.scope_id)
    assert reader.get(f"files/{view.id}/content").content == b"a note\n"
    assert reader.delete(f"files/{view.id}/").status_code == 404
    assert Api(member).delete(f"files/{view.id}/").json()["code"] == "files.in_use"


def test_deleting_an_own_file_removes_it(member: Member, api: Api) -> None:
    view = upload(member)
    assert api.delete(f"files/{view.id}/").status_code == 204
    assert api.get(f"files/{view.id}/").status_code == 404
    assert not StoredFile.objects.exists()


def test_own_uploads_are_listed_newest_first_in_pages(member: Member, api: Api) -> None:
    views = [upload(member, f"{number}.txt", f"{number}".encode()) for number in range(3)]
    page = api.get("files/?limit=2").json()
    assert [row["id"] for row in page["results"]] == [str(views[2].id), str(views[1].id)]
    rest = api.get(page["next"].partition("/api/v1/")[2]).json()
    assert [row["id"] for row in rest["results"]] == [str(views[0].id)]
    assert rest["next"] is None


def test_visitors_and_narrow_keys_are_refused(member: Member) -> None:
    assert Client().get("/api/v1/files/").status_code == 401
    assert Client().put("/api/v1/files/" + str(uuid4()) + "/content", b"x").status_code == 401
    narrow = Api(member, scopes=["chat:read"])
    assert narrow.post("files/", {"name": "a.txt", "size_bytes": 5}).status_code == 403
    assert not StoredFile.objects.exists()


@pytest.mark.parametrize(
    ("asked", "status", "content", "answered"),
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=4-", 206, b"456789", "bytes 4-9/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
        ("bytes=0-9", 200, b"0123456789", None),
        ("bytes=0-1,4-5", 200, b"0123456789", None),
        ("lines=0-1", 200, b"0123456789", None),
        ("bytes=-", 200, b"0123456789", None),
        ("bytes=10-", 416, b"", "bytes */10"),
        ("bytes=5-2", 416, b"", "bytes */10"),
        ("bytes=-0", 416, b"", "bytes */10"),
    ],
)
def test_ranges(  # noqa: PLR0917 - a table
    member: Member, api: Api, asked: str, status: int, content: bytes, answered: str | None
) -> None:
    view = upload(member, "digits.txt", b"0123456789")
    answer = api.get(f"files/{view.id}/content", Range=asked)
    assert (answer.status_code, answer.content, answer.get("Content-Range")) == (status, content, answered)


def test_a_reader_who_has_it_gets_no_bytes(member: Member, api: Api) -> None:
    view = upload(member, "a.png", picture())
    first = api.get(f"files/{view.id}/content")
    assert first["Cache-Control"] == "private, no-cache"
    again = api.get(f"files/{view.id}/content", **{"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.django_db(transaction=True)
async def test_the_answer_to_a_large_file_is_streamed(closing_thread: None) -> None:
    data = b"0123456789abcdef" * 200_000
    member = await sync_to_async(MemberFactory)()
    view = await sync_to_async(upload)(member, "large.txt", data)
    key = await sync_to_async(api_key)(member)
    answer = await AsyncClient().get(
        f"/api/v1/files/{view.id}/content", headers={"Authorization": f"Bearer {key.secret}"}
    )
    assert answer["Content-Length"] == str(len(data))
    assert isinstance(answer, StreamingHttpResponse)
    blocks = [block async for block in answer]  # type: ignore[attr-defined]  # an async iterable here
    assert b"".join(blocks) == data
    assert len(blocks) > 1
