"""From a file to a hit on its page, to the cited place, and to what stands there when the content was replaced."""

from __future__ import annotations

import dataclasses
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse
from lxml import html

from apps.accounts.models import Member
from apps.accounts.services.scopes import remove_seat
from apps.accounts.types import Principal
from apps.core.events import types
from apps.core.models import Event
from apps.documents.models import DocumentPage
from apps.documents.services.documents import (
    delete_document,
    rename_document,
    renew_document,
    replace_document,
)
from apps.rag import handlers
from apps.rag.errors import PassageNotFound
from apps.rag.models import Chunk
from apps.rag.selectors.viewing import hit_address
from apps.rag.services.citations import open_citation
from apps.rag.types import Citation, Hit, SourceType, Span
from tests.accounts.sessions import open_session
from tests.documents import samples
from tests.documents.conftest import folder, member  # noqa: F401 - fixtures
from tests.factories.accounts import MemberFactory, principal_of
from tests.factories.documents import read_document
from tests.factories.files import upload
from tests.factories.runs import work_off
from tests.rag.library import ask, embed_all

PAGES = [
    "The gearbox is oiled monthly.",
    "The yaw brake stays locked while the crane is hooked.",
    "Appendix.",
]


def _index() -> None:
    told = Event.objects.filter(type__in=["document.page_parsed", "document.renewed"])
    for row in told.order_by("id").values():
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


def test_a_renamed_document_is_found_by_its_new_name(handbook) -> None:
    reader, document = handbook
    assert not ask(reader, "windmill", by_meaning=False).hits
    rename_document(principal=reader, document_id=document.id, title="Windmill")
    _index()
    (hit,) = ask(reader, "windmill", by_meaning=False).hits
    assert (hit.source, hit.title, hit.more_in_source) == (document.id, "Windmill", 2)
    assert not ask(reader, "handbook", by_meaning=False).hits
    assert Chunk.objects.count() == 3


def test_a_replaced_document_is_found_as_it_was_until_the_new_version_is_read(
    handbook,
    member: Member,  # noqa: F811 - the fixture
) -> None:
    reader, document = handbook
    file = upload(member, "handbook.md", b"# Handbook\n\nThe rotor stands still.\n")
    replace_document(principal=reader, document_id=document.id, file_id=file.id)
    _index()
    assert [hit.text for hit in ask(reader, "yaw brake crane", by_meaning=False).hits] == [PAGES[1]]
    work_off()
    _index()
    assert ask(reader, "yaw brake crane", by_meaning=False).hits == ()
    (hit,) = ask(reader, "rotor", by_meaning=False).hits
    assert (hit.source, hit.media_type) == (document.id, "text/markdown")


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


# Documents whose content is replaced


def _renewed(reader: Principal, document_id: UUID, pages: list[str]) -> None:
    """Let a document say something else, as a source does; the index follows by its consumer."""
    member = Member.objects.get(user_id=reader.id)  # noqa: F811 - a row, not the fixture
    file = upload(member, "handbook.pdf", samples.text_pdf(pages))
    assert renew_document(principal=reader, document_id=document_id, file_id=file.id)
    work_off()


def _bodies() -> list[tuple[int, str]]:
    return list(Chunk.objects.order_by("page").values_list("page", "body"))


def test_a_replaced_content_is_found_instead_of_the_old_one(handbook) -> None:
    reader, document = handbook
    newer = [PAGES[0], "The yaw brake is released before the crane is hooked."]
    _renewed(reader, document.id, newer)
    assert _bodies() == list(
        enumerate(PAGES[:2], 1)
    )  # without what is gone, with what is not stored anew yet
    for _ in range(2):
        _index()
    assert _bodies() == list(enumerate(newer, 1))
    (hit,) = ask(reader, "yaw brake crane").hits
    assert (hit.source, hit.text) == (document.id, newer[1])
    assert ask(reader, '"appendix"').hits == ()


def test_a_page_that_says_the_same_keeps_its_vector(handbook) -> None:
    reader, document = handbook
    _renewed(reader, document.id, [PAGES[0], "Other words."])
    _index()
    versions = dict(Chunk.objects.values_list("page", "model_version"))
    assert (versions[1] != "", versions[2]) == (True, "")
    assert embed_all(document.organization_id) == 1


