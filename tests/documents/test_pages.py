"""The page of documents: what its reader may open, narrowed down, and what may be done with each."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from lxml import html

from apps.accounts.models import Member
from apps.chat.services.conversations import create_channel
from apps.core import tenancy
from apps.core.console_shell import page_address
from apps.documents.models import Document, Source, SourceItem
from apps.documents.types import SourceKind
from apps.files.models import StoredFile
from tests.accounts.sessions import open_session
from tests.documents.scans import with_scan
from tests.documents.sources import Shelf, synced
from tests.factories.accounts import MemberFactory, principal_of
from tests.factories.documents import document, read_document
from tests.factories.files import upload
from tests.factories.runs import work_off


class Reader:
    """A signed-in browser."""

    def __init__(self, member: Member) -> None:
        self.client, self.member, self._slug = Client(), member, member.organization.slug
        self.client.cookies["session"] = open_session(member.user)

    def url(self, name: str = "list", **which: Any) -> str:
        return reverse(f"documents:{name}", kwargs={"slug": self._slug, **which})

    def page(self, query: str = "") -> html.HtmlElement:
        response = self.client.get(self.url() + query)
        assert response.status_code == 200
        return html.fromstring(response.content)

    def titles(self, query: str = "") -> list[str]:
        return self.page(query).xpath("//*[@id='found']//*[contains(@class, 'file__name')]/text()")


def comes_from(member: Member, address: str, document_id: UUID) -> None:
    """Let a document be one that a source of web addresses reads."""
    source, _ = Source.objects.get_or_create(
        organization_id=member.organization_id,
        name="Web of manuals",
        defaults={
            "kind": SourceKind.URL,
            "settings": {"addresses": [address], "with_links": False},
            "scope_id": Document.objects.get(pk=document_id).scope_id,
            "created_by_id": member.user_id,
        },
    )
    SourceItem.objects.create(
        organization_id=member.organization_id, source=source, external_id=address, document_id=document_id
    )


def follow(response: Any) -> html.HtmlElement:
    """The page a form led to."""
    return html.fromstring(response.content)


def toasts(page: html.HtmlElement) -> str:
    return page.get_element_by_id("toasts").text_content()


@pytest.fixture
def shelf(member: Member) -> dict[str, UUID]:
    """A manual in the library, minutes in a private channel of the member."""
    principal = principal_of(member)
    channel = create_channel(principal=principal, name="vorstand", is_private=True)
    return {
        "channel": channel,
        "Manual": read_document(member, "manual.md", b"# Manual\n\nTurn it on.\n").id,
        "Minutes": read_document(
            member, "minutes.md", b"# Minutes\n\nNothing.\n", conversation_id=channel
        ).id,
    }


def test_each_reader_sees_what_it_may_open_and_where_it_belongs(member: Member, shelf) -> None:
    own, other = Reader(member), Reader(MemberFactory(organization=member.organization))
    guest, foreign = (
        Reader(MemberFactory(organization=member.organization, role="guest")),
        Reader(MemberFactory()),
    )
    assert own.titles() == ["Minutes", "Manual"]
    assert other.titles() == ["Manual"]
    assert guest.titles() == foreign.titles() == []
    assert "2 documents, 0 with failures" in own.page().get_element_by_id("found").text_content()
    said = own.page().get_element_by_id(f"document-{shelf['Minutes']}").text_content()
    assert "vorstand, minutes.md" in said
    assert "Library, manual.md" in own.page().get_element_by_id(f"document-{shelf['Manual']}").text_content()


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?place=library", ["Manual"]), ("?place=conversations", ["Minutes"]), ("?place=own", ["Minutes", "Manual"]),
        ("?q=MIN", ["Minutes"]), ("?q=%00%25", []), ("?state=ready&place=library", ["Manual"]), ("?state=failed", []),
        ("?place=nowhere&state=what&page=x", ["Minutes", "Manual"]), ("?page=2", []),
        ("?kind=markdown&q=man", ["Manual"]), ("?kind=pdf", []), ("?kind=other", []),
        ("?kind=x", ["Minutes", "Manual"]),
    ],
)  # fmt: skip
def test_the_list_is_narrowed_down(member: Member, shelf, query: str, found: list[str]) -> None:
    assert Reader(member).titles(query) == found


def test_each_says_its_kind_its_size_and_its_source(member: Member, shelf) -> None:
    comes_from(member, "https://example.org/a?b=<c>", shelf["Manual"])
    page = Reader(member).page()
    said, other = (page.get_element_by_id(f"document-{shelf[one]}") for one in ("Manual", "Minutes"))
    assert "Markdown, 22\xa0bytes, from Web of manuals" in said.text_content()
    (link,) = said.xpath(".//a[text()='Web of manuals']")
    assert link.get("href") == link.get("title") == "https://example.org/a?b=<c>"
    assert set(link.get("rel").split()) == {"noopener", "noreferrer", "nofollow"}
    assert "from" not in other.text_content()


def test_what_cannot_be_opened_is_named_as_text(administrator: Member, root: Path) -> None:
    folder = Shelf(root / administrator.organization.slug / "handbook")
    folder.put("a.txt", b"First words.")
    source = synced(administrator, folder)
    (row,) = Reader(administrator).page().xpath("//tr[starts-with(@id, 'document-')]")
    assert f"Text, 12\xa0bytes, from {source.row.name}: /handbook/a.txt" in row.text_content()
    assert not row.xpath(".//a[starts-with(@href, '/handbook')]")


def test_what_others_added_is_not_added_by_me(member: Member, shelf) -> None:
    other = Reader(MemberFactory(organization=member.organization))
    assert other.titles("?place=own") == []


def test_who_may_add_documents_is_offered_it(member: Member) -> None:
    guest = MemberFactory(organization=member.organization, role="guest")
    assert Reader(member).page().xpath("//input[@data-pick]")
    assert not Reader(guest).page().xpath("//input[@data-pick]")
    assert "Drop files here" in Reader(member).page().text_content()
    assert "Files that are attached to messages" in Reader(guest).page().text_content()
    assert "Other words" in Reader(member).page("?q=nichts").text_content()


def test_a_list_costs_the_same_whatever_its_length(member: Member, shelf) -> None:
    reader = Reader(member)
    reader.page()
    comes_from(member, "https://example.org/manual", shelf["Manual"])
    with CaptureQueriesContext(connection) as few:
        reader.page()
    for number in range(6):
        channel = create_channel(principal=principal_of(member), name=f"kanal {number}")
        made = document(member, f"mehr {number}.txt", b"Mehr.", conversation_id=channel)
        comes_from(member, f"https://example.org/{number}", made.id)
    with CaptureQueriesContext(connection) as many:
        assert len(reader.titles()) == 8
    assert len(many) == len(few)


def test_a_document_is_renamed_in_a_dialog(member: Member, shelf) -> None:
    own, other = Reader(member), Reader(MemberFactory(organization=member.organization))
    address = own.url("list_change", document_id=shelf["Manual"])
    (link,) = own.page().xpath(f"//a[@href='{address}']")
    assert (link.get("hx-get"), link.text_content().strip()) == (address, "Rename or replace Manual")
    assert not other.page().xpath(f"//a[@href='{address}']")
    (field,) = html.fromstring(own.client.get(address).content).xpath("//input[@name='title']")
    assert field.get("value") == "Manual"
    for title in ("", "x" * 301):
        assert own.client.post(address, {"title": title}).status_code == 422
    refused = other.client.post(address, {"title": "Mine"})
    assert refused.status_code == 422
    assert "Only the person who added this document" in refused.content.decode()
    assert other.client.post(own.url("list_change", document_id=shelf["Minutes"])).status_code == 404
    answered = own.client.post(address, {"title": "Handbook"}, headers={"HX-Request": "true"})
    assert (answered.status_code, answered.headers["HX-Redirect"]) == (204, own.url())
    page = own.page()
    assert "It is called Handbook now" in page.get_element_by_id("toasts").text_content()
    assert own.titles() == ["Minutes", "Handbook"]


def test_a_file_is_replaced_by_an_upload_or_by_one_that_comes_with_the_form(member: Member, shelf) -> None:
    own, other = Reader(member), Reader(MemberFactory(organization=member.organization))
    address = own.url("list_replace", document_id=shelf["Manual"])
    asked = own.client.get(own.url("list_change", document_id=shelf["Manual"])).content.decode()
    assert "counts as added by you" not in asked
    assert html.fromstring(asked).xpath(f"//form[@action='{address}'][@data-file-form]")
    uploaded = {"file": str(upload(member, "a.md", b"# Second\n").id)}
    small = {"file": "", "chosen": SimpleUploadedFile("b.txt", b"# Third\n")}
    for sent, name in ((uploaded, "a.md"), (small, "b.txt")):
        answered = own.client.post(address, sent)
        assert (answered.status_code, answered.url) == (302, own.url())
        assert "is being read; until then the one before stays" in toasts(own.page())
        work_off()
        assert own.titles() == ["Minutes", "Manual"]  # which stays what it is called
        with tenancy.use(member.organization_id):
            assert Document.objects.get(pk=shelf["Manual"]).name == name
    assert own.client.get(address).status_code == 405
    assert "Choose a file first." in toasts(follow(own.client.post(address, {"file": "x"}, follow=True)))
    refused = other.client.post(address, {"file": str(upload(member, "c.md", b"# Fourth\n").id)}, follow=True)
    assert "Only the person who added this document" in toasts(follow(refused))
    stored = StoredFile.objects.count()
    small = {"file": "", "chosen": SimpleUploadedFile("d.txt", b"# Fourth\n")}
    assert "Only the person who added" in toasts(follow(other.client.post(address, small, follow=True)))
    assert StoredFile.objects.count() == stored  # nothing of it is kept
    assert other.client.post(own.url("list_replace", document_id=shelf["Minutes"])).status_code == 404
    with tenancy.use(member.organization_id):
        assert Document.objects.get(pk=shelf["Manual"]).version == 3


def test_in_the_console_the_same_is_done_and_leads_back_there(member: Member, shelf) -> None:
    reader = Reader(MemberFactory(organization=member.organization, role="moderator"))
    home = page_address(member.organization.slug, "documents")
    page = follow(reader.client.get(home))
    (link,) = page.xpath(f"//tr[@id='document-{shelf['Manual']}']//a[contains(@hx-get, '/change/')]")
    assert page.get_element_by_id("upload-template") is not None
    assert "upload.done" in page.get_element_by_id("texts-documents").text
    dialog = reader.client.get(link.get("href"), headers={"HX-Request": "true"})
    (change, replace) = html.fromstring(dialog.content).xpath("//form/@action")
    assert change == link.get("href")
    answered = reader.client.post(change, {"title": "Handbook"})
    assert (answered.status_code, answered.url) == (302, home)
    file = upload(reader.member, "b.md", b"# Second\n")
    answered = reader.client.post(replace, {"file": str(file.id)})
    assert (answered.status_code, answered.url) == (302, home)
    assert "The new version of Handbook is being read" in toasts(follow(reader.client.get(home)))


def test_a_moderator_is_told_whose_the_document_is_then(member: Member, shelf) -> None:
    moderator = Reader(MemberFactory(organization=member.organization, role="moderator"))
    address = moderator.url("list_change", document_id=shelf["Manual"])
    assert moderator.page().xpath(f"//a[@href='{address}']")
    assert "counts as added by you" in moderator.client.get(address).content.decode()


def test_what_a_source_reads_says_where_it_is_changed(member: Member, shelf) -> None:
    comes_from(member, "https://example.org/manual", shelf["Manual"])
    own = Reader(member)
    address = own.url("list_change", document_id=shelf["Manual"])
    assert not own.page().xpath(f"//a[@href='{address}']")
    told = own.client.get(address)
    assert "The source Web of manuals keeps this document up to date." in told.content.decode()
    assert not html.fromstring(told.content).xpath("//input[@name='title' or @name='chosen']")
    refused = own.client.post(
        own.url("list_replace", document_id=shelf["Manual"]), {"file": "x"}, follow=True
    )
    assert "A source keeps this document up to date" in toasts(follow(refused))
    assert own.client.post(address, {"title": "Other"}).status_code == 422
    assert own.titles() == ["Minutes", "Manual"]


def test_a_document_is_deleted_by_who_added_it_after_a_question(member: Member, shelf) -> None:
    own, other = Reader(member), Reader(MemberFactory(organization=member.organization))
    address = own.url("list_delete", document_id=shelf["Manual"])
    asked = html.fromstring(own.client.get(address).content)
    assert "Delete this document?" in asked.text_content()
    assert asked.xpath(f"//form[@action='{address}']")
    refused = other.client.post(address, follow=True)
    assert (
        "Only the person who added this document"
        in html.fromstring(refused.content).get_element_by_id("toasts").text_content()
    )
    assert other.titles() == ["Manual"]
    assert other.client.post(own.url("list_delete", document_id=shelf["Minutes"])).status_code == 404
    answered = own.client.post(address)
    assert (answered.status_code, answered.url) == (302, own.url())
    assert own.titles() == ["Minutes"]
    assert own.client.get(address).status_code == 404


def test_failed_pages_are_named_and_tried_again(member: Member, shelf) -> None:
    scan = read_document(member, "plan.pdf", with_scan("One.", None))
    own, other = Reader(member), Reader(MemberFactory(organization=member.organization))
    address = own.url("list_failed", document_id=scan.id)
    assert "There is no text on this page." in other.client.get(address).content.decode()
    dialog = own.client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in dialog
    assert own.client.post(own.url("list_retry", document_id=scan.id)).status_code == 302
    assert other.client.post(own.url("list_retry", document_id=shelf["Minutes"])).status_code == 404
    assert own.titles("?state=gaps") == ["plan"]
    with tenancy.use(member.organization_id):
        assert Document.objects.get(pk=scan.id).state == "ready"
