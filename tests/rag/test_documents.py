"""From a file to a hit on its page, and to the cited place."""

from __future__ import annotations

import dataclasses

import pytest

from apps.accounts.models import Member
from apps.accounts.services.scopes import remove_seat
from apps.core.events import types
from apps.core.models import Event
from apps.documents.models import DocumentPage
from apps.documents.services.documents import delete_document
from apps.rag import handlers
from apps.rag.errors import PassageNotFound
from apps.rag.models import Chunk
from apps.rag.services.citations import open_citation
from apps.rag.types import Citation, Hit, SourceType, Span
from tests.documents import samples
from tests.documents.conftest import folder, member  # noqa: F401 - fixtures
from tests.factories.accounts import MemberFactory, principal_of
from tests.factories.documents import read_document
from tests.rag.library import ask, embed_all

PAGES = [
    "The gearbox is oiled monthly.",
    "The yaw brake stays locked while the crane is hooked.",
    "Appendix.",
]


def _index() -> None:
    for row in Event.objects.filter(type="document.page_parsed").order_by("id").values():
        handlers.index_page(types.restore(row))


def _cite(hit: Hit, quote: str) -> Citation:
    start = hit.span.start + hit.text.index(quote)
    return Citation(
        source_type=hit.source_type,
        source=hit.source,
        page=hit.page,
        start=start,
        end=start + len(quote),
        quote=quote,
    )


@pytest.fixture
def handbook(member: Member):  # noqa: F811 - the fixture
    document = read_document(member, "handbook.pdf", samples.text_pdf(PAGES))
    _index()
    embed_all(member.organization_id)
    return principal_of(member), document


def test_a_page_is_found_with_its_place(handbook) -> None:
    reader, document = handbook
    found = ask(reader, "yaw brake crane")
    (hit,) = found.hits
    assert (hit.source_type, hit.source, hit.page) == (SourceType.DOCUMENT, document.id, 2)
    assert hit.text == PAGES[1]
    assert hit.boxes
    assert hit.media_type == "application/pdf"
    assert hit.title == document.title
    assert ask(reader, "yaw brake type:pdf").hits
    assert not ask(reader, "yaw brake type:docx").hits


def test_a_citation_opens_at_its_passage(handbook) -> None:
    reader, document = handbook
    hit = ask(reader, "yaw brake crane").hits[0]
    citation = _cite(hit, "brake stays locked")
    opened = open_citation(principal=reader, citation=Citation.from_json(citation.as_json()))
    assert opened.text[opened.span.start : opened.span.end] == "brake stays locked"
    assert (opened.title, opened.page, opened.page_count) == (document.title, 2, 3)
    assert not opened.is_changed
    assert len(opened.boxes) == 1
    box = opened.boxes[0]
    assert 0 < box.x0 < box.x1 < opened.width
    assert 0 < box.top < box.bottom < opened.height
    first = hit.boxes[0]
    assert box.x0 > first.x0
    assert box.x1 < first.x1


def test_a_changed_source_shows_the_quote_where_it_stands_now(handbook) -> None:
    reader, document = handbook
    citation = _cite(ask(reader, "yaw brake crane").hits[0], "brake stays locked")
    newer = "From now on the brake stays locked at all times, day and night."
    DocumentPage.objects.filter(document_id=document.id, number=2).update(text=newer)
    moved = open_citation(principal=reader, citation=citation)
    assert (moved.span, moved.is_changed) == (Span(16, 34), True)
    gone = open_citation(principal=reader, citation=dataclasses.replace(citation, quote="was never here"))
    assert (gone.span, gone.is_changed) == (Span(0, 0), True)


def test_who_lost_access_opens_nothing(handbook, member: Member) -> None:  # noqa: F811 - the fixture
    reader, document = handbook
    citation = _cite(ask(reader, "yaw brake crane").hits[0], "yaw brake")
    stranger = principal_of(MemberFactory(organization=member.organization, role="guest"))
    with pytest.raises(PassageNotFound):
        open_citation(principal=stranger, citation=citation)
    assert ask(stranger, "yaw brake").hits == ()
    remove_seat(scope_id=document.scope_id, principal_id=reader.id)
    guest = dataclasses.replace(reader, role="guest")
    with pytest.raises(PassageNotFound):
        open_citation(principal=guest, citation=citation)


def test_a_deleted_document_is_found_no_more(handbook) -> None:
    reader, document = handbook
    citation = _cite(ask(reader, "yaw brake crane").hits[0], "yaw brake")
    delete_document(principal=reader, document_id=document.id)
    assert not Chunk.objects.exists()
    assert ask(reader, "yaw brake").hits == ()
    with pytest.raises(PassageNotFound):
        open_citation(principal=reader, citation=citation)
    _index()  # the relay comes late
    assert not Chunk.objects.exists()


def test_a_page_read_again_replaces_its_chunks(handbook) -> None:
    reader, _ = handbook
    before = set(Chunk.objects.values_list("pk", flat=True))
    _index()
    after = set(Chunk.objects.values_list("pk", flat=True))
    assert len(after) == len(before) == 3
    assert not after & before
    assert len(ask(reader, "gearbox").hits) == 1
