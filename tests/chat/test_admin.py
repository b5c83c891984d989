"""Operators find conversations and messages by their ids; what was said is on no page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client

from apps.accounts.models import User
from apps.chat.models import Message
from apps.core.models import Event
from tests.accounts.sessions import open_session
from tests.chat.world import World, make_world

pytestmark = pytest.mark.django_db
PAGES = ("conversation", "membership", "message", "reaction", "mention", "attachment")


@pytest.fixture
def world() -> Iterator[World]:
    made = make_world()
    with made.use():
        yield made


@pytest.fixture
def said(world: World) -> Message:
    anna = world.person("Anna Berg")
    sent = world.say(anna, world.channel(anna, "harbour"), "the secret word is Azimut")
    return Message.objects.get(pk=sent.id)


@pytest.fixture
def operator() -> Client:
    client = Client()
    user = User.objects.create_superuser("operator@example.org", "a long password")
    client.cookies[settings.SESSION_COOKIE_NAME] = open_session(user)
    return client


@pytest.mark.parametrize("page", PAGES)
def test_lists_open_and_offer_no_form(operator: Client, said: Message, page: str) -> None:
    assert operator.get(f"/admin/chat/{page}/").status_code == 200
    assert operator.get(f"/admin/chat/{page}/?q={said.pk}").status_code == 200
    assert operator.get(f"/admin/chat/{page}/add/").status_code == 403


def test_texts_are_on_no_page(operator: Client, said: Message) -> None:
    for address in (f"/admin/chat/message/{said.pk}/change/", "/admin/chat/message/"):
        answer = operator.get(address)
        assert answer.status_code == 200
        assert "Azimut" not in answer.content.decode()


def test_an_operator_deletes_a_message_for_everyone_once(operator: Client, said: Message) -> None:
    chosen = {"action": "delete_for_everyone", "_selected_action": [str(said.pk)]}
    operator.post("/admin/chat/message/", chosen)
    operator.post("/admin/chat/message/", chosen)
    said.refresh_from_db()
    assert said.deleted_at is not None
    assert said.body == ""
    assert Event.objects.filter(type="message.deleted").count() == 1


def test_others_find_no_admin(said: Message, world: World) -> None:
    owner = world.person("Olga", role="owner")
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = open_session(User.objects.get(pk=owner.id))
    assert client.get("/admin/chat/message/", follow=True).status_code == 403
