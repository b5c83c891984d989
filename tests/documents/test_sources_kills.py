"""A synchronization that is killed and repeated: each thing is one document, and no bytes stay for ever."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from apps.accounts.models import Member
from apps.documents.models import Document, SourceItem
from apps.documents.services import syncing
from apps.files.models import StoredFile
from apps.files.services.removal import remove_abandoned
from apps.runs.models import Run
from tests.documents.sources import Killed, Shelf, Synced, synced, texts
from tests.factories.runs import work_off


@pytest.fixture
def listed(administrator: Member, shelf: Shelf) -> tuple[Synced, UUID, UUID]:
    """A source with one file that is listed, not read; with its run and its thing."""
    source = synced(administrator, shelf)
    shelf.put("a.txt", b"First words.")
    run_id = Run.objects.values_list("pk", flat=True).latest("pk")
    found = syncing.list_items(
        organization_id=administrator.organization_id, source_id=source.id, run_id=run_id
    )
    (item_id,) = found.to_read
    return source, run_id, item_id


def test_a_kill_between_the_bytes_and_their_document_leaves_one_document(
    listed: tuple[Synced, UUID, UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, _run, item_id = listed
    asked = {"organization_id": source.member.organization_id, "source_id": source.id, "item_id": item_id}

    def killed(**_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(syncing, "add_document", killed)
        with pytest.raises(Killed):
            syncing.read_item(**asked)
    assert (Document.objects.count(), StoredFile.objects.count()) == (0, 1)
    assert syncing.read_item(**asked) == "added"
    assert (Document.objects.count(), StoredFile.objects.count()) == (1, 2)
    StoredFile.objects.update(ready_at=timezone.now() - timedelta(days=8))
    remove_abandoned()
    assert StoredFile.objects.count() == 1
    work_off()
    assert texts() == ["First words."]


def test_a_step_that_comes_again_after_it_was_done_does_nothing(listed: tuple[Synced, UUID, UUID]) -> None:
    source, run_id, item_id = listed
    here = {"organization_id": source.member.organization_id, "source_id": source.id}
    assert syncing.read_item(**here, item_id=item_id) == "added"
    before = Document.objects.get().pk
    assert syncing.read_item(**here, item_id=item_id) == "unchanged"
    again = syncing.list_items(**here, run_id=run_id)
    assert again.to_read == []
    assert [syncing.finish(**here, known=1, allowed=0) for _ in range(2)] == [0, 0]
    assert Document.objects.get().pk == before


def test_what_went_before_a_repeated_listing_is_gone_and_goes_once(
    listed: tuple[Synced, UUID, UUID], shelf: Shelf
) -> None:
    source, run_id, item_id = listed
    here = {"organization_id": source.member.organization_id, "source_id": source.id}
    syncing.read_item(**here, item_id=item_id)
    shelf.take("a.txt")
    assert syncing.list_items(**here, run_id=run_id).to_read == []
    assert [syncing.finish(**here, known=1, allowed=0) for _ in range(2)] == [1, 0]
    for _ in range(2):
        syncing.let_go(source_id=source.id, item_id=item_id)
    assert Document.objects.count() == 0
    assert SourceItem.objects.get(pk=item_id).gone_at is not None
