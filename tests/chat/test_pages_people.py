"""Choosing people: also where an organization has more than a page of them."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.utils import timezone
from lxml import html

from apps.accounts.models import Member
from apps.accounts.types import Principal
from apps.chat.selectors import channels, conversations
from apps.chat.views import conversations as views
from tests.chat.test_pages import FRAGMENT, Reader
from tests.chat.world import World


@pytest.fixture
def ada(world: World) -> Reader:
    return Reader(world.person("Ada"))


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two names stand for a page of two hundred."""
    monkeypatch.setattr(views, "MOST_CHOICES", 2)


@pytest.fixture
def many(world: World, ada: Reader) -> list[Principal]:
    """More people than are shown, the last of whom is in no list."""
    return [world.person(name) for name in ("Bea", "Cem", "Dora", "Zoe")]


def shown(reader: Reader, address: str) -> dict[str, bool]:
    """Return the names one may choose and whether each is chosen."""
    choices = reader.page(address).get_element_by_id("people-choices")
    return {
        line.find_class("cut")[0].text_content(): line.find_class("check")[0].get("checked") is not None
        for line in choices.find_class("check-line")
    }


def names(reader: Reader, address: str) -> list[str]:
    """Return who is in the conversation that was opened."""
    found = conversations.list_conversations(reader.person)
    (opened,) = [one for one in found if reader.url("conversation", conversation_id=one.id) == address]
    return sorted(person.name for person in opened.people)


def test_who_is_in_no_list_can_be_written_to(ada: Reader, many: list[Principal]) -> None:
    assert "Zoe" not in shown(ada, ada.url("new_direct"))
    answer = ada.client.post(ada.url("new_direct"), {"people": str(many[3].id)})
    assert names(ada, answer.headers["Location"]) == ["Zoe"]


def test_the_chosen_stay_chosen_while_further_names_are_looked_for(
    ada: Reader, many: list[Principal]
) -> None:
    address = f"{ada.url('new_direct')}?people={many[3].id}&people={many[0].id}&q=cem"
    assert shown(ada, address) == {"Zoe": True, "Bea": True, "Cem": False}


def test_without_a_script_a_name_is_looked_for_before_the_form_is_sent(
    ada: Reader, many: list[Principal]
) -> None:
    sent = {"people": [str(many[3].id)], "q": "dora", "find": "1"}
    answer = ada.client.post(ada.url("new_direct"), sent)
    assert answer.status_code == 200
    choices = html.fromstring(answer.content.decode()).get_element_by_id("people-choices")
    assert [box.get("value") for box in choices.find_class("check")] == [str(many[3].id), str(many[2].id)]
    assert not conversations.list_conversations(ada.person)
    answer = ada.client.post(ada.url("new_direct"), {"people": [str(many[3].id), str(many[2].id)]})
    assert names(ada, answer.headers["Location"]) == ["Dora", "Zoe"]


def test_the_chosen_stay_after_a_refusal(ada: Reader, many: list[Principal]) -> None:
    sent = {"people": [str(many[3].id), str(uuid4())]}
    answer = ada.client.post(ada.url("new_direct"), sent, headers=FRAGMENT)
    assert answer.status_code == 422
    choices = html.fromstring(answer.content.decode()).get_element_by_id("people-choices")
    assert choices.find_class("field__error")
    assert [box.get("value") for box in choices.find_class("check") if box.get("checked") is not None] == [
        str(many[3].id)
    ]


@pytest.mark.parametrize("named", ["", "nobody", "0", "\x00", "../"])
def test_what_names_nobody_is_refused(ada: Reader, many: list[Principal], named: str) -> None:
    assert ada.client.post(ada.url("new_direct"), {"people": named}).status_code == 422
    assert not conversations.list_conversations(ada.person)


def test_who_left_or_is_unknown_to_a_guest_cannot_be_chosen(
    world: World, ada: Reader, many: list[Principal]
) -> None:
    Member.objects.filter(user_id=many[3].id).update(deactivated_at=timezone.now())
    assert ada.client.post(ada.url("new_direct"), {"people": str(many[3].id)}).status_code == 422
    assert "Zoe" not in shown(ada, f"{ada.url('new_direct')}?people={many[3].id}")
    guest = Reader(world.person("Gast", role="guest"))
    assert guest.client.post(guest.url("new_direct"), {"people": str(many[0].id)}).status_code in (403, 422)


def test_people_in_no_list_are_added_to_a_channel_and_members_are_no_choice(
    world: World, ada: Reader, many: list[Principal]
) -> None:
    channel = world.channel(ada.person, "betrieb", [many[0]])
    address = ada.url("members", conversation_id=channel)
    assert "Bea" not in shown(ada, f"{address}?people={many[0].id}&q=bea")
    assert ada.client.post(address, {"people": str(many[3].id)}).status_code == 302
    inside = {person.name for person in conversations.members(ada.person, channel)}
    assert inside == {"Ada", "Bea", "Zoe"}
    nobody = ada.page(f"{address}?q=xyz").get_element_by_id("people-choices")
    assert "Nobody with this name." in nobody.text_content()


def test_a_large_channel_lists_a_part_of_its_members_and_finds_the_others(
    world: World, ada: Reader, many: list[Principal]
) -> None:
    channel = world.channel(ada.person, "betrieb", many)
    address = ada.url("members", conversation_id=channel)
    shown = ada.page(address)
    assert [line.find_class("cut")[0].text_content() for line in shown.xpath("//li[@data-person]")] == [
        "Ada",
        "Bea",
    ]
    assert "3 more people are in here." in shown.text_content()
    found = ada.page(f"{address}?q=zo")
    assert [line.get("data-person") for line in found.xpath("//li[@data-person]")] == [str(many[3].id)]


def test_a_cut_directory_says_so(world: World, ada: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("eins", "zwei"):
        world.channel(ada.person, name)
    address = ada.url("browse")
    assert "There are more channels" not in ada.page(address).text_content()
    monkeypatch.setattr(channels, "MOST", 2)
    assert "There are more channels" in ada.page(address).text_content()
