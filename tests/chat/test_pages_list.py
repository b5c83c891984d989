"""The list of conversations beside every page of chat: its order, what waits in all of them, and leaving one."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from apps.accounts.types import Principal
from apps.chat.errors import ConversationNotFound
from apps.chat.models import Message
from apps.chat.selectors import conversations
from apps.chat.services import conversations as opening
from apps.chat.views import common
from tests.chat.test_pages import SCRIPT, Reader, ada, ben
from tests.chat.world import World

__all__ = ["ada", "ben"]


def test_leaving_a_private_channel_is_asked_about_first(world: World, ada: Reader, ben: Reader) -> None:
    secret = world.channel(ada.person, "geheim", [ben.person], is_private=True)
    address = ben.url("leave", conversation_id=secret)
    about = ben.page(ben.url("about", conversation_id=secret))
    assert [link.get("href") for link in about.xpath("//a[contains(., 'Leave channel')]")] == [address]
    assert "only if somebody in it adds you again" in ben.page(address).text_content()
    assert conversations.get_conversation(ben.person, secret).is_member
    assert ben.client.post(address).status_code == 302
    with pytest.raises(ConversationNotFound):
        conversations.get_conversation(ben.person, secret)


def test_everything_unread_stands_on_one_page_and_is_read_at_once(
    world: World, ada: Reader, ben: Reader
) -> None:
    channel = world.channel(ada.person, "betrieb", [ben.person])
    world.say(ada.person, channel, "Neu")
    assert "Mark everything as read" in ben.page(ben.url("why")).text_content()
    assert ben.client.post(ben.url("read_everything"), headers=SCRIPT).status_code == 204
    assert "Nothing is unread" in ben.page(ben.url("why")).text_content()
    assert ben.client.post(ben.url("read_everything")).headers["Location"] == ben.url("why")


def test_what_is_unread_stands_by_conversation_and_is_read_in_one_alone(
    world: World, ada: Reader, ben: Reader
) -> None:
    crane = world.channel(ada.person, "kran", [ben.person])
    ferry = world.channel(ada.person, "fähre", [ben.person], is_private=True)
    world.say(ada.person, crane, "Der **Kran** steht")
    world.say(ada.person, ferry, "Die Fähre legt ab")
    shown = world.say(ada.person, crane, "Bitte kommen, @**Ben**")

    def groups() -> dict[str, list[str]]:
        cards = ben.page(ben.url("why")).xpath("//*[@data-unread-list]/li")
        return {
            card.xpath(".//h2")[0].text_content(): [
                text.text_content() for text in card.xpath(".//li//small")
            ]
            for card in cards
        }

    assert groups() == {"kran": ["Bitte kommen, @Ben", "Der Kran steht"], "fähre": ["Die Fähre legt ab"]}
    page = ben.page(ben.url("why")).text_content()
    assert "3 unread messages, 1 mention" in page
    assert ("mentions you" in page, "not read yet" in page) == (True, False)
    (button,) = ben.page(ben.url("why")).xpath(f"//*[@data-conversation='{crane}']//button[@name='sequence']")
    world.say(ada.person, crane, "Noch etwas")  # which nobody has seen there
    address = button.get("formaction")
    assert address == ben.url("read", conversation_id=crane)
    assert button.get("value") == str(shown.sequence)
    answer = ben.client.post(address, {"sequence": button.get("value")})
    assert answer.headers["Location"] == ben.url("why")
    assert groups() == {"kran": ["Noch etwas"], "fähre": ["Die Fähre legt ab"]}


def test_only_members_move_their_marker(world: World, ada: Reader, ben: Reader) -> None:
    secret = world.channel(ada.person, "geheim", [], is_private=True)
    world.say(ada.person, secret, "Neu")
    assert ben.client.post(ben.url("read", conversation_id=secret), {"sequence": 1}).status_code == 404
    address = ada.url("read", conversation_id=secret)
    for wrong in ("", "-1", "x", str(1 << 63)):
        assert ada.client.post(address, {"sequence": wrong}, headers=SCRIPT).status_code == 400
    assert ada.client.get(address).status_code == 405


def test_direct_conversations_stand_by_their_newest_message_and_old_ones_are_folded(
    world: World, ada: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(common, "RECENT", 2)
    people = [world.person(name) for name in ("Bea", "Cem", "Dora", "Emil")]
    talks = [opening.open_direct(principal=ada.person, people=[person.id]) for person in people]
    minutes = iter(range(100))

    def say(sender: Principal, talk: UUID) -> None:
        sent = world.say(sender, talk, "Moin")
        moment = timezone.now() + timedelta(minutes=next(minutes))  # one transaction has one time
        Message.objects.filter(pk=sent.id).update(sent_at=moment)

    def listed() -> tuple[list[str], list[str]]:
        (group,) = ada.page(ada.url("list")).xpath("//*[@data-group='direct']")
        shown = [link.get("data-name") for link in group.xpath("./ul//a[@data-name]")]
        return shown, [link.get("data-name") for link in group.xpath("./details//a[@data-name]")]

    for place in (3, 0, 1, 2):
        say(ada.person, talks[place])
    assert listed() == (["Dora", "Cem"], ["Bea", "Emil"])
    say(people[3], talks[3])
    assert listed() == (["Emil", "Dora"], ["Cem", "Bea"])
    say(people[0], talks[0])
    say(ada.person, talks[1])
    say(ada.person, talks[2])
    assert listed() == (["Dora", "Cem", "Bea", "Emil"], [])  # what waits is never folded
