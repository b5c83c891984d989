"""Bad input at the REST address of messages, which is answered on the event loop: a code each, nothing written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client

from apps.accounts.models import Member
from apps.accounts.types import Principal
from apps.chat.models import Message
from apps.core.models import Event
from tests.chat.world import World
from tests.factories.accounts import MemberFactory, api_key

pytestmark = pytest.mark.django_db(transaction=True)
Sender = Callable[[Any], Any]


def caller_of(principal: Principal) -> Client:
    secret = api_key(Member.objects.get(pk=principal.member_id)).secret
    return Client(headers={"authorization": f"Bearer {secret}"})


@pytest.fixture
def ada(world: World) -> Principal:
    return world.person("Ada")


@pytest.fixture
def channel(world: World, ada: Principal) -> UUID:
    return world.channel(ada, "allgemein")


@pytest.fixture
def send(ada: Principal, channel: UUID) -> Sender:
    """Post a body to the channel: bytes as they are, anything else as JSON."""
    client = caller_of(ada)
    address = f"/api/v1/conversations/{channel}/messages/"
    return lambda body: client.post(address, body, content_type="application/json")


def told(answer: Any) -> tuple[int, str, list[tuple[str, str]]]:
    problem = answer.json()
    assert answer["Content-Type"] == "application/problem+json"
    errors = [(error["field"], error["code"]) for error in problem.get("errors", [])]
    return answer.status_code, problem["code"], errors


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b" ", (400, "core.invalid_input", [("client_key", "required")])),
        (b"{", (400, "core.malformed", [])),
        (b'{"body":"a\\ud800b","client_key":"k"}', (400, "core.malformed", [])),
        ([], (400, "core.invalid_input", [("", "invalid")])),
        ({}, (400, "core.invalid_input", [("client_key", "required")])),
        ({"body": 5, "client_key": "k"}, (400, "core.invalid_input", [("body", "not_text")])),
        ({"body": None, "client_key": "k"}, (400, "core.invalid_input", [("body", "null")])),
        ({"body": "a", "client_key": "k", "color": "red"}, (400, "core.invalid_input", [("color", "unknown")])),
        ({"body": "a", "client_key": "k", "thread": "x"}, (400, "core.invalid_input", [("thread", "invalid")])),
        ({"body": "", "client_key": "k"}, (400, "chat.empty_message", [])),
        ({"body": " \n ", "client_key": "k"}, (400, "chat.empty_message", [])),
        ({"body": "x" * 20_001, "client_key": "k"}, (400, "core.invalid_input", [("body", "max_length")])),
        ({"body": "a\x00b", "client_key": "k"}, (400, "core.malformed", [])),
        ({"body": "a", "client_key": "not a key"}, (400, "chat.client_key_invalid", [])),
    ],
)  # fmt: skip
def test_a_bad_message_is_refused_by_code_and_nothing_is_written(
    send: Sender, body: Any, expected: tuple[int, str, list[tuple[str, str]]]
) -> None:
    events = Event.objects.count()
    assert told(send(body)) == expected
    assert not Message.objects.exists()
    assert Event.objects.count() == events


def test_a_foreign_conversation_is_the_same_as_none(world: World, ada: Principal) -> None:
    secret = world.channel(world.person("Eve"), "geheim", is_private=True)
    stranger = Client(headers={"authorization": f"Bearer {api_key(MemberFactory()).secret}"})
    for client in (caller_of(ada), stranger):
        answers = [client.get(f"/api/v1/conversations/{one}/messages/") for one in (secret, uuid4())]
        assert [told(answer) for answer in answers] == [(404, "chat.conversation_not_found", [])] * 2
        assert len({answer.json()["detail"] for answer in answers}) == 1
