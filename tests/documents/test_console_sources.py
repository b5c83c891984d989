"""Sources at the console: who sees them, what is said of each, and what its buttons do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.conf import LazySettings
from django.test import Client
from lxml import html

from apps.accounts.models import Member
from apps.chat.services.conversations import create_channel
from apps.core.conf.groups import DocumentSettings
from apps.core.models import AuditEntry
from apps.documents.models import Document, Source, SourceItem
from apps.documents.services.changing import SourceChange, SourcePlace, change_source
from apps.documents.types import SourceState
from tests.accounts.sessions import open_session
from tests.documents.sources import Shelf, Synced, synced, texts
from tests.factories.accounts import MemberFactory, principal_of
from tests.factories.runs import work_off


@pytest.fixture
def source(administrator: Member, shelf: Shelf) -> Synced:
    shelf.put("a.txt", b"First words.")
    shelf.put("empty.txt", b"")
    return synced(administrator, shelf)


def browser(member: Member) -> Client:
    client = Client()
    client.cookies["session"] = open_session(member.user)
    return client


def base(member: Member) -> str:
    return f"/o/{member.organization.slug}/console/sources/"


def row(client: Client, member: Member) -> str:
    page = html.fromstring(client.get(base(member)).content)
    (found,) = page.xpath("//main//table[1]/tbody/tr")
    return " ".join(" ".join(found.itertext()).split())


def test_a_row_says_how_it_went(administrator: Member, source: Synced) -> None:
    said = row(browser(administrator), administrator)
    for part in ("Handbook", "/handbook", "1 not read", "Library", "Only when asked", "with gaps", "Pause"):
        assert part in said


def test_what_was_not_read_is_listed_with_its_reason(administrator: Member, source: Synced) -> None:
    answer = browser(administrator).get(f"{base(administrator)}{source.id}/unread/")
    said = " ".join(html.fromstring(answer.content).xpath("//main//tbody")[0].itertext())
    assert "empty.txt" in said
    assert "The file is empty." in said


def test_a_failure_is_said_in_plain_words(administrator: Member, source: Synced, shelf: Shelf) -> None:
    shelf.path.rename(shelf.path.with_name("elsewhere"))
    source.again()
    said = row(browser(administrator), administrator)
    assert "This does not exist any more. What was read before stays." in said
    assert "documents.source_missing" not in said


def test_addresses_are_added_by_a_form(administrator: Member) -> None:
    client = browser(administrator)
    where = f"{base(administrator)}addresses/new/"
    asked = {
        "name": "Site",
        "addresses": "https://docs.invalid/a\nhttps://docs.invalid/b\n",
        "interval": "daily",
    }
    assert client.post(where, asked).headers["Location"] == base(administrator)
    made = Source.objects.get()
    assert made.settings == {
        "addresses": ["https://docs.invalid/a", "https://docs.invalid/b"],
        "with_links": False,
    }
    assert (made.state, made.interval) == ("syncing", "daily")
    assert "https://docs.invalid/a +1" in row(client, administrator)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"addresses": "http://10.0.0.1/"}, "http://10.0.0.1 is inside a private network"),
        ({"addresses": "http://0.0.0.0/"}, "This address cannot be used: http://0.0.0.0/"),
        ({"addresses": ""}, "required"),
        ({"name": ""}, "required"),
        ({"place": "01890000-0000-7000-8000-000000000000"}, "valid choice"),
        ({"interval": "often"}, "valid choice"),
    ],
)
def test_a_form_says_what_is_wrong(administrator: Member, change: dict[str, str], word: str) -> None:
    asked = {"name": "Site", "addresses": "https://docs.invalid/a", "interval": "daily"} | change
    answer = browser(administrator).post(f"{base(administrator)}addresses/new/", asked)
    assert answer.status_code == 422
    errors = html.fromstring(answer.content).xpath("//*[contains(@class, 'field__error')]")
    assert word in " ".join(" ".join(error.itertext()) for error in errors)
    assert not Source.objects.exists()


def test_a_source_is_changed_by_its_form(administrator: Member, source: Synced) -> None:
    client, where = browser(administrator), f"{base(administrator)}{source.id}/change/"
    form = html.fromstring(client.get(where).content).xpath("//main//form[.//input[@name='path']]")[0]
    assert dict(form.form_values()) | {"csrfmiddlewaretoken": ""} == {
        "csrfmiddlewaretoken": "", "name": "Handbook", "path": "handbook", "place": "", "interval": "manual",
    }  # fmt: skip
    asked = {"name": "Manual", "path": "handbook", "place": "", "interval": "hourly"}
    assert client.post(where, asked).headers["Location"] == base(administrator)
    assert "Manual is changed" in client.get(base(administrator)).content.decode()
    assert (source.row.name, source.row.interval, source.row.state) == ("Manual", "hourly", "ready")
    answer = client.post(where, {**asked, "path": "../other"})
    assert answer.status_code == 422
    assert "Name a folder below" in answer.content.decode()
    assert source.row.settings == {"path": "handbook"}
    assert client.post(where, {}).status_code == 422


def test_addresses_stand_one_in_each_line_of_the_form(administrator: Member) -> None:
    client = browser(administrator)
    asked = {"name": "Site", "addresses": "https://a.invalid/\nhttps://b.invalid/", "interval": "daily"}
    client.post(f"{base(administrator)}addresses/new/", asked)
    page = client.get(f"{base(administrator)}{Source.objects.get().pk}/change/")
    (text,) = html.fromstring(page.content).xpath("//textarea[@name='addresses']/text()")
    assert text.split() == ["https://a.invalid/", "https://b.invalid/"]


def test_a_place_one_does_not_see_stays_as_it_is(administrator: Member, source: Synced) -> None:
    who = principal_of(administrator)
    channel = create_channel(principal=who, name="team", is_private=True)
    change_source(principal=who, source_id=source.id, wanted=SourceChange(place=SourcePlace(channel)))
    other = browser(MemberFactory(organization=administrator.organization, role="admin"))
    where = f"{base(administrator)}{source.id}/change/"
    page = other.get(where).content.decode()
    assert "A conversation you are not in" in page
    assert "team" not in page
    asked = {"name": "Manual", "path": "handbook", "place": str(channel), "interval": "manual"}
    assert other.post(where, asked).status_code == 302
    assert (source.row.name, source.row.conversation_id) == ("Manual", channel)
    answer = other.post(where, {**asked, "place": ""})
    assert answer.status_code == 422
    assert "Its documents belong to a conversation you are not in." in answer.content.decode()
    assert source.row.conversation_id == channel


def test_folders_are_offered_only_where_the_operator_allows_them(
    administrator: Member, shelf: Shelf, settings: LazySettings
) -> None:
    client = browser(administrator)
    where = f"{base(administrator)}folder/new/"
    assert where.encode() in client.get(f"{base(administrator)}new/").content
    asked = {"name": "Handbook", "path": "handbook", "interval": "manual"}
    assert client.post(where, asked).status_code == 302
    assert Source.objects.get().settings == {"path": "handbook"}
    settings.CONFIGURATION = replace(
        settings.CONFIGURATION, documents=DocumentSettings(source_folders_root=None)
    )
    assert where.encode() not in client.get(f"{base(administrator)}new/").content
    assert client.get(where).status_code == 404
    assert client.post(where, {**asked, "name": "Other"}).status_code == 404
    assert Source.objects.count() == 1


def test_the_buttons_do_what_they_say(administrator: Member, source: Synced, shelf: Shelf) -> None:
    client, one = browser(administrator), f"{base(administrator)}{source.id}"
    client.post(f"{one}/pause/", {"paused": "1"})
    assert "paused" in row(client, administrator)
    client.post(f"{one}/pause/", {"paused": "0"})
    assert "paused" not in row(client, administrator)
    shelf.put("a.txt", b"Other words.")
    client.post(f"{one}/sync/")
    assert "synchronizing" in row(client, administrator)
    work_off()
    assert texts() == ["Other words."]
    assert client.get(f"{one}/remove/").status_code == 200
    client.post(f"{one}/remove/", {"documents": "remove"})
    assert "being removed" in row(client, administrator)
    work_off()
    assert not Source.objects.exists()
    assert not Document.objects.exists()


def test_what_waits_is_confirmed(administrator: Member, source: Synced) -> None:
    Source.objects.update(state=SourceState.HELD, held_count=12)
    client, one = browser(administrator), f"{base(administrator)}{source.id}"
    assert "Remove 12 documents" in row(client, administrator)
    assert "12 documents that were read from here" in client.get(f"{one}/confirm/").content.decode()
    client.post(f"{one}/confirm/")
    work_off()
    assert source.row.state == "ready"
    assert SourceItem.objects.filter(gone_at=None).count() == 2


@pytest.mark.parametrize("role", ["guest", "member", "moderator", "auditor"])
@pytest.mark.parametrize(
    "path",
    [
        "",
        "new/",
        "addresses/new/",
        "folder/new/",
        "{}/sync/",
        "{}/pause/",
        "{}/unread/",
        "{}/confirm/",
        "{}/remove/",
    ],
)
def test_for_everybody_else_there_are_no_sources(
    administrator: Member, shelf: Shelf, role: str, path: str
) -> None:
    other = MemberFactory(organization=administrator.organization, role=role)
    made = synced(administrator, shelf)
    client, where = browser(other), base(administrator) + path.format(made.id)
    assert (client.get(where).status_code, client.post(where).status_code) == (404, 404)
    assert Source.objects.count() == 1
    assert principal_of(other).role == role


# Kinds with a password

REPOSITORY = {
    "name": "Repository", "url": "https://git.invalid/team/handbook", "branch": "main", "include": "docs/**\n*.md",
    "username": "reader", "secret": "the-token", "interval": "manual",
}  # fmt: skip


def test_a_repository_is_added_by_a_form(administrator: Member) -> None:
    client = browser(administrator)
    answer = client.post(f"{base(administrator)}git/new/", REPOSITORY)
    assert answer.headers["Location"] == base(administrator)
    made = Source.objects.get()
    assert made.settings == {
        "url": "https://git.invalid/team/handbook", "branch": "main", "include": ["docs/**", "*.md"],
        "username": "reader",
    }  # fmt: skip
    assert made.secret == "the-token"
    assert "https://git.invalid/team/handbook main" in row(client, administrator)


def test_the_password_is_not_shown_again_and_stays_when_it_is_left_empty(administrator: Member) -> None:
    client = browser(administrator)
    client.post(f"{base(administrator)}git/new/", REPOSITORY)
    source = Source.objects.get()
    where = f"{base(administrator)}{source.pk}/change/"
    page = client.get(where)
    assert b"the-token" not in page.content
    assert "Leave it empty to keep the one that is stored." in page.content.decode()
    form = html.fromstring(page.content).xpath("//main//form[.//input[@name='secret']]")[0]
    assert [field.get("value") for field in form.xpath(".//input[@name='secret']")] == [None]
    client.post(where, dict(form.form_values()) | {"branch": "next", "secret": ""})
    source = Source.objects.get()
    assert (source.settings["branch"], source.secret) == ("next", "the-token")


def test_another_address_in_the_form_asks_for_the_password(administrator: Member) -> None:
    client = browser(administrator)
    client.post(f"{base(administrator)}git/new/", REPOSITORY)
    where = f"{base(administrator)}{Source.objects.get().pk}/change/"
    asked = REPOSITORY | {"url": "https://evil.invalid/team/handbook", "secret": ""}
    answer = client.post(where, asked)
    assert answer.status_code == 422
    assert "Enter it again" in answer.content.decode()
    assert b"the-token" not in answer.content
    assert Source.objects.get().settings["url"] == "https://git.invalid/team/handbook"


# What is added, and what is forgotten


def links(client: Client, where: str) -> list[str]:
    page = html.fromstring(client.get(where).content)
    return [str(link) for link in page.xpath("//main//a[contains(@class, 'choice')]/@href")]


def test_one_button_leads_to_the_kinds_of_sources(
    administrator: Member, shelf: Shelf, settings: LazySettings
) -> None:
    client, where = browser(administrator), f"{base(administrator)}new/"
    page = html.fromstring(client.get(base(administrator)).content)
    (button,) = page.xpath("//main//*[contains(@class, 'bar__tools')]//a")
    assert (button.get("href"), button.get("hx-target")) == (where, "#dialog")
    kinds = ["addresses", "git", "bucket", "mailbox", "folder"]
    assert links(client, where) == [f"{base(administrator)}{kind}/new/" for kind in kinds]
    assert [client.get(link).status_code for link in links(client, where)] == [200] * 5
    settings.CONFIGURATION = replace(
        settings.CONFIGURATION, documents=DocumentSettings(source_folders_root=None)
    )
    assert len(links(client, where)) == 4


BUCKET = {
    "name": "Bucket", "bucket": "handbook", "access_key": "AKIAEXAMPLE", "secret": "word", "interval": "manual",
}  # fmt: skip
MAILBOX = {
    "name": "Mail", "host": "mail.invalid", "port": "993", "security": "tls", "username": "info", "secret": "word",
    "interval": "manual",
}  # fmt: skip
PRIVATE = [("git", REPOSITORY, "username"), ("bucket", BUCKET, "access_key")]


@pytest.mark.parametrize(
    ("path", "label"),
    [("git", "Access token or password"), ("bucket", "Secret access key"), ("mailbox", "Password")],
)
def test_a_secret_is_called_what_its_server_calls_it(administrator: Member, path: str, label: str) -> None:
    page = html.fromstring(browser(administrator).get(f"{base(administrator)}{path}/new/").content)
    (said,) = page.xpath("//label[@for='id_secret']/text()")
    assert said.strip() == label
    assert page.xpath("//input[@name='forget']") == []


def added_by_form(client: Client, member: Member, path: str, asked: dict[str, str]) -> str:
    """Add a source; return where it is changed."""
    assert client.post(f"{base(member)}{path}/new/", asked).status_code == 302
    return f"{base(member)}{Source.objects.get().pk}/change/"


@pytest.mark.parametrize(("path", "asked", "named_by"), PRIVATE)
def test_a_stored_secret_is_forgotten_with_whose_it_is(
    administrator: Member, path: str, asked: dict[str, str], named_by: str
) -> None:
    client = browser(administrator)
    where = added_by_form(client, administrator, path, asked)
    assert b'name="forget"' in client.get(where).content
    assert client.post(where, asked | {"secret": "", "forget": "on"}).status_code == 302
    source = Source.objects.get()
    assert (source.secret, source.settings[named_by]) == (None, "")
    noted = AuditEntry.objects.filter(action="source.secret_forgotten", object_id=str(source.pk))
    assert noted.count() == 1
    assert b'name="forget"' not in client.get(where).content


@pytest.mark.parametrize(("path", "asked", "named_by"), PRIVATE)
def test_a_new_secret_and_forgetting_are_not_both_meant(
    administrator: Member, path: str, asked: dict[str, str], named_by: str
) -> None:
    client = browser(administrator)
    where = added_by_form(client, administrator, path, asked)
    answer = client.post(where, asked | {"secret": "another", "forget": "on"})
    assert answer.status_code == 422
    assert "Enter a new one, or forget the stored one." in answer.content.decode()
    source = Source.objects.get()
    assert (source.secret, source.settings[named_by]) == (asked["secret"], asked[named_by])


def test_a_mailbox_is_read_by_its_password_which_stays(administrator: Member) -> None:
    client = browser(administrator)
    where = added_by_form(client, administrator, "mailbox", MAILBOX)
    assert b'name="forget"' not in client.get(where).content
    assert client.post(where, MAILBOX | {"secret": "", "forget": "on"}).status_code == 302
    assert Source.objects.get().secret == "word"


def test_what_is_not_stored_is_not_forgotten(administrator: Member) -> None:
    client = browser(administrator)
    public = REPOSITORY | {"username": "", "secret": ""}
    where = added_by_form(client, administrator, "git", public)
    client.post(where, public | {"forget": "on"})
    change_source(
        principal=principal_of(administrator),
        source_id=Source.objects.get().pk,
        wanted=SourceChange(secret=""),
    )
    assert not AuditEntry.objects.filter(action__in=["source.secret_forgotten", "source.changed"]).exists()


def test_a_form_says_whom_to_ask_for_a_server_inside(administrator: Member) -> None:
    answer = browser(administrator).post(
        f"{base(administrator)}bucket/new/",
        BUCKET | {"endpoint": "https://10.0.0.5:9000", "path_style": "on"},
    )
    (error,) = html.fromstring(answer.content).xpath("//*[contains(@class, 'field__error')]")
    assert "Ask your operator to name it in CHATSYSTEM_SOURCE_ADDRESSES." in error.text_content()
    assert not Source.objects.exists()


def test_a_new_mailbox_needs_its_password(administrator: Member) -> None:
    answer = browser(administrator).post(f"{base(administrator)}mailbox/new/", MAILBOX | {"secret": ""})
    assert answer.status_code == 422
    assert "required" in html.fromstring(answer.content).xpath("string(//*[@id='id_secret-error'])")
    assert not Source.objects.exists()