def test_a_page_stored_late_does_not_outlive_the_content_it_was_of(handbook) -> None:
    reader, document = handbook
    stale = Chunk.objects.get(page=3)
    _renewed(reader, document.id, PAGES[:2])
    assert not Chunk.objects.filter(page=3).exists()
    stale.pk = None  # the consumer read the page before, and commits now
    stale.save(force_insert=True)
    _index()
    assert _bodies() == list(enumerate(PAGES[:2], 1))


def test_a_citation_of_a_replaced_content_opens_and_says_so(handbook) -> None:
    reader, document = handbook
    stays, moves, goes = (
        _cite(ask(reader, words).hits[0], quote)
        for words, quote in [
            ("gearbox", "oiled monthly"), ("yaw brake crane", "brake stays locked"), ("appendix", "Appendix"),
        ]
    )  # fmt: skip
    _renewed(reader, document.id, [PAGES[0], "An overview.", PAGES[1]])
    opened = open_citation(principal=reader, citation=stays)
    assert (opened.page, opened.is_changed, opened.renewed_at is None) == (1, False, False)
    opened = open_citation(principal=reader, citation=moves)
    assert (opened.page, opened.is_changed) == (3, True)
    assert opened.text[opened.span.start : opened.span.end] == "brake stays locked"
    opened = open_citation(principal=reader, citation=goes)
    assert (opened.page, opened.span, opened.is_changed) == (3, Span(0, 0), True)
    _renewed(reader, document.id, ["A single page."])
    opened = open_citation(principal=reader, citation=goes)
    assert (opened.text, opened.page, opened.page_count, opened.is_changed) == ("A single page.", 1, 1, True)


def test_a_citation_of_a_replaced_content_opens_only_for_who_may_read_it_now(
    handbook,
    member: Member,  # noqa: F811 - the fixture
) -> None:
    reader, document = handbook
    citation = _cite(ask(reader, "appendix").hits[0], "Appendix")
    _renewed(reader, document.id, ["A single page."])
    guest = principal_of(MemberFactory(organization=member.organization, role="guest"))
    with pytest.raises(PassageNotFound):
        open_citation(principal=guest, citation=citation)
    delete_document(principal=reader, document_id=document.id)
    with pytest.raises(PassageNotFound):
        open_citation(principal=reader, citation=citation)


def test_a_link_to_a_passage_says_when_something_else_stands_there(handbook, member: Member) -> None:  # noqa: F811
    reader, document = handbook
    links = [
        hit_address(reader, ask(reader, words).hits[0]) for words in ("gearbox", "yaw brake", "appendix")
    ]
    _renewed(reader, document.id, [PAGES[0], "An overview of the turbine, and more words."])
    client = Client()
    client.cookies["session"] = open_session(member.user)
    told = "The source has changed since it was cited."
    first, second, third = (html.fromstring(client.get(f"{link}&view=text").content) for link in links)
    assert first.xpath("//mark")[0].text_content() == PAGES[0]
    assert told not in first.text_content()
    for page, words in ((second, "An overview of the turbine"), (third, PAGES[0])):
        assert not page.xpath("//mark")
        assert told in page.text_content()
        assert "This is the document as it is now." in page.text_content()
        assert words in page.text_content()
    outside = Client()
    outside.cookies["session"] = open_session(
        MemberFactory(organization=member.organization, role="guest").user
    )
    assert [outside.get(link).status_code for link in links] == [404, 404, 404]


def test_a_page_that_never_was_is_not_there(handbook, member: Member) -> None:  # noqa: F811
    reader, document = handbook
    client = Client()
    client.cookies["session"] = open_session(member.user)
    kwargs = {"slug": reader.organization_slug, "document_id": document.id}
    assert client.get(f"{reverse('rag:passage', kwargs=kwargs)}?page=4").status_code == 404


def test_a_document_opens_from_the_console_and_from_beside_its_file(handbook, member: Member) -> None:  # noqa: F811
    _, document = handbook
    admin = MemberFactory(organization=member.organization, role="admin")
    client, base = Client(), f"/o/{member.organization.slug}/"
    client.cookies["session"] = open_session(admin.user)
    for address in (f"{base}console/documents/", f"{base}documents/of/{document.file_id}/"):
        page = html.fromstring(client.get(address).content)
        (link,) = page.xpath(f"//a[contains(@href, '/passages/{document.id}/')]/@href")
        assert client.get(link).status_code == 200
