"""Mailboxes as a source: what goes wrong, and what servers and strangers try."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import Any

import pytest

from apps.accounts.models import Member
from apps.core.outbound import fetching
from apps.core.outbound.types import Policy
from apps.documents.connectors import imap, imap_talk
from apps.documents.connectors.imap_mails import message_id, parts_of
from apps.documents.models import Document
from apps.documents.services import syncing
from apps.documents.services.documents import add_document
from tests.core.outbound_servers import CANARY
from tests.documents.imap_servers import Post, ServePost, mail
from tests.documents.sources import Killed, added, synced
from tests.factories.runs import work_off


def test_a_kill_in_the_middle_loses_and_doubles_nothing(
    administrator: Member, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.deliver(mail("First words.", files={"a.txt": b"A file."}))
    post.deliver(mail("Second words.", key="two@mail.example"))
    source = added(administrator, post)
    here = {"organization_id": administrator.organization_id, "source_id": source.id}
    run_id = source.row.run_id
    assert run_id is not None
    listed = syncing.list_items(**here, run_id=run_id)

    def killed(**given: Any) -> Any:
        if Document.objects.count() == 2:
            raise Killed
        return add_document(**given)

    with monkeypatch.context() as patch, pytest.raises(Killed):  # noqa: PT012 - which of them is not known
        patch.setattr(syncing, "add_document", killed)
        for item_id in listed.to_read:
            syncing.read_item(**here, item_id=item_id)
    kept = set(Document.objects.values_list("pk", flat=True))
    work_off()
    assert kept < set(Document.objects.values_list("pk", flat=True))
    assert Document.objects.count() == 3


def test_a_line_that_breaks_while_it_is_read_is_made_anew(administrator: Member, post: Post) -> None:
    for number in range(3):
        post.deliver(mail(f"Words {number}.", key=f"{number}@mail.example"))
    broken: list[bytes] = []

    def breaking(command: bytes) -> bytes | None:
        if b"HEADER.FIELDS (FROM" in command and not broken:
            broken.append(command)
            return b"* BYE shutting down\r\n"
        return None

    post.instead = breaking
    source = synced(administrator, post)
    assert (source.row.state, Document.objects.count()) == ("ready", 2)
    source.again()
    assert Document.objects.count() == 3


def test_a_password_that_does_not_fit_is_told(administrator: Member, post: Post) -> None:
    post.deliver(mail("First words."))
    source = synced(administrator, post, secret="wrong")
    assert source.row.error_code == "documents.source_credentials"


def test_a_folder_that_went_leaves_what_was_read(administrator: Member, post: Post) -> None:
    post.deliver(mail("First words."), folder=b"Team")
    source = synced(administrator, post, settings=post.settings(folder="Team"))
    del post.folders[b"Team"]
    assert source.again().error_code == "documents.source_missing"
    assert Document.objects.count() == 1


def test_an_empty_folder_is_up_to_date(administrator: Member, post: Post) -> None:
    assert synced(administrator, post).row.state == "ready"


HOSTILE = [
    (b"LOGIN", b"TAG NO [UNAVAILABLE] later\r\n", "documents.source_throttled"),
    (b"LOGIN", b"TAG BAD what\r\n", "documents.source_nonsense"),
    (b"EXAMINE", b"TAG OK done\r\n", "documents.source_nonsense"),
    (b"EXAMINE", b"* 5001 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\nTAG OK done\r\n", "documents.source_too_many"),
    (b"UID", b"* BYE bye\r\n", "documents.source_unreachable"),
    (b"UID", b"TAG NO no\r\n", "documents.source_nonsense"),
    (
        b"UID",
        b"* 1 FETCH (UID 1 BODYSTRUCTURE " + b"(" * 500 + b"\r\nTAG OK x\r\n",
        "documents.source_nonsense",
    ),
    (b"UID", b"* 1 FETCH (UID 1 ) )\r\nTAG OK x\r\n", "documents.source_nonsense"),
    (b"UID", b"* 1 FETCH (UID\r\nTAG OK x\r\n", "documents.source_nonsense"),
    (b"UID", b"* 1 FETCH (UID 1 X {9999999999}\r\n", "documents.source_too_large"),
    (b"UID", b"* 1 FETCH " + b"x" * 1_200_000, "documents.source_nonsense"),
    (b"UID", b'* 1 FETCH (UID 1 X "never closed\r\nTAG OK x\r\n', "documents.source_nonsense"),
]


@pytest.mark.parametrize(("word", "answer", "code"), HOSTILE)
def test_a_server_that_talks_nonsense_takes_nothing_along(
    administrator: Member, post: Post, word: bytes, answer: bytes, code: str
) -> None:
    post.deliver(mail("First words."))
    source = synced(administrator, post)
    post.instead = lambda command: answer if command.split(b" ")[1] == word else None
    row = source.again()
    assert (row.state, row.error_code, Document.objects.count()) == ("failed", code, 1)


@pytest.mark.parametrize(
    ("greeting", "code"),
    [
        (b"* BYE too many\r\n", "documents.source_unreachable"),
        (b"HTTP/1.1 400 Bad Request\r\n", "documents.source_nonsense"),
        (b"", "documents.source_unreachable"),
    ],
)
def test_a_greeting_that_is_none_is_told(
    administrator: Member, serve_post: ServePost, monkeypatch: pytest.MonkeyPatch, greeting: bytes, code: str
) -> None:
    monkeypatch.setattr(imap_talk, "TURN_SECONDS", 0.5)
    post = serve_post(greeting=greeting)
    assert synced(administrator, post).row.error_code == code


def test_a_server_that_never_ends_is_given_up(
    administrator: Member, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    post.deliver(mail("First words."))
    monkeypatch.setattr(imap, "LIST_SECONDS", 0.5)
    post.instead = lambda command: b"* 1 EXPUNGE\r\n" if b"UID FETCH" in command else None
    assert synced(administrator, post).row.error_code == "documents.source_unreachable"


def test_words_before_the_encryption_are_not_believed(administrator: Member, serve_post: ServePost) -> None:
    post = serve_post(security="starttls")
    post.instead = lambda command: b"TAG OK begin\r\n* OK injected\r\n" if b"STARTTLS" in command else None
    assert synced(administrator, post).row.error_code == "documents.source_nonsense"
    assert not any(b"LOGIN" in said for said in post.said)


def test_a_server_without_encryption_gets_no_password(administrator: Member, serve_post: ServePost) -> None:
    post = serve_post(security="starttls")
    post.instead = lambda command: b"TAG BAD unknown\r\n" if b"STARTTLS" in command else None
    assert synced(administrator, post).row.error_code == "documents.source_nonsense"
    assert not any(b"LOGIN" in said for said in post.said)


def test_a_certificate_of_another_name_is_refused(administrator: Member, post: Post) -> None:
    source = synced(administrator, post, settings=post.settings(host="other.example"))
    assert (source.row.error_code, post.said) == ("documents.source_nonsense", [])


def test_an_address_inside_is_never_reached(administrator: Member, post: Post) -> None:
    with socket.create_server((CANARY, post.port)) as canary:
        canary.settimeout(0.2)
        source = synced(administrator, post, settings=post.settings(host="inside.example"))
        with pytest.raises(TimeoutError):
            canary.accept()
    assert source.row.error_code == "documents.item_address"


def test_other_ports_than_those_of_mail_are_refused(
    administrator: Member, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = fetching.policy_for(administrator.organization_id, "document_source")
    mail_only = replace(policy, mail_ports=Policy().mail_ports)
    monkeypatch.setattr(fetching, "policy_for", lambda organization_id, purpose: mail_only)
    assert synced(administrator, post).row.error_code == "documents.item_address"
    assert post.connections == 0


def test_what_is_too_large_is_listed_as_not_read(
    administrator: Member, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap, "LARGEST_BYTES", 500)
    post.deliver(mail("First words.", files={"a.txt": b"x" * 1000}))
    source = synced(administrator, post)
    assert source.item("a.txt").error_code == "documents.too_large"
    assert Document.objects.count() == 1


# Hostile mails


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"\n", b"Subject: =?utf-8?b?////?=\n\nx", b"Subject: =?no-such?q?x?=\n\nx", b"Subject: \xff\xfe\n\nx",
        b"Subject: a\0b\n\nx", b'Content-Type: text/plain; charset="../../etc"\n\nWords \xff.',
        b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n!!!not base64!!!",
        b"Content-Type: multipart/mixed; boundary=b\n\n", b"From: " + b"<" * 5000 + b"\n\nx",
        b"Message-ID: <" + b"x" * 5000 + b">\nSubject: " + b"y" * 5000 + b"\n\nx",
        b"Subject: ../../../etc/passwd\n\nx", b"Subject: <script>alert(1)</script>\n\nx",
    ],
)  # fmt: skip
def test_a_strange_mail_does_not_hold_the_others(administrator: Member, post: Post, raw: bytes) -> None:
    post.deliver(raw)
    post.deliver(mail("Second words.", key="two@mail.example"))
    source = synced(administrator, post)
    assert source.row.state == "ready"
    assert source.item("two@mail.example").document_id is not None
    assert not any("/" in name for name in Document.objects.values_list("name", flat=True))


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (b'attachment; filename="../../a.txt"', "a.txt"), (b"attachment; filename*=utf-8''%C3%BC.txt", "ü.txt"),
        (b'attachment; filename*0="lo"; filename*1="ng.txt"', "long.txt"),
        (b'attachment; filename="=?utf-8?q?=C3=BC?=.txt"', "ü.txt"), (b"inline; filename=a.txt", "a.txt"),
    ],
)  # fmt: skip
def test_names_of_files_are_read_as_they_are_meant(
    administrator: Member, post: Post, header: bytes, name: str
) -> None:
    post.deliver(
        b"Message-ID: <a@x>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n"
        b"Content-Type: text/plain\n\nWords.\n--b\nContent-Type: application/octet-stream\n"
        b"Content-Disposition: " + header + b"\n\nA file.\n--b--\n"
    )
    synced(administrator, post)
    assert Document.objects.get(name__endswith=".txt").name == name


@pytest.mark.parametrize(
    "structure",
    [
        None, b"x", [], [[]], [[[]], b"mixed"], [b"text"], [b"text", b"plain", None, None, None, None, None],
        [b"text", b"plain", [[b"x"]], None, None, b"7bit", b"-1"], [[b"a", b"b"], b"x"],
    ],
)  # fmt: skip
def test_a_structure_that_is_none_has_no_files(structure: Any) -> None:
    assert [part for part in parts_of(structure) if part.is_document] == []


def test_a_mail_of_endless_parts_ends() -> None:
    leaf = [b"text", b"plain", [b"name", b"a.txt"], None, None, b"7bit", b"1"]
    assert len(parts_of([leaf] * 5000 + [b"mixed"])) == 100
    deep: Any = leaf
    for _ in range(200):
        deep = [deep, b"mixed"]
    assert parts_of(deep) == []


@pytest.mark.parametrize(
    "header", [b"", b"Message-ID: none\r\n", b"Message-ID: <a b>\r\n", b"Message-ID: <\x01>\r\n"]
)
def test_an_id_that_is_none_is_not_used(header: bytes) -> None:
    assert message_id(header) == ""
