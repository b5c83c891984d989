"""Scenarios of acts on documents and their sources."""

from __future__ import annotations

from uuid import UUID

from apps.documents.models import Source
from apps.documents.services.changing import SourceChange, change_source, pause_source
from apps.documents.services.documents import rename_document, replace_document
from apps.documents.services.sources import NewSource, add_source, remove_source
from apps.documents.services.starting import confirm_removal, sync_source
from apps.documents.types import DocumentView, SourceInterval, SourceKind, SourceState
from tests.factories.documents import document
from tests.factories.files import upload
from tests.security.acts import Act, Stage


def _source(stage: Stage) -> UUID:
    wanted = NewSource(
        kind=SourceKind.URL, name="Site", settings={"addresses": ["https://docs.invalid/handbook"]}
    )
    return add_source(principal=stage.acting, wanted=wanted)


def _resting(stage: Stage) -> UUID:
    source_id = _source(stage)
    pause_source(principal=stage.acting, source_id=source_id, is_paused=True)
    return source_id


def _held(stage: Stage) -> UUID:
    source_id = _source(stage)
    Source.objects.filter(pk=source_id).update(state=SourceState.HELD, held_count=12)
    return source_id


def _private(stage: Stage) -> UUID:
    settings = {"url": "https://git.invalid/team/handbook"}
    wanted = NewSource(kind=SourceKind.GIT, name="Repository", settings=settings, secret="a token")
    return add_source(principal=stage.acting, wanted=wanted)


def _paper(stage: Stage) -> DocumentView:
    return document(stage.owner, "a.txt", b"text of a document\n")


ACTS: dict[str, Act] = {
    "document.renamed": Act(
        lambda s, made: rename_document(principal=s.acting, document_id=made.id, title="Other"), _paper
    ),
    "document.replaced": Act(
        lambda s, made: replace_document(
            principal=s.acting, document_id=made.id, file_id=upload(s.owner, "b.txt", b"other text\n").id
        ),
        _paper,
    ),
    "source.added": Act(lambda s, _: _source(s)),
    "source.changed": Act(
        lambda s, made: change_source(
            principal=s.acting,
            source_id=made,
            wanted=SourceChange(name="Other", interval=SourceInterval.HOURLY),
        ),
        _source,
    ),
    "source.secret_forgotten": Act(
        lambda s, made: change_source(principal=s.acting, source_id=made, wanted=SourceChange(secret="")),
        _private,
    ),
    "source.paused": Act(
        lambda s, made: pause_source(principal=s.acting, source_id=made, is_paused=True), _source
    ),
    "source.resumed": Act(
        lambda s, made: pause_source(principal=s.acting, source_id=made, is_paused=False), _resting
    ),
    "source.synchronized": Act(lambda s, made: sync_source(principal=s.acting, source_id=made), _source),
    "source.removal_confirmed": Act(
        lambda s, made: confirm_removal(principal=s.acting, source_id=made), _held
    ),
    "source.removed": Act(
        lambda s, made: remove_source(principal=s.acting, source_id=made, with_documents=True), _source
    ),
}
