"""Pages of chat as a browser without scripts sees them, and what scripts ask for."""

from __future__ import annotations

import json
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.urls import reverse
from lxml import html
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import User
from apps.accounts.types import Principal
from apps.chat.errors import ConversationNotFound
from apps.chat.models import Message, Reaction
from apps.chat.selectors import conversations, messages
from apps.chat.selectors import statuses as status_selectors
from apps.chat.services import drafts, reading, statuses
from tests.accounts.sessions import open_session
from tests.chat.world import World

SCRIPT = {"X-Requested-With": "fetch", "Accept": "application/json"}
FRAGMENT = {"HX-Request": "true", "HX-Target": "dialog#dialog"}


class Reader:
    """A signed-in browser."""

    def __init__(self, person: Principal) -> None:
        self.person = person
        self.client = Client()
        self.client.cookies["session"] = open_session(User.objects.get(pk=person.id))

    def url(self, name: str, **which: object) -> str:
        return reverse(f"chat:{name}", kwargs={"slug": self.person.organization_slug, **which})

    def page(self, address: str) -> html.HtmlElement:
        response = self.client.get(address)
        assert response.status_code == 200
        return html.fromstring(response.content)

    def notices(self, address: str) -> int:
        told: dict[str, int] = json.loads(self.page(address).get_element_by_id("page-data").text)
        return told["notices"]

    def texts(self, address: str) -> list[str]:
        return [part.text_content().strip() for part in self.page(address).find_class("message__text")]


@pytest.fixture
def ada(world: World) -> Reader:
    return Reader(world.person("Ada"))


@pytest.fixture
def ben(world: World) -> Reader:
    return Reader(world.person("Ben"))


def test_home_leads_to_where_one_is_mentioned(world: World, ada: Reader, ben: Reader) -> None:
    quiet = world.channel(ada.person, "ruhig", [ben.person])
    busy = world.channel(ada.person, "laut", [ben.person])
    world.say(ada.person, busy, "@**Ben** bitte ansehen")
    world.say(ada.person, quiet, "später, aber ohne Namen")
    response = ben.client.get(ben.url("home"))
    assert response.status_code == 302
    assert response.headers["Location"] == ben.url("conversation", conversation_id=busy)


def test_home_says_so_where_there_is_nothing(world: World, ada: Reader) -> None:
    assert (
        ada.page(ada.url("home")).find_class("empty")[0].find("h2").text_content() == "No conversations yet"
    )


def test_a_conversation_opens_at_the_first_unread(world: World, ada: Reader, ben: Reader) -> None:
    conversation = world.channel(ada.person, "betrieb", [ben.person])
    sent = [world.say(ada.person, conversation, f"Nachricht {number}") for number in range(3)]
    reading.move_marker(principal=ben.person, conversation_id=conversation, sequence=sent[0].sequence)
    page = ben.page(ben.url("conversation", conversation_id=conversation))
    line = page.get_element_by_id("unread")
    assert line.getnext().get("data-message") == str(sent[1].id)
    assert line.text_content().endswith("2 messages")


def test_a_page_says_up_to_which_notice_it_was_drawn(world: World, ada: Reader, ben: Reader) -> None:
    conversation = world.channel(ada.person, "betrieb", [ben.person])
    sent = world.say(ada.person, conversation, "gelesen")
    address = ben.url("conversation", conversation_id=conversation)
    before = ben.notices(address)
    reading.move_marker(principal=ben.person, conversation_id=conversation, sequence=sent.sequence)
    assert ben.notices(address) == before + 1


