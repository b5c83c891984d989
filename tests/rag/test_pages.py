"""The search page and opened passages, as a browser without scripts sees them."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from lxml import html

from apps.accounts.models import User
from apps.accounts.types import Principal
from apps.core.events import types
from apps.core.models import Event
from apps.documents.handlers import read_attachments
from apps.documents.models import Document
from apps.files.services.uploads import store_file
from apps.rag import handlers
from apps.rag.services import synonyms
from apps.rag.types import Span
from apps.rag.views.showing import SIGNS, marked
from tests.accounts.sessions import open_session
from tests.chat.world import World
from tests.documents import samples
from tests.documents.conftest import folder, member  # noqa: F401 - fixtures
from tests.factories.accounts import principal_of
from tests.factories.documents import document, read_document
from tests.factories.files import picture
from tests.factories.runs import work_off
from tests.rag.library import embed_all, index_message

BASE = "/o/nordlicht/"


def _client(person: Principal) -> Client:
    client = Client()
    client.cookies["session"] = open_session(User.objects.get(pk=person.id))
    return client


def _page(client: Client, address: str, status: int = 200) -> html.HtmlElement:
    response = client.get(address)
    assert response.status_code == status
    return html.fromstring(response.content)


def _say(world: World, sender: Principal, conversation, body: str) -> None:
    sent = world.say(sender, conversation, body)
    index_message(world.organization.pk, conversation, sent.id)


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ((), "Die &lt;Bremse&gt; hält"),
        ((Span(4, 12),), "Die <mark>&lt;Bremse&gt;</mark> hält"),
        ((Span(0, 3), Span(13, 17)), "<mark>Die</mark> &lt;Bremse&gt; <mark>hält</mark>"),
    ],
)
def test_a_text_is_marked_and_escaped(marks: tuple[Span, ...], expected: str) -> None:
    assert marked("Die <Bremse> hält", marks) == expected


def test_the_signs_of_markdown_are_not_shown() -> None:
    text = "# Wartung\n| Turm | Öl |\n|---|:--|\n| **7** | 12 l |"
    shown = marked(text, (Span(text.index("12"), text.index("12") + 2),), without=SIGNS)
    assert shown == "Wartung\n Turm | Öl \n\n 7 | <mark>12</mark> l "


def test_a_hit_says_where_it_is_and_why(world: World) -> None:
    ada = world.person("Ada")
    conversation = world.channel(ada, "betrieb")
    _say(world, ada, conversation, "Die **Azimutbremse** bleibt <b>verriegelt</b>.")
    page = _page(_client(ada), BASE + "search/?q=Azimutbremse")
    (hit,) = page.find_class("hit")
    assert hit.find_class("hit__title")[0].text_content() == "betrieb"
    assert hit.find_class("hit__title")[0].get("href").startswith(f"{BASE}c/{conversation}/m/")
    assert hit.find_class("hit__text")[0].text_content() == "Die Azimutbremse bleibt <b>verriegelt</b>."
    assert [mark.text_content() for mark in hit.xpath(".//mark")] == ["Azimutbremse"]
    assert "Words Azimutbremse" in " ".join(hit.find_class("why")[0].text_content().split())


@pytest.mark.parametrize(("language", "words"), [("en", "exactly these words"), ("de", "genau diese Wörter")])
def test_the_help_is_written_in_the_language_of_its_reader(world: World, language: str, words: str) -> None:
    ada = world.person("Ada")
    User.objects.filter(pk=ada.id).update(language=language)
    told = _page(_client(ada), f"{BASE}search/?q=x").get_element_by_id("search-help").text_content()
    assert words in told
    assert "from:" in told


def test_others_find_nothing_of_a_private_channel(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    _say(world, ada, world.channel(ada, "geheim", is_private=True), "Das Losungswort ist Nachtigall")
    assert len(_page(_client(ada), BASE + "search/?q=Nachtigall").find_class("hit")) == 1
    page = _page(_client(ben), BASE + "search/?q=Nachtigall")
    assert page.find_class("hit") == []
    assert "Nothing found for “Nachtigall”" in page.text_content()


def test_a_hit_opens_the_message_that_holds_the_word(world: World) -> None:
    ada = world.person("Ada")
    conversation = world.channel(ada, "betrieb")
    sent = [
        world.say(ada, conversation, body) for body in ("Kurze Info", "Die Azimutbremse klemmt", "Bis morgen")
    ]
    for one in sent:
        index_message(world.organization.pk, conversation, one.id)
    page = _page(_client(ada), BASE + "search/?q=Azimutbremse")
    (hit,) = page.find_class("hit__title")
    assert hit.get("href") == f"{BASE}c/{conversation}/m/{sent[1].id}/"


def test_a_message_of_a_file_alone_shows_its_name(world: World, folder: Path) -> None:  # noqa: F811 - the fixture
    ada = world.person("Ada")
    stored = store_file(principal=ada, name="Kranbuch.png", data=picture())
    sent = world.say(ada, world.channel(ada, "betrieb"), "", attachments=(stored.id,))
    index_message(world.organization.pk, sent.conversation_id, sent.id)
    page = _page(_client(ada), BASE + "search/?q=has:attachment")
    assert "Kranbuch.png" in page.find_class("hit__where")[0].text_content()


def test_a_document_of_a_conversation_says_so_and_leads_to_its_message(world: World, folder: Path) -> None:  # noqa: F811
    ada = world.person("Ada")
    stored = store_file(principal=ada, name="plan.txt", data=b"The kormoran plan.")
    sent = world.say(ada, world.channel(ada, "betrieb"), "see", attachments=(stored.id,))
    read_attachments(types.restore(Event.objects.filter(type="message.sent").values().get()))
    work_off()
    for row in Event.objects.filter(type="document.page_parsed").values():
        handlers.index_page(types.restore(row))
    client = _client(ada)
    page = _page(client, BASE + "search/?q=kormoran")
    assert "betrieb" in page.find_class("hit__where")[0].text_content()
    opened = _page(client, page.find_class("hit__title")[0].get("href"))
    assert opened.xpath(f"//a[@href='{BASE}c/{sent.conversation_id}/m/{sent.id}/']")


def test_operators_are_no_question_to_the_assistant(world: World) -> None:
    ada = world.person("Ada")
    ask = f"{BASE}ask/"
    for query, address in (("bremse+from:ada", f"{ask}?q=bremse"), ("from:ada", ask), ("", ask)):
        (offer,) = _page(_client(ada), f"{BASE}search/?q={query}").xpath("//*[@id='ask-instead']//a/@href")
        assert offer == address


def test_what_only_messages_can_be_is_said_where_documents_are_looked_for(world: World) -> None:
    client = _client(world.person("Ada"))
    said = "Only messages can match these filters."
    assert said in _page(client, f"{BASE}search/?q=is:unread&type=document").text_content()
    assert said not in _page(client, f"{BASE}search/?q=is:unread").text_content()


def test_what_a_script_appends_takes_the_focus_along(world: World) -> None:
    ada = world.person("Ada")
    for number in range(12):
        _say(world, ada, world.channel(ada, f"betrieb {number}"), "Die Bremse hält")
    client = _client(ada)
    page = _page(client, f"{BASE}search/?q=bremse")
    (more,) = page.xpath("//*[@id='more']/a/@href")
    assert not page.xpath("//*[@class='hit__title'][@autofocus]")
    part = html.fromstring(client.get(more, headers={"HX-Request": "true"}).content)
    assert [one.get("autofocus") is not None for one in part.find_class("hit__title")] == [True, False]
    controls = [one.get("id") for one in page.xpath("//*[contains(@class, 'thumbs')]/button")]
    assert len(set(controls)) == len(controls) == 20


def test_filters_are_chips_that_can_be_taken_out(world: World) -> None:
    ada = world.person("Ada")
    _say(world, ada, world.channel(ada, "betrieb"), "Die Bremse hält")
    page = _page(_client(ada), BASE + "search/?q=bremse+in:betrieb+from:niemand")
    chips = page.find_class("chip")
    assert [chip.get("class") for chip in chips] == ["chip chip--on", "chip chip--guess"]
    assert chips[0].get("href").endswith("?q=bremse+from%3Aniemand")


def test_a_query_that_cannot_be_read_is_refused_on_the_page(world: World) -> None:
    page = _page(_client(world.person("Ada")), BASE + "search/?q=bremse&cursor=nonsense", status=422)
    assert page.find_class("notice--warn")[0].text_content().strip().startswith("This page does not exist.")


@pytest.mark.parametrize("query", ["\x00", "'\"<>%_*()&|!:", "x" * 5000, "in:", "before:2026-99-99"])
def test_strange_queries_show_a_page(world: World, query: str) -> None:
    response = _client(world.person("Ada")).get(BASE + "search/", {"q": query})
    assert response.status_code in (200, 422)


def test_a_search_says_that_documents_are_still_being_read(member) -> None:  # noqa: F811 - the fixture
    first = document(member, "crane.txt", b"The crane is oiled monthly.")
    document(member, "brake.txt", b"The brake stays locked.")
    base = f"/o/{member.organization.slug}/search/"
    client = Client()
    client.cookies["session"] = open_session(member.user)
    page = _page(client, f"{base}?q=crane")
    (notice,) = page.xpath("//*[@id='results']//*[@class='notice__title']")
    assert notice.text_content() == "2 documents are still being read; results may be missing."
    assert "Everything you may open was searched." not in page.text_content()
    for others in ("?q=crane&type=message", "?q=from:me"):  # no document can be missing there
        assert "still being read" not in _page(client, base + others).text_content()
    Document.objects.filter(pk=first.id).update(state="reading")
    assert "2 documents are" in _page(client, f"{base}?q=crane").text_content()
    work_off()
    page = _page(client, f"{base}?q=brake")
    assert "still being read" not in page.text_content()


def test_a_file_that_is_found_by_its_name_says_it(member) -> None:  # noqa: F811 - the fixture
    read_document(member, "handbook-2026.md", b"# Cranes\n\nThe crane is oiled monthly.\n")
    for row in Event.objects.filter(type="document.page_parsed").order_by("id").values():
        handlers.index_page(types.restore(row))
    embed_all(member.organization_id)
    base = f"/o/{member.organization.slug}/search/?q="
    client = _client(principal_of(member))
    page = _page(client, f"{base}file:2026")
    (hit,) = page.find_class("hit")
    assert hit.find_class("hit__title")[0].text_content() == "Cranes"
    assert "handbook-2026.md" in hit.find_class("hit__where")[0].text_content()
    assert "no word of your query" not in hit.text_content()
    (said,) = page.xpath("//*[@data-said]")
    assert "by words only" not in said.text_content()
    assert page.find_class("chip")[0].text_content().startswith("File: 2026")
    assert (
        "handbook-2026.md" in _page(client, f"{base}crane+file:handbook").find_class("hit")[0].text_content()
    )
    assert "handbook-2026.md" not in _page(client, f"{base}crane").find_class("hit")[0].text_content()
    assert not _page(client, f"{base}crane+-file:handbook").find_class("hit")


def test_a_passage_opens_on_its_page_with_its_words_marked(member) -> None:  # noqa: F811 - the fixture
    pages = ["The gearbox is oiled monthly.", "The yaw brake stays locked while the crane is hooked."]
    document = read_document(member, "handbook.pdf", samples.text_pdf(pages))
    for row in Event.objects.filter(type="document.page_parsed").order_by("id").values():
        handlers.index_page(types.restore(row))
    embed_all(member.organization_id)
    reader = principal_of(member)
    base = f"/o/{reader.organization_slug}/"
    client = _client(reader)
    title = _page(client, f"{base}search/?q=yaw+brake&type=document").find_class("hit__title")[0]
    page = _page(client, title.get("href"))
    assert page.find_class("viewer__bar")[0].text_content().strip().startswith("Page 2 of 2")
    assert len(page.xpath("//rect")) >= 1
    picture = page.xpath("//image/@href")[0]
    assert client.get(picture).headers["Content-Type"] == "image/png"
    text = _page(client, f"{base}passages/{document.id}/?page=2&start=4&end=13&view=text")
    assert [mark.text_content() for mark in text.xpath("//mark")] == ["yaw brake"]
    assert client.get(f"{base}passages/{document.id}/?page=9").status_code == 404


def test_what_is_not_understood_is_explained_in_its_place(world: World) -> None:
    page = _page(_client(world.person("Ada")), BASE + "search/?q=plan+-form:ben", status=422)
    (notice,) = page.find_class("notice--warn")
    assert notice.xpath(".//mark/text()") == ["-form:ben"]
    assert notice.xpath(".//a/@href")[0].endswith("?q=plan+-from%3Aben")


def test_suggestions_come_while_writing(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben Auer")
    world.channel(ben, "vorstand", is_private=True)
    world.channel(ada, "von oben")
    client = _client(ada)

    def found(text: str) -> list[str]:
        answer = client.get(BASE + "search/completions/", {"q": text, "at": len(text)}).json()
        return [f"{text[: answer['start']]}{one['text']}" for one in answer["suggestions"]]

    assert found("plan fr") == ["plan from:"]
    assert found("plan -von:be") == ['plan -from:"Ben Auer" ']
    assert found("in:vo") == ['in:"von oben" ']  # not the closed one of somebody else
    assert found("-is:un") == ["-is:unread "]
    assert found("plan") == found("https://x") == found("nosuch:x") == found("") == []
    assert client.get(BASE + "search/completions/", {"q": "fr", "at": "x" * 50}).status_code == 200


def test_synonyms_are_chips_that_can_be_left_out_and_taken_back(world: World) -> None:
    ada = world.person("Ada")
    _say(world, ada, world.channel(ada, "betrieb"), "Der Kran hält <b>")
    synonyms.add_synonyms(
        principal=world.person("Aylin", "admin"), terms=["Hebezeug", "Kran & Winde", "Kran"]
    )
    client = _client(ada)
    page = _page(client, BASE + "search/?q=Hebezeug&order=newest")
    first, second = page.find_class("chip")
    assert [" ".join(chip.text_content().split()) for chip in (first, second)] == [
        "also: Kran & Winde leave out",
        "also: Kran leave out",
    ]
    assert second.get("href") == f"{BASE}search/?q=Hebezeug&order=newest&plain=Kran"
    assert [mark.text_content() for mark in page.xpath("//mark")] == ["Kran"]
    page = _page(client, BASE + "search/?q=Hebezeug&plain=kran&plain=Kran+%26+winde")
    assert page.find_class("hit") == []
    first, second = page.find_class("chip")
    assert " ".join(second.text_content().split()) == "without: Kran look for it, too"
    assert second.get("href") == f"{BASE}search/?q=Hebezeug&plain=Kran+%26+winde"
    assert page.xpath("//input[@name='plain']/@value") == ["Kran & Winde", "Kran"]
    assert page.xpath("//input[@name='plain']/@form") == ["search-form"] * 2


def test_what_an_address_leaves_out_is_bounded(world: World) -> None:
    plain = "&plain=".join(["x" * 500, "%00", "\N{COLLISION SYMBOL}", *map(str, range(100))])
    page = _page(_client(world.person("Ada")), f"{BASE}search/?q=bremse&plain={plain}")
    assert page.xpath("//input[@name='plain']") == []


@pytest.mark.parametrize("terms", [["Urlaub", "Ferien"], ["Bremse", "Halteeinrichtung"]])
def test_the_page_costs_as_many_queries_with_synonyms_as_without(
    world: World, django_assert_num_queries, terms: list[str]
) -> None:
    ada = world.person("Ada")
    _say(world, ada, world.channel(ada, "betrieb"), "Die Bremse hält")
    synonyms.add_synonyms(principal=world.person("Aylin", "admin"), terms=terms)
    client = _client(ada)
    client.get(BASE + "search/?q=Bremse")
    # who reads: four; synonyms, ranking, passages, people, conversations, marks, documents that are being read; and,
    # when the answer is sent, its trace
    with django_assert_num_queries(12):
        client.get(BASE + "search/?q=Bremse")


def test_what_plain_words_say_is_offered_as_filters_that_can_be_taken_out_again(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben Ahrens")
    channel = world.channel(ada, "einkauf", [ben])
    _say(world, ben, channel, "Das Angebot der Werft von Ben")
    _say(world, ada, channel, "Das Angebot der Reederei")
    client = _client(ada)
    page = _page(client, f"{BASE}search/?q=Angebot+von+Ben&order=newest")
    (offer,) = page.xpath("//*[@aria-labelledby='narrower-title']//a")
    assert offer.find_class("cut")[0].text_content() == "From: Ben Ahrens"
    narrowed = _page(client, offer.get("href"))
    assert narrowed.xpath("//input[@name='q']")[0].get("value") == 'Angebot from:"Ben Ahrens"'
    assert narrowed.xpath("//input[@name='order']")[0].get("value") == "newest"
    assert len(narrowed.find_class("hit")) == 1
    assert not narrowed.xpath("//*[@aria-labelledby='narrower-title']")
    (chip,) = narrowed.find_class("chip--on")
    assert len(_page(client, chip.get("href")).find_class("hit")) == 2


def test_a_search_in_one_conversation_names_it_to_who_sees_it_and_leads_everywhere(world: World) -> None:
    ada, eve = world.person("Ada"), world.person("Eve")
    secret = world.channel(ada, "geheim", is_private=True)
    address = f"{BASE}search/?q=x&type=message&conversation={secret}"
    (chip,) = _page(_client(ada), address).find_class("chip--on")
    assert chip.find_class("cut")[0].text_content() == "In: geheim"
    assert chip.get("href") == f"{BASE}search/?q=x&type=message"
    (chip,) = _page(_client(eve), address).find_class("chip--on")
    assert chip.find_class("cut")[0].text_content() == "In one conversation"
