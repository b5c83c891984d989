"""The REST endpoints of documents, and the picture of a page."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import Image

from apps.accounts.models import Member
from apps.documents.models import Document
from tests.accounts.sessions import open_session
from tests.documents import samples
from tests.documents.scans import with_scan
from tests.documents.sources import Shelf, synced
from tests.factories.accounts import MemberFactory, api_key
from tests.factories.documents import read_document
from tests.factories.files import archive, upload
from tests.factories.runs import work_off


class Api:
    """A program with a member's key."""

    def __init__(self, member: Member, scopes: Sequence[str] = ()) -> None:
        key = api_key(member, scopes=list(scopes)) if scopes else api_key(member)
        self._client, self._headers = Client(), {"Authorization": f"Bearer {key.secret}"}

    def get(self, path: str) -> Any:
        return self._client.get(f"/api/v1/{path}", headers=self._headers)

    def delete(self, path: str) -> Any:
        return self._client.delete(f"/api/v1/{path}", headers=self._headers)

    def post(self, path: str, body: object) -> Any:
        return self._send(self._client.post, path, body)

    def patch(self, path: str, body: object) -> Any:
        return self._send(self._client.patch, path, body)

    def _send(self, method: Callable[..., Any], path: str, body: object) -> Any:
        return method(f"/api/v1/{path}", body, content_type="application/json", headers=self._headers)


@pytest.fixture
def api(member: Member) -> Api:
    return Api(member)


def test_a_file_becomes_a_document_whose_pages_are_read(member: Member, api: Api) -> None:
    file = upload(member, "plan.pdf", with_scan("One.", None))
    made = api.post("documents/", {"file": str(file.id), "title": "The plan"})
    assert made.status_code == 201
    work_off()
    body = api.get(f"documents/{made.json()['id']}/").json()
    assert (body["title"], body["state"], body["percent"]) == ("The plan", "ready", 100)
    assert body["pages"] == [
        {"number": 1, "state": "parsed", "error_code": "", "error": ""},
        {
            "number": 2,
            "state": "failed",
            "error_code": "documents.no_text",
            "error": "There is no text on this page.",
        },
    ]
    page = api.get(f"documents/{body['id']}/pages/1/").json()
    assert page["text"] == "One."
    assert page["blocks"] == [{"kind": "paragraph", "level": 0, "char_start": 0, "char_end": 4}]
    assert api.post(f"documents/{body['id']}/retry/", {}).json()["state"] == "ready"
    assert [row["id"] for row in api.get("documents/?state=ready").json()["results"]] == [body["id"]]
    assert [row["kind"] for row in api.get("documents/?kind=pdf").json()["results"]] == ["pdf"]
    assert api.get("documents/?kind=word").json()["results"] == []
    assert api.get("documents/?kind=exe").status_code == 400


def test_a_list_says_how_large_files_are_and_where_they_come_from(
    administrator: Member, shelf: Shelf, django_assert_max_num_queries: Any
) -> None:
    shelf.put("manual.md", b"# Manual\n")
    synced(administrator, shelf)
    own = read_document(administrator, "plan.txt", b"One.")
    api = Api(administrator)
    listed = {row["title"]: row for row in api.get("documents/").json()["results"]}
    assert {title: row["size"] for title, row in listed.items()} == {"Manual": 9, own.title: 4}
    assert listed[own.title]["origin"] is None
    assert (listed["Manual"]["origin"]["address"], listed["Manual"]["origin"]["is_link"]) == (
        "/handbook/manual.md",
        False,
    )
    assert api.get(f"documents/{listed['Manual']['id']}/").json()["origin"] == listed["Manual"]["origin"]
    with CaptureQueriesContext(connection) as two:
        api.get("documents/")
    for number in range(3):
        read_document(administrator, f"more {number}.txt", b"More.")
    with django_assert_max_num_queries(len(two)):
        assert len(api.get("documents/").json()["results"]) == 5


def test_what_is_no_document_is_refused_with_its_code(member: Member, api: Api) -> None:
    for name, data, status, code in (
        ("a.zip", archive("x"), 415, "documents.unsupported_type"),
        (
            "a.docx",
            samples.rewritten(samples.word_file(), {"word/vbaProject.bin": b"x"}),
            422,
            "documents.type_mismatch",
        ),
    ):
        answer = api.post("documents/", {"file": str(upload(member, name, data).id)})
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Document.objects.exists()