@pytest.mark.parametrize("count", [1, 20])
def test_a_conversation_costs_the_same_for_any_number_of_messages(
    world: World, ada: Reader, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    conversation = world.channel(ada.person, "betrieb")
    for number in range(count):
        world.say(ada.person, conversation, f"Nachricht {number}")
    address = ada.url("conversation", conversation_id=conversation)
    ada.client.get(address)
    with django_assert_num_queries(
        13
    ):  # topics with what waits in them, wishes about topics; the bell, threads
        assert ada.client.get(address).status_code == 200


def test_foreign_and_missing_conversations_look_the_same(world: World, ada: Reader, ben: Reader) -> None:
    secret = world.channel(ada.person, "geheim", is_private=True)
    world.say(ada.person, secret, "Das steht nirgends sonst")
    for name in ("conversation", "window", "members", "about"):
        foreign = ben.client.get(
            ben.url(name, conversation_id=secret), headers={"Accept": "application/json"}
        )
        missing = ben.client.get(
            ben.url(name, conversation_id=uuid4()), headers={"Accept": "application/json"}
        )
        assert (foreign.status_code, missing.status_code) == (404, 404)
        assert foreign.json()["detail"] == missing.json()["detail"]


def test_a_message_is_not_found_under_another_conversation(world: World, ada: Reader) -> None:
    one, other = world.channel(ada.person, "eins"), world.channel(ada.person, "zwei")
    sent = world.say(ada.person, one, "nur in eins")
    for name in ("fragment", "actions", "history", "thread"):
        response = ada.client.get(ada.url(name, conversation_id=other, message_id=sent.id))
        assert response.status_code == 404
    moved = ada.client.get(ada.url("message", conversation_id=other, message_id=sent.id))
    assert moved["Location"] == ada.url("message", conversation_id=one, message_id=sent.id)


def test_a_form_sends_once_however_often_it_is_sent(world: World, ada: Reader) -> None:
    conversation = world.channel(ada.person, "betrieb")
    drafts.save_draft(principal=ada.person, conversation_id=conversation, body="Moin")
    form = ada.page(ada.url("conversation", conversation_id=conversation)).xpath(
        "//main//form[@data-composer]"
    )[0]
    assert form.xpath(".//textarea")[0].text_content() == "Moin"
    data = {"body": "Moin", "client_key": form.fields["client_key"]}
    answers = [ada.client.post(form.get("action"), data) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    assert Message.objects.filter(conversation_id=conversation).count() == 1
    assert drafts.drafts_of(principal=ada.person, conversation_id=conversation) == {}


def test_windows_go_on_before_and_after_without_doubles(world: World, ada: Reader) -> None:
    conversation = world.channel(ada.person, "betrieb")
    sent = [world.say(ada.person, conversation, f"{number:03}") for number in range(120)]
    base = ada.url("window", conversation_id=conversation)
    newest = ada.texts(base)
    assert newest == [f"{number:03}" for number in range(40, 120)]
    older = ada.texts(f"{base}?{urlencode({'before': sent[40].id})}")
    assert older == [f"{number:03}" for number in range(40)]
    newer = ada.texts(f"{base}?{urlencode({'after': sent[9].id})}")
    assert newer == [f"{number:03}" for number in range(10, 60)]
    assert ada.client.get(f"{base}?before=nonsense").status_code == 404


def test_a_reaction_is_chosen_and_taken_back_by_the_same_button(
    world: World, ada: Reader, ben: Reader
) -> None:
    conversation = world.channel(ada.person, "betrieb", [ben.person])
    sent = world.say(ada.person, conversation)
    address = ben.url("react", conversation_id=conversation, message_id=sent.id)
    assert ben.client.post(address, {"emoji": "👍"}, headers=SCRIPT).status_code == 204
    assert Reaction.objects.get(message_id=sent.id).principal_id == ben.person.id
    assert ben.client.post(address, {"emoji": "👍"}).status_code == 302
    assert not Reaction.objects.filter(message_id=sent.id).exists()
    refused = ben.client.post(address, {"emoji": "nope"}, headers=SCRIPT)
    assert refused.status_code == 400
    assert refused.json()["code"] == "chat.unknown_emoji"


def test_only_the_author_edits_and_sees_what_is_wrong(world: World, ada: Reader, ben: Reader) -> None:
    conversation = world.channel(ada.person, "betrieb", [ben.person])
    sent = world.say(ada.person, conversation, "vorher")
    address = ada.url("edit", conversation_id=conversation, message_id=sent.id)
    assert ben.client.post(address, {"body": "fremd", "version": 1}, headers=SCRIPT).status_code == 403
    old = ada.client.post(address, {"body": "nachher", "version": 7}, headers=SCRIPT)
    assert (old.status_code, old.json()["code"]) == (412, "chat.version_conflict")
    shown = ada.client.post(address, {"body": "  ", "version": 1})
    assert shown.status_code == 422
    assert "Write something or attach a file." in html.fromstring(shown.content).text_content()
    assert messages.get_message(ada.person, sent.id).body == "vorher"
    assert ada.client.post(address, {"body": "nachher", "version": 1}).status_code == 302
    assert messages.get_message(ada.person, sent.id).body == "nachher"
    older = ada.page(ada.url("history", conversation_id=conversation, message_id=sent.id))
    assert [part.text_content() for part in older.find_class("diff")] == ["vorhernachher", "vorher"]


def test_deleting_asks_first_and_takes_the_text_away(world: World, ada: Reader, ben: Reader) -> None:
    conversation = world.channel(ada.person, "betrieb", [ben.person])
    sent = world.say(ada.person, conversation, "weg damit")
    address = ada.url("delete", conversation_id=conversation, message_id=sent.id)
    assert "For 24 hours they can be brought back" in ada.page(address).text_content()
    assert ben.client.post(address).status_code == 403
    assert ada.client.post(address).status_code == 302
    page = ada.page(ada.url("conversation", conversation_id=conversation))
    assert "weg damit" not in page.text_content()
    assert len(page.find_class("message--deleted")) == 1


def test_a_channel_is_made_in_the_dialog_and_mistakes_are_named_there(world: World, ada: Reader) -> None:
    address = ada.url("new_channel")
    world.channel(ada.person, "betrieb")
    taken = ada.client.post(address, {"name": "Betrieb"}, headers=FRAGMENT)
    assert taken.status_code == 422
    assert b"<html" not in taken.content
    error = html.fromstring(taken.content).find_class("field__error")[0]
    assert error.text_content().strip() == "A channel with this name exists."
    made = ada.client.post(address, {"name": "Neu", "is_private": "on"}, headers=FRAGMENT)
    assert made.status_code == 204
    leads = made.headers["HX-Redirect"]
    found = next(c for c in conversations.list_conversations(ada.person) if c.name == "Neu")
    assert leads == ada.url("conversation", conversation_id=found.id)
    assert found.is_private


def test_writing_to_the_same_people_leads_to_the_same_conversation(
    world: World, ada: Reader, ben: Reader
) -> None:
    answers = [ada.client.post(ada.url("new_direct"), {"people": str(ben.person.id)}) for _ in range(2)]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    nobody = ada.client.post(ada.url("new_direct"), {})
    assert nobody.status_code == 422


def test_channels_are_found_joined_and_left(world: World, ada: Reader, ben: Reader) -> None:
    conversation = world.channel(ada.person, "betrieb")
    world.channel(ada.person, "geheim", is_private=True)
    listed = ben.page(ben.url("browse")).get_element_by_id("channels").text_content()
    assert "betrieb" in listed
    assert "geheim" not in listed
    assert (
        "betrieb" not in ben.page(ben.url("browse") + "?q=xyz").get_element_by_id("channels").text_content()
    )
    visitor = ben.page(ben.url("conversation", conversation_id=conversation))
    assert visitor.xpath("//form[@data-composer]") == []
    assert ben.client.post(ben.url("join", conversation_id=conversation)).status_code == 302
    assert ben.page(ben.url("conversation", conversation_id=conversation)).xpath("//form[@data-composer]")
    assert ben.client.post(ben.url("leave", conversation_id=conversation)).status_code == 302
    assert conversations.list_conversations(ben.person) == []


def test_people_are_added_and_removed_by_who_may(world: World, ada: Reader, ben: Reader) -> None:
    conversation = world.channel(ada.person, "geheim", is_private=True)
    address = ada.url("members", conversation_id=conversation)
    assert ada.client.post(address, {"people": str(ben.person.id)}).status_code == 302
    assert conversations.get_conversation(ben.person, conversation).is_member
    remove = {"conversation_id": conversation, "person_id": ada.person.id}
    assert ben.client.post(ben.url("remove", **remove)).status_code == 403
    remove["person_id"] = ben.person.id
    assert ada.client.post(ada.url("remove", **remove)).status_code == 302
    with pytest.raises(ConversationNotFound):
        conversations.get_conversation(ben.person, conversation)


def test_the_creator_renames_and_archives_and_others_do_not(world: World, ada: Reader, ben: Reader) -> None:
    conversation = world.channel(ada.person, "alt", [ben.person])
    about, archive = ({"conversation_id": conversation} for _ in range(2))
    assert ben.client.post(ben.url("archive", **archive), {"archived": "1"}).status_code == 403
    assert (
        ada.client.post(ada.url("about", **about), {"name": "neu", "description": "anders"}).status_code
        == 302
    )
    assert conversations.get_conversation(ben.person, conversation).name == "neu"
    assert ada.client.post(ada.url("archive", **archive), {"archived": "1"}).status_code == 302
    page = ben.page(ben.url("conversation", conversation_id=conversation))
    assert page.xpath("//form[@data-composer]") == []
    assert "This channel is archived." in page.text_content()


def test_members_say_what_a_channel_is_for_and_nothing_else_of_it(
    world: World, ada: Reader, ben: Reader
) -> None:
    conversation = world.channel(ada.person, "alt", [ben.person])
    address = ben.url("about", conversation_id=conversation)
    assert ben.page(address).xpath("//main//form//input[@type='text']/@name") == ["description"]
    sent = {"description": "Alte Sachen", "name": "neu", "is_private": "on"}
    assert ben.client.post(address, sent).status_code == 302
    found = conversations.get_conversation(ada.person, conversation)
    assert (found.name, found.description, found.is_private) == ("alt", "Alte Sachen", False)


def test_preferences_are_ones_own(world: World, ada: Reader, ben: Reader) -> None:
    conversation = world.channel(ada.person, "betrieb", [ben.person])
    address = ada.url("preferences", conversation_id=conversation)
    assert ada.client.post(address, {"is_starred": "1"}).status_code == 302
    assert (
        ada.page(ada.url("browse")).xpath('//div[@data-group="starred"]//a')[0].get("data-name") == "betrieb"
    )
    assert not conversations.get_conversation(ben.person, conversation).is_starred


def test_mentions_are_suggested_from_whom_one_may_know(world: World, ada: Reader, ben: Reader) -> None:
    guest = Reader(world.person("Gast", role="guest"))
    names = [person["name"] for person in ada.client.get(ada.url("people") + "?q=be").json()["people"]]
    assert names == ["Ben"]
    assert guest.client.get(guest.url("people") + "?q=be").json()["people"] == []


def _unread_again(reader: Reader, conversation: UUID, message: UUID) -> int:
    address = reader.url("unread", conversation_id=conversation, message_id=message)
    assert reader.client.post(address, headers=SCRIPT).status_code == 204
    return conversations.get_conversation(reader.person, conversation).unread


def test_reading_can_be_taken_back_from_a_message_on(world: World, ada: Reader, ben: Reader) -> None:
    conversation = world.channel(ada.person, "betrieb", [ben.person])
    sent = [world.say(ada.person, conversation) for _ in range(4)]
    reading.move_marker(principal=ben.person, conversation_id=conversation, sequence=sent[3].sequence)
    assert _unread_again(ben, conversation, sent[2].id) == 2


@pytest.mark.parametrize(
    ("name", "read"),
    [("send", 405), ("draft", 405), ("join", 405), ("leave", 200), ("archive", 405), ("preferences", 405)],
)
def test_writes_are_posts_with_the_token_of_the_page(world: World, ada: Reader, name: str, read: int) -> None:
    conversation = world.channel(ada.person, "betrieb")
    address = ada.url(name, conversation_id=conversation)
    assert ada.client.get(address).status_code == read
    assert conversations.get_conversation(ada.person, conversation).is_member
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = ada.client.cookies
    assert strict.post(address, {"body": "fremd"}).status_code == 403
    assert not Message.objects.filter(conversation_id=conversation).exists()


def test_a_card_says_who_somebody_is_and_what_it_shows(world: World, ada: Reader, ben: Reader) -> None:
    statuses.set_status(ben.person, emoji="🚢", text="auf See")
    card = ada.page(ada.url("person", person_id=ben.person.id)).text_content()
    assert "auf See" in card
    assert "not here" in card
    assert ada.client.get(ada.url("person", person_id=uuid4())).status_code == 404


def test_a_status_is_a_form_and_ends_in_the_readers_day(world: World, ada: Reader) -> None:
    page = ada.url("status")
    said = {"emoji": "🚢", "text": "auf See", "ends": "today"}
    assert ada.client.post(page, said).status_code == 302
    own = status_selectors.get_status(ada.person)
    assert (own.text, own.expires_at is not None) == ("auf See", True)
    assert ada.client.post(page, {"text": "x", "is_undisturbed": "on", "ends": ""}).status_code == 422
    ada.client.post(ada.url("sharing"), {"shows_typing": "on"})
    assert status_selectors.get_status(ada.person).shows_presence is False
    ada.client.post(ada.url("clear_status"))
    assert status_selectors.get_status(ada.person).text == ""


def test_a_command_and_a_mass_mention_work_as_forms(world: World, ada: Reader) -> None:
    conversation = world.channel(ada.person, "betrieb", [world.person(name) for name in "BCDEF"])
    address = ada.url("send", conversation_id=conversation)
    assert ada.client.post(address, {"body": "/me winkt", "client_key": "a"}).status_code == 302
    asked = ada.client.post(address, {"body": "@all essen", "client_key": "b"})
    assert (asked.status_code, Message.objects.count()) == (409, 1)
    fields = {
        field.name: field.value or "" for field in html.fromstring(asked.content).xpath("//main//form//input")
    }
    assert ada.client.post(address, fields).status_code == 302
    assert list(Message.objects.order_by("sequence").values_list("body", flat=True)) == [
        "*winkt*",
        "@all essen",
    ]


@pytest.mark.parametrize("name", ["threads", "saved", "drafts", "scheduled", "reminders"])
def test_own_lists_say_so_where_there_is_nothing(world: World, ada: Reader, name: str) -> None:
    assert len(ada.page(ada.url(name)).find_class("empty")) == 1
