"""A mailbox whose worker is killed while it talks to the server: each mail is one document, and no line stays open."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from apps.accounts.models import Member
from apps.core.outbound.lines import Line
from apps.documents.connectors.imap_talk import Talk
from apps.documents.models import Document, SourceItem
from apps.documents.services import syncing
from apps.files.models import StoredFile
from apps.files.services.removal import remove_abandoned
from tests.documents.imap_servers import Post, mail
from tests.documents.sources import Killed, Synced, added, texts
from tests.factories.runs import work_off

FIRST, SECOND = "one@mail.example", "two@mail.example"


@pytest.fixture
def source(administrator: Member, post: Post) -> Synced:
    """A mailbox of two mails, one with a file, that nobody has read yet."""
    post.deliver(mail("First words.", key=FIRST, files={"a.txt": b"A file."}))
    post.deliver(mail("Second words.", key=SECOND))
    return added(administrator, post)


@pytest.fixture
def here(source: Synced) -> dict[str, UUID]:
    return {"organization_id": source.member.organization_id, "source_id": source.id}


@pytest.fixture
def open_lines(monkeypatch: pytest.MonkeyPatch) -> list[Line]:
    """The lines that were opened and not hung up."""
    lines: list[Line] = []
    begin, end = Line.__init__, Line.close

    def opened(line: Line, *given: Any) -> None:
        begin(line, *given)
        lines.append(line)

    def closed(line: Line) -> None:
        end(line)
        lines[:] = [one for one in lines if one is not line]

    monkeypatch.setattr(Line, "__init__", opened)
    monkeypatch.setattr(Line, "close", closed)
    return lines


def listed(source: Synced, here: dict[str, UUID]) -> list[UUID]:
    run_id = source.row.run_id
    assert run_id is not None
    return syncing.list_items(**here, run_id=run_id).to_read


def kill_at_fetch(patch: pytest.MonkeyPatch, number: int, *, said: int) -> None:
    """End the process at the fetch of this number, after the server said so much of it."""
    fetch, begun = Talk.fetch, []

    def killed(talk: Talk, *asked: Any, **limits: Any) -> Any:
        begun.append(asked)
        for count, values in enumerate(fetch(talk, *asked, **limits)):
            if len(begun) == number and count == said:
                raise Killed
            yield values
        if len(begun) == number:
            raise Killed

    patch.setattr(Talk, "fetch", killed)


@pytest.mark.parametrize("said", [0, 1, 2])
def test_a_kill_while_the_folder_is_listed_notes_nothing(
    source: Synced, here: dict[str, UUID], open_lines: list[Line], monkeypatch: pytest.MonkeyPatch, said: int
) -> None:
    with monkeypatch.context() as patch:
        kill_at_fetch(patch, 1, said=said)
        with pytest.raises(Killed):
            listed(source, here)
    assert (SourceItem.objects.count(), open_lines) == (0, [])
    work_off()
    assert (Document.objects.count(), source.row.state) == (3, "ready")


@pytest.mark.parametrize("at", [(2, 0), (2, 1), (3, 0), (3, 1)])
def test_a_kill_while_header_or_text_is_read_keeps_nothing_of_a_mail(
    source: Synced,
    here: dict[str, UUID],
    open_lines: list[Line],
    monkeypatch: pytest.MonkeyPatch,
    at: tuple[int, int],
) -> None:
    number, said = at
    listed(source, here)
    item = source.item(FIRST)
    with monkeypatch.context() as patch:
        kill_at_fetch(patch, number, said=said)
        with pytest.raises(Killed):
            syncing.read_item(**here, item_id=item.pk)
    assert (Document.objects.count(), StoredFile.objects.count(), open_lines) == (0, 0, [])
    assert (source.item(FIRST).content_hash, source.item(FIRST).error_code) == ("", "")
    work_off()
    assert Document.objects.count() == 3
    assert "First words." in " ".join(texts())


def test_a_kill_between_the_bytes_and_their_document_leaves_one_document(
    source: Synced, here: dict[str, UUID], open_lines: list[Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(**_: object) -> None:
        raise Killed

    listed(source, here)
    item = source.item(FIRST)
    with monkeypatch.context() as patch:
        patch.setattr(syncing, "add_document", killed)
        with pytest.raises(Killed):
            syncing.read_item(**here, item_id=item.pk)
    assert (Document.objects.count(), StoredFile.objects.count(), open_lines) == (0, 1, [])
    assert syncing.read_item(**here, item_id=item.pk) == "added"
    work_off()
    StoredFile.objects.filter(pk__in=StoredFile.objects.exclude(pk__in=_kept())).update(
        ready_at=timezone.now() - timedelta(days=8)
    )
    remove_abandoned()
    assert (Document.objects.count(), StoredFile.objects.count()) == (3, 3)


def _kept() -> list[UUID]:
    return list(Document.objects.values_list("file_id", flat=True))


def test_a_mail_that_was_read_before_the_kill_is_not_fetched_again(
    source: Synced, here: dict[str, UUID], post: Post
) -> None:
    listed(source, here)
    item = source.item(SECOND)
    assert syncing.read_item(**here, item_id=item.pk) == "added"
    before, fetched = Document.objects.get().pk, _bodies(post)
    assert syncing.read_item(**here, item_id=item.pk) == "unchanged"
    assert _bodies(post) == fetched
    work_off()
    assert Document.objects.filter(pk=before).exists()
    assert Document.objects.count() == 3


def test_a_server_that_numbers_anew_between_the_kill_and_the_repeat_doubles_nothing(
    source: Synced, here: dict[str, UUID], post: Post
) -> None:
    listed(source, here)
    assert syncing.read_item(**here, item_id=source.item(FIRST).pk) == "added"
    kept = set(_kept())
    post.number_anew()
    assert syncing.read_item(**here, item_id=source.item(FIRST).pk) == "unchanged"
    work_off()
    assert kept < set(_kept())
    assert (Document.objects.count(), source.row.state) == (3, "ready")


def test_a_mail_that_went_between_the_kill_and_the_repeat_is_gone(
    source: Synced, here: dict[str, UUID], post: Post
) -> None:
    to_read = listed(source, here)
    assert len(to_read) == 3
    del post.folders[b"INBOX"][2]
    assert syncing.read_item(**here, item_id=source.item(SECOND).pk) == "gone"
    work_off()
    assert Document.objects.count() == 2
    assert source.item(SECOND).document_id is None


def _bodies(post: Post) -> int:
    return sum(b"BODY.PEEK[" in said and b"MESSAGE-ID" not in said for said in post.said)
