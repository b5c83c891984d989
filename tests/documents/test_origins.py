"""Where a document was read from, as its readers see it: beside the document, in citations, over the API."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse
from lxml import html

from apps.accounts.models import Member
from apps.documents.models import Document
from apps.documents.services.sources import remove_source
from apps.rag.services.citations import open_citation
from apps.rag.types import Citation, SourceType
from tests.accounts.sessions import open_session
from tests.documents.sources import Shelf, synced
from tests.documents.test_sources_url import Site, site  # noqa: F401 - a fixture
from tests.factories.accounts import api_key, principal_of
from tests.factories.documents import read_document
from tests.factories.runs import work_off


def viewer(member: Member) -> html.HtmlElement:
    """The page of the only document."""
    client = Client()
    client.cookies["session"] = open_session(member.user)
    kwargs = {"slug": member.organization.slug, "document_id": Document.objects.get().pk}
    answer = client.get(reverse("rag:passage", kwargs=kwargs))
    assert answer.status_code == 200
    return html.fromstring(answer.content)


def over_api(member: Member) -> Any:
    client = Client(headers={"Authorization": f"Bearer {api_key(member).secret}"})
    return client.get(f"/api/v1/documents/{Document.objects.get().pk}/").json()["origin"]


def cited(member: Member) -> Any:
    citation = Citation(
        source_type=SourceType.DOCUMENT,
        source=Document.objects.get().pk,
        page=1,
        start=0,
        end=5,
        quote="First",
    )
    return open_citation(principal=principal_of(member), citation=citation).origin


def test_a_path_is_plain_text(administrator: Member, shelf: Shelf) -> None:
    shelf.put("deep/a <b>.txt", b"First words.")
    source = synced(administrator, shelf)
    page = viewer(administrator)
    (note,) = page.xpath("//p[contains(., 'Read from')]")
    assert " ".join(note.text_content().split()) == "Read from /handbook/deep/a <b>.txt"
    assert not note.xpath(".//a")
    told = {"address": "/handbook/deep/a <b>.txt", "is_link": False, "source": source.row.name}
    assert over_api(administrator) == told
    assert cited(administrator).address == "/handbook/deep/a <b>.txt"
    remove_source(principal=principal_of(administrator), source_id=source.id, with_documents=False)
    work_off()
    assert not viewer(administrator).xpath("//p[contains(., 'Read from')]")
    assert (over_api(administrator), cited(administrator)) == (None, None)


def test_an_address_is_a_link_that_tells_nothing(administrator: Member, site: Site) -> None:  # noqa: F811
    site.put("a.txt", b"First words.")
    address = site.url("/a.txt")
    source = synced(administrator, site, settings={"addresses": [address]})
    (link,) = viewer(administrator).xpath("//p[contains(., 'Read from')]/a")
    assert (link.get("href"), link.text) == (address, address)
    assert set(link.get("rel").split()) == {"noopener", "noreferrer", "nofollow"}
    assert over_api(administrator) == {"address": address, "is_link": True, "source": source.row.name}


def test_what_somebody_added_comes_from_nowhere(member: Member) -> None:
    read_document(member, "a.txt", b"First words.")
    assert not viewer(member).xpath("//p[contains(., 'Read from')]")
    assert (over_api(member), cited(member)) == (None, None)