def test_a_foreign_document_is_the_same_as_none(member: Member, api: Api) -> None:
    made = read_document(member, "plan.pdf", samples.text_pdf(["One."]))
    missing = api.get(f"documents/{uuid4()}/").json()
    for other in (MemberFactory(organization=member.organization, role="guest"), MemberFactory()):
        foreign = Api(other)
        for answer in (
            foreign.get(f"documents/{made.id}/"),
            foreign.delete(f"documents/{made.id}/"),
            foreign.post(f"documents/{made.id}/retry/", {}),
            foreign.patch(f"documents/{made.id}/", {"title": "Other"}),
            foreign.post(f"documents/{made.id}/replace/", {"file": str(made.file_id)}),
        ):
            assert answer.status_code == 404
            assert {**answer.json(), "request_id": ""} == {**missing, "request_id": ""}
        assert foreign.get(f"documents/{made.id}/pages/1/").status_code == 404
        assert foreign.get(f"documents/{made.id}/pages/1/image").status_code == 404
        assert foreign.get("documents/").json()["results"] == []
    assert Document.objects.exists()


def test_deleting(member: Member, api: Api) -> None:
    made = read_document(member, "plan.txt", b"One.")
    assert api.delete(f"documents/{made.id}/").status_code == 204
    assert api.get(f"documents/{made.id}/").status_code == 404


def test_renaming_and_replacing(member: Member, api: Api) -> None:
    made = read_document(member, "plan.txt", b"One.")
    renamed = api.patch(f"documents/{made.id}/", {"title": "The plan"})
    assert (renamed.status_code, renamed.json()["title"]) == (200, "The plan")
    for wrong in ({"title": " "}, {"title": "x" * 301}, {}, {"title": "x", "name": "y"}):
        assert api.patch(f"documents/{made.id}/", wrong).status_code == 400
    file = str(upload(member, "new.md", b"# Two").id)
    replaced = api.post(f"documents/{made.id}/replace/", {"file": file})
    assert (replaced.status_code, replaced.json()["is_renewing"]) == (200, True)
    assert api.get(f"documents/{made.id}/pages/1/").json()["text"] == "One."
    work_off()
    body = api.get(f"documents/{made.id}/").json()
    assert (body["title"], body["name"], body["kind"], body["version"], body["file"]) == (
        "The plan", "new.md", "markdown", 2, file,
    )  # fmt: skip
    assert api.get(f"documents/{made.id}/pages/1/").json()["text"] == "Two"


def test_a_colleague_and_a_key_that_only_reads_change_nothing(member: Member) -> None:
    made = read_document(member, "plan.txt", b"One.")
    colleague = MemberFactory(organization=member.organization)
    for who, scopes, code in (
        (colleague, (), "documents.not_yours"),
        (member, ("chat:read", "search:read"), "accounts.permission_missing"),
    ):
        other = Api(who, scopes)
        file = str(upload(who, "new.txt", b"Two.").id)
        for answer in (
            other.patch(f"documents/{made.id}/", {"title": "Other"}),
            other.post(f"documents/{made.id}/replace/", {"file": file}),
            other.post(f"documents/{made.id}/retry/", {}),
            other.delete(f"documents/{made.id}/"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (403, code)
    assert (Document.objects.get().title, Document.objects.get().version) == ("plan", 1)


def test_a_page_is_shown_as_a_picture(member: Member, api: Api) -> None:
    made = read_document(member, "plan.pdf", samples.text_pdf(["One."]))
    text = read_document(member, "plan.txt", b"One.")
    browser = Client()
    browser.cookies[settings.SESSION_COOKIE_NAME] = open_session(member.user)
    address = f"/o/{member.organization.slug}/documents/{made.id}/pages/1/image"
    for answer in (api.get(f"documents/{made.id}/pages/1/image"), browser.get(address)):
        assert answer["Content-Type"] == "image/png"
        with Image.open(io.BytesIO(answer.content)) as picture:
            assert picture.width == 800
    assert browser.get(address)["Cache-Control"] == "private, no-cache"
    assert api.get(f"documents/{made.id}/pages/2/image").json()["code"] == "documents.page_not_found"
    assert api.get(f"documents/{text.id}/pages/1/image").status_code == 404
