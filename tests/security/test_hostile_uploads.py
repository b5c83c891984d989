"""SEC-04: a file cannot hurt the server or its reader, whether it comes as a file or as a member's picture."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from apps.accounts.models import Member
from apps.files import store as stores
from apps.files.errors import TypeMismatch, TypeRefused
from apps.files.models import StoredFile
from apps.files.services import delivery, uploads
from apps.files.sniffing import INLINE
from tests.accounts.sessions import open_session
from tests.factories.accounts import MemberFactory, api_key
from tests.factories.files import picture
from tests.security.hostile_files import CORPUS, NAMES, Hostile
from tests.security.protections import policy_of
from tests.walls import everywhere

MOST_SECONDS, MOST_MiB = 30, 256


@pytest.fixture
def member(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(settings, "DATA_DIR", tmp_path)
    stores.store.cache_clear()
    yield MemberFactory()
    stores.store.cache_clear()


class Sender:
    """A member who sends files through the doors there are."""

    def __init__(self, member: Member) -> None:
        self.member, self._key = member, api_key(member).secret
        self.browser = Client(raise_request_exception=False)
        self.browser.cookies["session"] = open_session(member.user)
        self.home = f"/o/{member.organization.slug}/"

    def _api(self, method: str, path: str, body: Any, **headers: str) -> Any:
        client = Client(raise_request_exception=False)
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        headers["authorization"] = f"Bearer {self._key}"
        return getattr(client, method)(f"/api/v1/{path}", body, content_type=kind, headers=headers)

    def as_file(self, name: str, data: bytes) -> tuple[int, str]:
        """Upload; return the last status and the file's id, empty for a refused one."""
        began = self._api("post", "files/", {"name": name, "size_bytes": len(data)})
        if began.status_code != 201:
            return began.status_code, ""
        file_id = began.json()["id"]
        span = f"bytes 0-{len(data) - 1}/{len(data)}"
        ended = self._api("put", f"files/{file_id}/content", data, **{"content-range": span})
        taken = ended.status_code == 200 and ended.json()["state"] == "ready"
        return ended.status_code, file_id if taken else ""

    def as_face(self, name: str, data: bytes) -> int:
        """Set the picture beside the name."""
        return self.browser.post(
            f"{self.home}picture/", {"picture": SimpleUploadedFile(name or "x", data)}
        ).status_code


def face_of(member: Member) -> Any:
    """Return the file beside the member's name, or None."""
    with everywhere():
        return Member.objects.values_list("avatar_file_id", flat=True).get(pk=member.pk)


def memory() -> float:
    """Return the most this process ever used, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def harm_of(answer: Any) -> list[str]:
    """Return how a served file could act in the reader's browser; empty for an inert one."""
    kind = answer.headers.get("Content-Type", "")
    inline = answer.headers.get("Content-Disposition", "inline").startswith("inline")
    policy = policy_of(answer.headers)
    harm = [] if not inline or kind in INLINE else [f"shown in place as {kind}"]
    harm += [] if answer.headers.get("X-Content-Type-Options") == "nosniff" else ["sniffed"]
    harm += [] if "sandbox" in policy and policy.get("default-src") == ["'none'"] else ["no sandbox"]
    runs = ("javascript", "html", "xml", "svg", "css")
    return harm + (
        [f"served as {kind}"] if any(word in kind for word in runs) and "openxml" not in kind else []
    )


@pytest.mark.parametrize("case", CORPUS)
def test_a_hostile_file_is_refused_or_inert(member: Member, case: str) -> None:
    hostile, sender = CORPUS[case], Sender(member)
    before, began = memory(), time.monotonic()
    status, file_id = sender.as_file(hostile.name, hostile.data)
    assert status < 500
    assert hostile.is_refused is None or bool(file_id) is not hostile.is_refused, (status, file_id)
    if file_id:
        for where in (
            f"{sender.home}files/{file_id}/{hostile.name}",
            f"{sender.home}files/{file_id}/evil.html",
        ):
            assert harm_of(sender.browser.get(where)) == []
        preview = sender.browser.get(f"{sender.home}files/{file_id}/preview")
        assert preview.status_code < 500
        assert preview.status_code != 200 or preview.headers["Content-Type"] == "image/webp"
    else:
        with everywhere():
            assert not StoredFile.objects.filter(state="ready").exists()
    assert time.monotonic() - began < MOST_SECONDS
    assert memory() - before < MOST_MiB


