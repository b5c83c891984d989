"""Processes that end between a row and its bytes: nothing stays for ever, and nothing is offered that is not there."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from apps.accounts.models import Member
from apps.core import tenancy
from apps.core.events import consumers, feed
from apps.core.events.subscribers import durable_consumers
from apps.files.errors import FileNotFound
from apps.files.models import StoredFile
from apps.files.selectors.files import get_content
from apps.files.services import contents, pictures, removal
from apps.files.services.uploads import append, begin
from apps.files.store import LocalStore, store
from apps.files.types import Content, FileState
from tests.core.events import platform_role
from tests.factories.accounts import principal_of
from tests.factories.files import picture, upload
from tests.files.conftest import stored

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    """Ends a process wherever it is: nothing catches it."""


def killed(*_: Any, **__: Any) -> None:
    raise Killed


def forgotten(member: Member) -> tuple[UUID, Content]:
    """Return a file that nobody attached in time, with something made from it beside it."""
    file = upload(member)
    StoredFile.objects.filter(pk=file.id).update(ready_at=timezone.now() - timedelta(days=8))
    content = get_content(principal=principal_of(member), file_id=file.id)
    contents.made_once(content, "preview", lambda: b"small")
    return file.id, content


def relay() -> int:
    """Let the relay hand on what was recorded; return how many removals were heard of."""
    consumer = next(one for one in durable_consumers() if one.name == "files.remove_bytes_of_removed_file")
    with platform_role(), tenancy.nobody():
        consumers.ensure_consumers()
        feed.move_outbox()
        return consumers.run(consumer)


def test_killed_before_the_commit_the_file_is_whole(
    member: Member, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_id, _ = forgotten(member)
    with monkeypatch.context() as patch:
        patch.setattr(StoredFile, "delete", killed)
        with pytest.raises(Killed):
            removal.remove_abandoned()
    with store().open(get_content(principal=principal_of(member), file_id=file_id).key) as file:
        assert file.read() == b"a note\n"
    assert relay() == 0
    assert len(stored(folder)) == 2
    assert removal.remove_abandoned() == 1
    assert stored(folder) == []


@pytest.mark.parametrize("step", ["remove_part", "remove"])
def test_killed_after_the_commit_the_bytes_go_with_the_next_turn_of_the_relay(
    member: Member, folder: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    file_id, _ = forgotten(member)
    with monkeypatch.context() as patch:
        patch.setattr(LocalStore, step, killed)
        with pytest.raises(Killed):
            removal.remove_abandoned()
    assert not StoredFile.objects.exists()
    assert len(stored(folder)) == 2
    with pytest.raises(FileNotFound):
        get_content(principal=principal_of(member), file_id=file_id)
    assert relay() == 1
    assert stored(folder) == []


def test_killed_between_the_bytes_and_what_was_made_of_them(
    member: Member, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten(member)
    unlink = Path.unlink
    gone: list[Path] = []

    def once(path: Path, **options: Any) -> None:
        if "content" in path.parts:
            if gone:
                raise Killed
            gone.append(path)
        unlink(path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", once)
        with pytest.raises(Killed):
            removal.remove_abandoned()
    assert len(stored(folder)) == 1
    assert relay() == 1
    assert stored(folder) == []


def test_a_store_that_refuses_is_asked_again(
    member: Member, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise OSError("input/output error")

    forgotten(member)
    with monkeypatch.context() as patch:
        patch.setattr(LocalStore, "remove", broken)
        assert removal.remove_abandoned() == 1  # the row is gone, and that is what was asked for
    assert len(stored(folder)) == 2
    assert relay() == 1
    assert stored(folder) == []


def test_the_relay_takes_nothing_from_a_file_that_shares_the_bytes(
    member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_id, content = forgotten(member)
    with monkeypatch.context() as patch:
        patch.setattr(LocalStore, "remove_part", killed)
        with pytest.raises(Killed):
            removal.delete_file(principal=principal_of(member), file_id=file_id)
    other = upload(member, "other.txt", b"other\n")
    twin = StoredFile.objects.get(pk=other.id)
    twin.storage_key = content.key  # as one that began to share them before the row went
    twin.save()
    assert relay() == 1
    with store().open(content.key) as file:
        assert file.read() == b"a note\n"


def test_what_is_made_while_the_file_goes_does_not_stay(member: Member, folder: Path) -> None:
    _, content = forgotten(member)

    def make() -> bytes:
        removal.remove_abandoned()
        return b"large"

    assert contents.made_once(content, "page", make) == b"large"
    assert stored(folder) == []


def test_killed_between_the_bytes_and_the_row_an_upload_goes_with_its_row(
    member: Member, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    who, save = principal_of(member), StoredFile.save

    def save_unless_ready(row: StoredFile, **options: Any) -> None:
        if row.state == FileState.READY:
            raise Killed
        save(row, **options)

    began = begin(principal=who, name="a.txt", size_bytes=5)
    with monkeypatch.context() as patch:
        patch.setattr(StoredFile, "save", save_unless_ready)
        with pytest.raises(Killed):
            append(principal=who, file_id=began.id, offset=0, data=b"hello")
        with pytest.raises(Killed):
            pictures.store_avatar(principal=who, name="face.png", data=picture())
    assert len(stored(folder)) == 2
    assert StoredFile.objects.filter(state="uploading").count() == 2
    for file_id in StoredFile.objects.values_list("pk", flat=True):
        with pytest.raises(FileNotFound):
            get_content(principal=who, file_id=file_id)
    StoredFile.objects.update(touched_at=timezone.now() - timedelta(hours=25))
    assert removal.remove_abandoned() == 2
    assert stored(folder) == []
