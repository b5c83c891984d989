"""Calling many people at once is meant, or refused; `@here` calls who is online."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from apps.accounts.services import groups
from apps.accounts.types import Principal
from apps.chat.errors import MassMentionUnconfirmed
from apps.chat.models import Mention, Message
from apps.chat.services import messages, presence
from apps.chat.types import Shown
from tests.chat.test_api import caller_of
from tests.chat.world import World


@pytest.fixture
def people(world: World) -> list[Principal]:
    return [world.person(name) for name in ("Ada", "Ben", "Cem", "Dag", "Eda", "Fay")]


@pytest.fixture
def channel(world: World, people: list[Principal]) -> UUID:
    return world.channel(people[0], "allgemein", people[1:])


def mentioned() -> set[UUID]:
    return set(Mention.objects.values_list("principal_id", flat=True))


@pytest.mark.parametrize("word", ["@all", "@channel", "@alle", "@everyone"])
def test_five_others_are_called_only_on_purpose(
    world: World, people: list[Principal], channel: UUID, word: str
) -> None:
    ada = people[0]
    with pytest.raises(MassMentionUnconfirmed) as refused:
        world.say(ada, channel, f"{word} lunch")
    assert "5" in refused.value.detail
    assert not Message.objects.exists()
    world.say(ada, channel, f"{word} lunch", confirm_mass_mention=True)
    assert mentioned() == {person.id for person in people[1:]}


def test_four_others_are_called_without_a_question(world: World, people: list[Principal]) -> None:
    small = world.channel(people[0], "klein", people[1:5])
    world.say(people[0], small, "@all lunch")
    assert len(mentioned()) == 4


def test_here_calls_who_is_online(
    world: World, people: list[Principal], channel: UUID, redis: object
) -> None:
    ada, ben, *others = people
    presence.beat([presence.Connection(ada.organization_id, ben.id, "c", Shown())])
    sent = world.say(ada, channel, "@here lunch")
    assert mentioned() == {ben.id}
    assert Message.objects.get(pk=sent.id).mentions == []
    messages.edit_message(principal=ada, message_id=sent.id, body="@here dinner")
    assert mentioned() == {ben.id}
    for person in others:
        presence.beat([presence.Connection(ada.organization_id, person.id, "c", Shown())])
    with pytest.raises(MassMentionUnconfirmed):
        world.say(ada, channel, "@here lunch")


def test_an_edit_that_calls_everyone_is_meant_too_and_one_that_did_before_is_not_asked(
    world: World, people: list[Principal], channel: UUID
) -> None:
    ada = people[0]
    sent = world.say(ada, channel, "lunch")
    with pytest.raises(MassMentionUnconfirmed):
        messages.edit_message(principal=ada, message_id=sent.id, body="@all lunch")
    assert Message.objects.get().body == "lunch"
    messages.edit_message(principal=ada, message_id=sent.id, body="@all lunch", confirm_mass_mention=True)
    messages.edit_message(principal=ada, message_id=sent.id, body="@all dinner")
    assert len(mentioned()) == 5


def test_a_group_of_many_is_called_only_on_purpose(
    world: World, people: list[Principal], channel: UUID
) -> None:
    ada, owner = people[0], world.person("Olga", role="owner")
    crew = groups.create_group(principal=owner, name="Crew")
    groups.add_people(principal=owner, group_id=crew, people=[person.id for person in people])
    with pytest.raises(MassMentionUnconfirmed) as refused:
        world.say(ada, channel, "@**Crew** lunch")
    assert "5" in refused.value.detail
    assert not Message.objects.exists()
    # of whom one names there are as many as were written down
    named = " ".join(f"@**{person.name}**" for person in people[1:])
    world.say(ada, channel, f"@**Crew** {named} lunch")
    sent = world.say(ada, channel, "lunch")
    with pytest.raises(MassMentionUnconfirmed):
        messages.edit_message(principal=ada, message_id=sent.id, body="@**Crew** lunch")
    messages.edit_message(
        principal=ada, message_id=sent.id, body="@**Crew** lunch", confirm_mass_mention=True
    )
    messages.edit_message(principal=ada, message_id=sent.id, body="@**Crew** dinner")
    assert mentioned() == {person.id for person in people[1:]}
    small = world.channel(ada, "klein", people[1:5])
    world.say(ada, small, "@**Crew** lunch")


@pytest.mark.django_db(transaction=True)
def test_the_api_refuses_by_code_until_confirmed(
    world: World, people: list[Principal], channel: UUID
) -> None:
    client, address = caller_of(people[0]), f"/api/v1/conversations/{channel}/messages/"
    body = {"body": "@all lunch", "client_key": uuid4().hex}
    refused = client.post(address, body, "application/json")
    assert (refused.status_code, refused.json()["code"]) == (409, "chat.mass_mention_unconfirmed")
    assert not Message.objects.exists()
    sent = client.post(
        address, {**body, "confirm_mass_mention": True, "priority": "urgent"}, "application/json"
    )
    assert sent.status_code == 201
    assert Message.objects.get().priority == "urgent"