PICTURES = [
    case for case, hostile in CORPUS.items() if hostile.name.endswith((".png", ".jpg", ".gif", ".svg"))
]


@pytest.mark.parametrize("case", PICTURES)
def test_a_hostile_picture_of_a_member_is_refused_or_drawn_anew(member: Member, case: str) -> None:
    hostile, sender, before = CORPUS[case], Sender(member), memory()
    assert sender.as_face(hostile.name, hostile.data) < 500
    assert memory() - before < MOST_MiB
    face = face_of(member)
    if face is not None:
        answer = sender.browser.get(f"{sender.home}files/{face}")
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/webp")
        assert b"script" not in answer.content
        assert hostile.is_refused is not True


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_a_hostile_name_stays_a_name(member: Member, tmp_path: Path, name: str) -> None:
    sender = Sender(member)
    outside = {path for path in tmp_path.parent.iterdir() if path != tmp_path}
    status, file_id = sender.as_file(name, b"harmless\n")
    assert status < 500
    if file_id:
        answer = sender.browser.get(f"{sender.home}files/{file_id}")
        assert harm_of(answer) == []
        assert "\r" not in answer.headers["Content-Disposition"]
        assert set(answer.cookies) <= {settings.SESSION_COOKIE_NAME}
        with everywhere():
            kept = StoredFile.objects.get(pk=file_id)
        assert not set(kept.name) & set("/\\\x00\r\n\u202e\u200f\u2028")
        assert (len(kept.name) <= 255, kept.name not in ("", ".", "..")) == (True, True)
        inside = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert len(inside) == 1
        assert inside[0].is_relative_to(tmp_path / "files")
        assert name not in str(inside[0]) or not name.strip(" .")
    assert {path for path in tmp_path.parent.iterdir() if path != tmp_path} == outside


def test_a_true_picture_is_shown_in_place(member: Member) -> None:
    sender = Sender(member)
    status, file_id = sender.as_file("a.png", picture())
    answer = sender.browser.get(f"{sender.home}files/{file_id}/a.png")
    assert (status, answer.status_code, harm_of(answer)) == (200, 200, [])
    assert answer.headers["Content-Disposition"].startswith("inline")
    assert sender.as_face("a.png", picture()) in (200, 204, 302)
    assert face_of(member) is not None


def test_bite_without_the_sandbox_and_the_list_the_probe_sees_it(
    member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = Sender(member)
    _status, file_id = sender.as_file("a.html", CORPUS["page"].data)
    monkeypatch.setattr(delivery, "INLINE", frozenset({"text/html"}))
    monkeypatch.setattr(delivery, "ACTIVE", frozenset())
    monkeypatch.setattr(delivery, "_SANDBOX", "default-src 'self'")
    found = harm_of(sender.browser.get(f"{sender.home}files/{file_id}/a.html"))
    assert found == ["shown in place as text/html", "no sandbox", "served as text/html"]


@pytest.mark.parametrize("case", ["program as picture", "page as picture", "program by name"])
def test_bite_without_sniffing_the_wrong_type_is_taken(
    member: Member, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    hostile: Hostile = CORPUS[case]

    def believe(_file: Any, _name: str) -> Any:
        return type("Sniffed", (), {"media_type": "text/plain", "is_picture": False})()

    sniff: Callable[..., Any] = uploads.sniff
    assert sniff is not believe
    monkeypatch.setattr(uploads, "sniff", believe)
    assert Sender(member).as_file(hostile.name, hostile.data)[1]
    assert {TypeRefused.status, TypeMismatch.status} <= {400, 415, 422}
