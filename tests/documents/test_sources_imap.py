"""Mailboxes as a source, over a real server: what is read, what goes, and what is kept out of the settings."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.models import Member
from apps.documents.errors import SourceSettingsInvalid
from apps.documents.models import Document, Source
from apps.documents.selectors.sources import find_origin
from apps.documents.services.changing import SourceChange, change_source
from apps.documents.services.sources import NewSource, add_source
from apps.documents.types import SourceKind
from apps.runs.models import Run
from tests.documents.imap_servers import USER, Post, ServePost, mail
from tests.documents.sources import added, synced, texts
from tests.factories.accounts import principal_of


def words() -> list[str]:
    """The texts of all documents, each in one line."""
    return sorted(" ".join(text.split()) for text in texts())


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_mails_and_the_files_in_them_become_documents(
    administrator: Member, serve_post: ServePost, security: str
) -> None:
    post = serve_post(security=security)
    post.deliver(mail("First words.", files={"notes.md": b"# Notes", "picture.png": b"no document"}))
    post.deliver(mail("Second words.", key="two@mail.example", subject="Übersicht über Kräne"))
    source = synced(administrator, post)
    assert source.row.state == "ready"
    assert sorted(Document.objects.values_list("title", flat=True)) == [
        "Crane",
        "Notes",
        "Übersicht über Kräne",
    ]
    (first, second) = [text for text in words() if "From:" in text]
    assert "From: Ann <ann@mail.example>" in first
    assert "First words." in first
    assert "Second words." in second
    assert not any(b"SELECT" in said or b"STORE" in said for said in post.said)


def test_one_connection_reads_all_of_it(administrator: Member, post: Post) -> None:
    for number in range(5):
        post.deliver(mail(f"Words {number}.", key=f"{number}@mail.example"))
    synced(administrator, post)
    assert (Document.objects.count(), post.connections) == (5, 2)  # to list, and to read


def test_what_was_read_is_not_read_again(administrator: Member, post: Post) -> None:
    post.deliver(mail("First words.", files={"a.txt": b"A file."}))
    source = synced(administrator, post)
    before = list(Document.objects.order_by("pk").values_list("pk", "version"))
    sections = sum(b"HEADER.FIELDS (FROM" in said for said in post.said)
    source.again()
    assert list(Document.objects.order_by("pk").values_list("pk", "version")) == before
    assert sum(b"HEADER.FIELDS (FROM" in said for said in post.said) == sections == 1


def test_a_mail_that_is_deleted_takes_its_documents_along(administrator: Member, post: Post) -> None:
    uid = post.deliver(mail("First words.", files={"a.txt": b"A file."}))
    post.deliver(mail("Second words.", key="two@mail.example"))
    source = synced(administrator, post)
    assert Document.objects.count() == 3
    del post.folders[b"INBOX"][uid]
    source.again()
    assert Document.objects.count() == 1
    assert source.item("one@mail.example").gone_at is not None


def test_mails_that_are_numbered_anew_are_not_doubled(administrator: Member, post: Post) -> None:
    post.deliver(mail("First words.", files={"a.txt": b"A file."}))
    source = synced(administrator, post)
    before = list(Document.objects.order_by("pk").values_list("pk", "version"))
    reads = Run.objects.filter(kind="documents.ingest").count()
    post.number_anew()
    assert source.again().state == "ready"
    assert list(Document.objects.order_by("pk").values_list("pk", "version")) == before
    assert Run.objects.filter(kind="documents.ingest").count() == reads
    assert source.item("one@mail.example").fingerprint == {"uid": "8/101"}


def test_a_mail_without_an_id_is_known_by_its_number(administrator: Member, post: Post) -> None:
    post.deliver(b"Subject: Plain\n\nPlain words.")
    source = synced(administrator, post)
    assert source.item("7/1").document_id == Document.objects.get().pk


def test_an_id_that_a_stranger_copies_does_not_take_the_place(administrator: Member, post: Post) -> None:
    post.deliver(mail("First words."))
    source = synced(administrator, post)
    post.deliver(mail("Forged words."))
    source.again()
    assert Document.objects.count() == 1
    assert "Forged" not in words()[0]


def test_a_folder_with_an_umlaut_is_found(administrator: Member, post: Post) -> None:
    post.deliver(mail("First words."), folder=b'Entw&APw-rfe &- "more"')
    synced(administrator, post, settings=post.settings(folder='Entwürfe & "more"'))
    assert Document.objects.count() == 1


def test_readers_see_folder_and_id(administrator: Member, post: Post) -> None:
    post.deliver(mail("First words."))
    synced(administrator, post)
    document_id = Document.objects.get().pk
    origin = find_origin(organization_id=administrator.organization_id, document_id=document_id)
    assert origin is not None
    assert (origin.address, origin.is_link) == ("INBOX: one@mail.example", False)


def test_html_is_cleaned_and_plain_text_is_preferred(administrator: Member, post: Post) -> None:
    post.deliver(
        b"Message-ID: <a@x>\nSubject: Both\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=b\n\n"
        b"--b\nContent-Type: text/plain\n\nPlain words.\n--b\nContent-Type: text/html\n\n<p>Rich words.</p>\n--b--\n"
    )
    post.deliver(
        b"Message-ID: <b@x>\nSubject: Rich\nMIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\n"
        b"Content-Transfer-Encoding: quoted-printable\n\n"
        b"<p>Gr=C3=BC=C3=9Fe</p><script>alert('no')</script><img src=3D'https://evil.example/x'>"
    )
    synced(administrator, post)
    assert "Plain words." in words()[0]
    assert "Rich words." not in "".join(words())
    assert "Grüße" in words()[1]
    assert "alert" not in words()[1]


# Settings


@pytest.mark.parametrize(
    ("named", "secret", "field"),
    [
        ({"host": ""}, "x", "host"), ({"host": "10.0.0.1"}, "x", "host"), ({"host": "a/b"}, "x", "host"),
        ({"host": "a:993@b"}, "x", "host"), ({"host": "evil.example#"}, "x", "host"), ({"host": "[::1]"}, "x", "host"),
        ({"security": "none"}, "x", "security"), ({"username": ""}, "x", "username"),
        ({"username": "a\nb"}, "x", "username"), ({"folder": "a\r\nb"}, "x", "folder"), ({}, "", "secret"),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_used_are_refused(
    administrator: Member, named: dict[str, Any], secret: str, field: str
) -> None:
    settings = {"host": "imap.example", "username": USER} | named
    wanted = NewSource(kind=SourceKind.IMAP, name="Mailbox", settings=settings, secret=secret)
    with pytest.raises(SourceSettingsInvalid) as refused:
        add_source(principal=principal_of(administrator), wanted=wanted)
    assert [error.field for error in refused.value.errors] == [field]
    assert not Source.objects.exists()


@pytest.mark.parametrize("change", [{"host": "evil.example"}, {"username": "other"}, {"port": 143}])
def test_another_place_asks_for_the_password_anew(
    administrator: Member, post: Post, change: dict[str, Any]
) -> None:
    source = added(administrator, post)
    wanted = SourceChange(settings=source.row.settings | change)
    with pytest.raises(SourceSettingsInvalid) as refused:
        change_source(principal=principal_of(administrator), source_id=source.id, wanted=wanted)
    assert [error.field for error in refused.value.errors] == ["secret"]
