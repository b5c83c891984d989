"""A folder of the server as a source: what is read of it, and what never is."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import LazySettings

from apps.accounts.models import Member
from apps.core.conf.groups import DocumentSettings
from apps.documents.errors import SourceFailed, SourceSettingsInvalid
from apps.documents.models import Document, Source, SourceItem
from apps.documents.services.sources import NewSource, add_source
from apps.documents.types import SourceKind
from tests.documents.sources import Conformance, Place, Shelf, added, synced, texts
from tests.factories.accounts import principal_of
from tests.factories.runs import work_off


class TestFolder(Conformance):
    @pytest.fixture
    def place(self, shelf: Shelf) -> Place:
        return shelf


def test_unchanged_files_are_not_even_opened(administrator: Member, shelf: Shelf) -> None:
    shelf.put("a.txt", b"First words.")
    source = synced(administrator, shelf)
    assert source.steps() == 1
    source.again()
    assert source.steps() == 0


def test_a_file_written_anew_with_the_same_words_is_no_change(administrator: Member, shelf: Shelf) -> None:
    shelf.put("a.txt", b"First words.")
    source = synced(administrator, shelf)
    before = source.item("a.txt")
    os.utime(shelf.path / "a.txt", ns=(1, 1))
    source.again()
    after = source.item("a.txt")
    assert after.document_id == before.document_id
    assert after.fingerprint != before.fingerprint
    source.again()
    assert source.steps() == 0


def test_folders_below_are_read_and_hidden_things_and_other_files_are_not(
    administrator: Member, shelf: Shelf
) -> None:
    for name in ("deep/er/a.md", ".hidden.txt", ".git/config.txt", "photo.png", "program.exe"):
        shelf.put(name, b"Words.")
    synced(administrator, shelf)
    assert list(SourceItem.objects.values_list("external_id", flat=True)) == ["deep/er/a.md"]


def test_no_link_leads_out(administrator: Member, shelf: Shelf, tmp_path: Path) -> None:
    outside = tmp_path / "secret"
    outside.mkdir()
    (outside / "secret.txt").write_bytes(b"Secret words.")
    (shelf.path / "link.txt").symlink_to(outside / "secret.txt")
    (shelf.path / "linked").symlink_to(outside)
    shelf.put("a.txt", b"First words.")
    synced(administrator, shelf)
    assert texts() == ["First words."]


def test_a_file_that_became_a_link_is_gone(administrator: Member, shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_bytes(b"Secret words.")
    shelf.put("a.txt", b"First words.")
    source = synced(administrator, shelf)
    shelf.take("a.txt")
    (shelf.path / "a.txt").symlink_to(tmp_path / "secret.txt")
    source.again()
    assert texts() == []


def test_a_folder_that_is_a_link_is_missing(administrator: Member, shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "secret.txt").write_bytes(b"Secret words.")
    (shelf.path.parent / "out").symlink_to(tmp_path / "secret")
    source = synced(administrator, shelf, settings={"path": "out"})
    assert (source.row.state, source.row.error_code) == ("failed", "documents.source_missing")
    assert not Document.objects.exists()


def test_a_folder_that_vanished_takes_nothing_along(administrator: Member, shelf: Shelf) -> None:
    shelf.put("a.txt", b"First words.")
    source = synced(administrator, shelf)
    shelf.path.rename(shelf.path.with_name("elsewhere"))
    row = source.again()
    assert (row.state, row.error_code) == ("failed", "documents.source_missing")
    assert texts() == ["First words."]
    shelf.path.with_name("elsewhere").rename(shelf.path)
    assert source.again().state == "ready"


@pytest.mark.parametrize("path", ["../other", "a/../../other", ".", "/..", "a/.git", "a\x00b", "x" * 501])
def test_only_plain_paths_below_the_root_are_taken(administrator: Member, root: Path, path: str) -> None:
    wanted = NewSource(kind=SourceKind.FOLDER, name="Out", settings={"path": path})
    with pytest.raises(SourceSettingsInvalid) as refused:
        add_source(principal=principal_of(administrator), wanted=wanted)
    assert [error.field for error in refused.value.errors] == ["path"]
    assert not Source.objects.exists()


def test_the_folder_of_another_organization_is_not_there(
    administrator: Member, shelf: Shelf, root: Path
) -> None:
    (root / "elsewhere").mkdir()
    (root / "elsewhere" / "a.txt").write_bytes(b"Their words.")
    source = synced(administrator, shelf, settings={"path": "elsewhere"})
    assert source.row.error_code == "documents.source_missing"
    assert texts() == []


def test_without_a_root_there_are_no_folders(
    administrator: Member, shelf: Shelf, settings: LazySettings
) -> None:
    shelf.put("a.txt", b"First words.")
    source = synced(administrator, shelf)
    settings.CONFIGURATION = replace(
        settings.CONFIGURATION, documents=DocumentSettings(source_folders_root=None)
    )
    with pytest.raises(SourceFailed) as refused:
        added(administrator, shelf, name="Another")
    assert refused.value.code == "documents.source_off"
    row = source.again()
    assert (row.state, row.error_code) == ("failed", "documents.source_off")
    assert texts() == ["First words."]


def test_a_file_over_the_limit_of_uploads_is_noted(
    administrator: Member, shelf: Shelf, settings: LazySettings
) -> None:
    files = settings.CONFIGURATION.files.model_copy(update={"upload_limit_mb": 1})
    settings.CONFIGURATION = replace(settings.CONFIGURATION, files=files)
    shelf.put("big.txt", b"x" * (1024 * 1024 + 1))
    shelf.put("a.txt", b"First words.")
    source = synced(administrator, shelf)
    assert source.item("big.txt").error_code == "documents.too_large"
    assert texts() == ["First words."]


def test_a_name_that_is_no_text_is_noted(administrator: Member, shelf: Shelf) -> None:
    (Path(os.fsdecode(os.fsencode(shelf.path) + b"/caf\xe9.txt"))).write_bytes(b"Words.")
    source = synced(administrator, shelf)
    assert source.item(".txt").error_code == "documents.item_bad_name"
    assert source.row.state == "ready"


def test_a_pipe_holds_nobody(administrator: Member, shelf: Shelf) -> None:
    os.mkfifo(shelf.path / "pipe.txt")
    source = synced(administrator, shelf)
    assert source.row.state == "ready"
    assert not SourceItem.objects.exists()
    work_off()
