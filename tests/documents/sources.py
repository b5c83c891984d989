"""What tests of sources share: a place that changes, and what every kind of source promises."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import pytest

from apps.accounts.models import Member
from apps.documents.models import Document, DocumentPage, Source, SourceItem
from apps.documents.services import syncing
from apps.documents.services.documents import add_document
from apps.documents.services.sources import NewSource, add_source
from apps.documents.services.starting import sync_source
from apps.documents.types import SourceInterval, SourceKind
from apps.runs.models import Run
from tests.factories.accounts import principal_of
from tests.factories.runs import work_off


class Killed(BaseException):
    """The process ends here."""


class Place(Protocol):
    """Something documents are read from."""

    kind: SourceKind
    secret: str

    def settings(self) -> dict[str, Any]: ...
    def put(self, name: str, data: bytes) -> None: ...
    def take(self, name: str) -> None: ...
    def spoil(self, name: str) -> None:
        """Make it impossible to read."""
        ...


@dataclass
class Shelf:
    """A folder that a test changes."""

    path: Path
    kind: SourceKind = SourceKind.FOLDER
    secret: str = ""

    def settings(self) -> dict[str, Any]:
        return {"path": self.path.name}

    def put(self, name: str, data: bytes) -> None:
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    def take(self, name: str) -> None:
        (self.path / name).unlink()

    def spoil(self, name: str) -> None:
        self.put(name, b"")


@dataclass
class Synced:
    """A source of a member, and what came of it."""

    member: Member
    id: UUID

    def again(self) -> Source:
        """Synchronize once more, to the end."""
        sync_source(principal=principal_of(self.member), source_id=self.id)
        work_off()
        return self.row

    @property
    def row(self) -> Source:
        return Source.objects.get(pk=self.id)

    def item(self, name: str) -> SourceItem:
        return SourceItem.objects.get(source_id=self.id, external_id__endswith=name)

    def steps(self) -> int:
        """How many things the last run read."""
        return Run.objects.get(pk=self.row.run_id).steps_total - 2


def added(member: Member, place: Place, name: str = "Handbook", **wanted: Any) -> Synced:
    """Add a source; nothing of it is read yet."""
    own = {"settings": place.settings(), "secret": place.secret, "interval": SourceInterval.MANUAL}
    wanted = own | wanted
    source_id = add_source(
        principal=principal_of(member), wanted=NewSource(kind=place.kind, name=name, **wanted)
    )
    return Synced(member, source_id)


def synced(member: Member, place: Place, **wanted: Any) -> Synced:
    """Add a source and read all of it."""
    made = added(member, place, **wanted)
    work_off()
    return made


def texts() -> list[str]:
    """What can be read of all documents."""
    return sorted(DocumentPage.objects.values_list("text", flat=True))


class Conformance:
    """Every kind of source passes this; a subclass gives `place`."""

    def test_what_is_there_becomes_documents(self, administrator: Member, place: Place) -> None:
        place.put("a.txt", b"First words.")
        place.put("b.txt", b"Second words.")
        source = synced(administrator, place)
        assert texts() == ["First words.", "Second words."]
        assert (source.row.state, source.row.error_code) == ("ready", "")
        assert set(Document.objects.values_list("created_by_id", flat=True)) == {administrator.user_id}

    def test_what_did_not_change_makes_no_work(self, administrator: Member, place: Place) -> None:
        place.put("a.txt", b"First words.")
        source = synced(administrator, place)
        before = list(Document.objects.values_list("pk", "version"))
        runs = Run.objects.filter(kind="documents.ingest").count()
        assert source.again().state == "ready"
        assert list(Document.objects.values_list("pk", "version")) == before
        assert Run.objects.filter(kind="documents.ingest").count() == runs == 1

    def test_what_changed_is_read_once_more(self, administrator: Member, place: Place) -> None:
        place.put("a.txt", b"First words.")
        place.put("b.txt", b"Second words.")
        source = synced(administrator, place)
        kept = source.item("b.txt").document_id
        place.put("a.txt", b"Other words.")
        source.again()
        assert texts() == ["Other words.", "Second words."]
        assert Document.objects.count() == 2
        assert source.item("b.txt").document_id == kept
        assert Run.objects.filter(kind="documents.ingest").count() == 3

    def test_what_is_gone_takes_its_document_along(self, administrator: Member, place: Place) -> None:
        place.put("a.txt", b"First words.")
        place.put("b.txt", b"Second words.")
        source = synced(administrator, place)
        place.take("a.txt")
        source.again()
        assert texts() == ["Second words."]
        tombstone = source.item("a.txt")
        assert tombstone.gone_at is not None
        assert (tombstone.document_id, tombstone.content_hash) == (None, "")

    def test_what_comes_back_is_read_again(self, administrator: Member, place: Place) -> None:
        place.put("a.txt", b"First words.")
        source = synced(administrator, place)
        place.take("a.txt")
        source.again()
        assert texts() == []
        place.put("a.txt", b"First words.")
        source.again()
        assert texts() == ["First words."]
        assert source.item("a.txt").gone_at is None

    def test_what_cannot_be_read_is_noted_and_the_others_go_on(
        self, administrator: Member, place: Place
    ) -> None:
        place.put("a.txt", b"First words.")
        source = synced(administrator, place)
        place.spoil("a.txt")
        place.put("b.txt", b"Second words.")
        source.again()
        assert texts() == ["First words.", "Second words."]
        assert source.item("a.txt").error_code != ""
        assert source.item("b.txt").error_code == ""
        place.put("a.txt", b"First words, healed.")
        source.again()
        assert texts() == ["First words, healed.", "Second words."]
        assert source.item("a.txt").error_code == ""

    def test_two_at_once_are_one(self, administrator: Member, place: Place) -> None:
        place.put("a.txt", b"First words.")
        source = added(administrator, place)
        first = source.row.run_id
        assert sync_source(principal=principal_of(administrator), source_id=source.id) == first
        work_off()
        assert Run.objects.filter(kind="documents.sync").count() == 1
        assert texts() == ["First words."]

    def test_a_kill_in_the_middle_loses_and_doubles_nothing(
        self, administrator: Member, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        place.put("a.txt", b"First words.")
        place.put("b.txt", b"Second words.")
        source = added(administrator, place)
        here = {"organization_id": administrator.organization_id, "source_id": source.id}
        run_id = source.row.run_id
        assert run_id is not None
        listed = syncing.list_items(**here, run_id=run_id)

        def killed(**given: Any) -> Any:
            if Document.objects.exists():
                raise Killed
            return add_document(**given)

        with monkeypatch.context() as patch, pytest.raises(Killed):  # noqa: PT012 - which of them is not known
            patch.setattr(syncing, "add_document", killed)
            for item_id in listed.to_read:
                syncing.read_item(**here, item_id=item_id)
        assert Document.objects.count() == 1
        kept = Document.objects.get().pk
        work_off()
        assert texts() == ["First words.", "Second words."]
        assert Document.objects.count() == 2
        assert Document.objects.filter(pk=kept).exists()

    @pytest.mark.parametrize("name", ["a.pdf", "a.docx"])
    def test_a_file_that_is_no_document_says_so_once(
        self, administrator: Member, place: Place, name: str
    ) -> None:
        place.put(name, b"These are no such bytes.")
        source = synced(administrator, place)
        assert not Document.objects.exists()
        assert source.item(name).content_error == "documents.type_mismatch"
        stored = source.item(name).content_hash
        source.again()
        assert source.item(name).content_hash == stored != ""
        assert source.item(name).content_error == "documents.type_mismatch"
