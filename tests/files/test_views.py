"""Files in pages: what is shown in place, what is saved, who gets nothing."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client
from PIL import Image

from apps.accounts.models import Member
from apps.files.models import StoredFile
from apps.files.services.pictures import store_avatar
from apps.files.services.removal import remove_unused
from tests.accounts.sessions import open_session
from tests.factories.accounts import MemberFactory, principal_of
from tests.factories.files import photo, picture, upload
from tests.files.conftest import stored

pytestmark = pytest.mark.django_db
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def browser(member: Member) -> Client:
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = open_session(member.user)
    return client


def fetch(member: Member, path: str, **options: Any) -> Any:
    return browser(member).get(f"/o/{member.organization.slug}/{path}", **options)


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a.png", picture(), "inline"),
        ("a.jpg", picture("JPEG"), "inline"),
        ("a.mp3", b"ID3\x03" + bytes(20), "inline"),
        ("a.svg", SVG, "attachment"),
        ("a.html", b"<html><script>alert(1)</script>", "attachment"),
        ("a.xml", b"<?xml version='1.0'?><x/>", "attachment"),
        ("a.js", b"alert(1)", "attachment"),
        ("a.pdf", b"%PDF-1.7\n", "attachment"),
        ("a.txt", b"hello", "attachment"),
        ("a.strange", b"<html>", "attachment"),
    ],
)
def test_only_pixels_and_sound_are_shown_in_place(member: Member, name: str, data: bytes, kind: str) -> None:
    view = upload(member, name, data)
    answer = fetch(member, f"files/{view.id}/{name}")
    assert answer.status_code == 200
    assert answer["Content-Disposition"] == f"{kind}; filename*=UTF-8''{name}"
    assert answer["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert "script" not in answer["Content-Security-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "private, no-cache"


def test_the_name_in_the_address_is_ignored(member: Member) -> None:
    view = upload(member, "a.txt")
    answer = fetch(member, f"files/{view.id}/evil.html")
    assert answer["Content-Type"] == "text/plain"
    assert answer["Content-Disposition"].endswith("''a.txt")


def test_a_name_cannot_break_out_of_its_header(member: Member) -> None:
    view = upload(member, 'a"; filename=x.html\r\nSet-Cookie: a=b;ü.txt')
    answer = fetch(member, f"files/{view.id}")
    assert answer["Content-Disposition"] == (
        "attachment; filename*=UTF-8''a%22%3B%20filename%3Dx.html%20Set-Cookie%3A%20a%3Db%3B%C3%BC.txt"
    )
    assert "a" not in answer.cookies


def test_a_picture_is_saved_when_asked(member: Member) -> None:
    view = upload(member, "a.png", picture())
    assert fetch(member, f"files/{view.id}/a.png?save")["Content-Disposition"].startswith("attachment")


def test_a_link_is_no_key(member: Member) -> None:
    view = upload(member)
    path = f"files/{view.id}/note.txt"
    colleague, stranger = MemberFactory(organization=member.organization), MemberFactory()
    assert fetch(colleague, path).status_code == 404
    assert fetch(stranger, path).status_code == 404
    assert browser(stranger).get(f"/o/{member.organization.slug}/{path}").status_code == 404
    assert Client().get(f"/o/{member.organization.slug}/{path}").status_code == 302
    assert fetch(member, path).content == b"a note\n"
    assert fetch(member, f"files/{uuid4()}/note.txt").status_code == 404


def test_a_preview_is_small_clean_and_made_once(member: Member, folder: Path) -> None:
    view = upload(member, "photo.jpg", photo())
    answer = fetch(member, f"files/{view.id}/preview")
    assert answer["Content-Type"] == "image/webp"
    with Image.open(io.BytesIO(answer.content)) as small:
        assert small.size == (30, 40)
    assert len(stored(folder)) == 2
    assert fetch(member, f"files/{view.id}/preview").content == answer.content
    colleague = MemberFactory(organization=member.organization)
    assert fetch(colleague, f"files/{view.id}/preview").status_code == 404


def test_what_is_no_picture_has_no_preview(member: Member) -> None:
    view = upload(member, "a.svg", SVG)
    assert fetch(member, f"files/{view.id}/preview").status_code == 404


def test_the_preview_goes_with_its_file(
    member: Member, folder: Path, django_capture_on_commit_callbacks: Any
) -> None:
    view = upload(member, "a.png", picture())
    fetch(member, f"files/{view.id}/preview")
    with django_capture_on_commit_callbacks(execute=True):
        assert remove_unused(file_ids=[view.id]) == 1
    assert stored(folder) == []


def test_a_member_picture_is_a_clean_square_everybody_sees(member: Member) -> None:
    view = store_avatar(principal=principal_of(member), name="me.jpg", data=photo())
    colleague, stranger = MemberFactory(organization=member.organization), MemberFactory()
    answer = fetch(colleague, f"files/{view.id}")
    with Image.open(io.BytesIO(answer.content)) as square:
        assert (square.format, square.size) == ("WEBP", (256, 256))
    assert b"SecretCamera" not in answer.content
    assert fetch(stranger, f"files/{view.id}").status_code == 404
    assert StoredFile.objects.count() == 1
