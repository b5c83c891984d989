"""Who may not ask, or asks an agent that is switched off, is told so; nobody else is."""

from __future__ import annotations

from uuid import UUID

import pytest

from apps.accounts.models import Member, Role
from apps.accounts.types import BUILTIN_ROLES, Principal
from apps.agents.handlers import answer_when_asked, answer_when_asked_by_an_edit
from apps.agents.models import Agent, Answer
from apps.agents.services import assistants
from apps.chat.models import Membership, Message
from apps.chat.services.conversations import open_direct
from apps.chat.services.messages import delete_message, edit_message
from apps.core.events import types as event_types
from apps.core.models import Event
from apps.notify.models import Notification
from apps.notify.selectors.notifications import list_page, unread_count
from tests.chat.world import World

NOT_ALLOWED = "You do not have the right to ask the assistant. Those who run this place can give it to you."
OFF = "The assistant is switched off."
TITLE = "Your question was not answered"
QUESTION = "@Lotse How often is the oil changed?"


def hear(message_id: UUID, kind: str = "sent") -> None:
    """Let the consumer hear of a message twice."""
    rows = Event.objects.filter(type=f"message.{kind}").order_by("-id").values()
    event = event_types.restore(next(row for row in rows if str(message_id) in str(row["payload"])))
    for _ in range(2):
        {"sent": answer_when_asked, "edited": answer_when_asked_by_an_edit}[kind](event)


def said_to(person: Principal) -> list[tuple[str, str]]:
    """Return what the person's list of notifications says."""
    return [(view.described.title, view.described.text) for view in list_page(person).rows]


@pytest.fixture
def mute(world: World) -> Principal:
    """Somebody who does all that members do, but must not ask."""
    assistants.ensure_assistant(organization_id=world.organization.pk)
    return world.role_of("Mute", BUILTIN_ROLES["member"] - {"agent.ask"})


def test_who_may_not_ask_alone_is_told_so_once_for_each_message(world: World, mute: Principal) -> None:
    ada, lotse = world.person("Ada"), Agent.objects.get()
    channel = world.channel(ada, "questions", [mute])
    asked = world.say(mute, channel, QUESTION)
    hear(asked.id)
    assert said_to(mute) == [(TITLE, NOT_ALLOWED)]
    (row,) = list_page(mute).rows
    assert row.described.url.endswith(f"/m/{asked.id}/")
    assert unread_count(mute) == 1
    assert Notification.objects.count() == 1
    assert not Answer.objects.exists()
    assert not Message.objects.filter(sender_id=lotse.principal_id).exists()
    assert not Membership.objects.filter(conversation_id=channel, principal_id=lotse.principal_id).exists()
    hear(world.say(mute, channel, QUESTION).id)
    assert said_to(mute) == [(TITLE, NOT_ALLOWED)] * 2
    assert said_to(ada) == []


def test_a_mention_by_an_edit_and_a_question_that_is_gone_are_told_of_too(
    world: World, mute: Principal
) -> None:
    asked = world.say(mute, world.channel(mute, "questions"), "How often is the oil changed?")
    edit_message(principal=mute, message_id=asked.id, body=QUESTION)
    hear(asked.id, "edited")
    assert said_to(mute) == [(TITLE, NOT_ALLOWED)]
    delete_message(principal=mute, message_id=asked.id)
    (row,) = list_page(mute).rows
    assert (row.described.text, row.described.url) == (NOT_ALLOWED, f"/o/{world.organization.slug}/")


def test_who_writes_to_the_assistant_directly_reads_there_why_it_does_not_answer(
    world: World, mute: Principal
) -> None:
    lotse = Agent.objects.get()
    direct = open_direct(principal=mute, people=[lotse.principal_id])
    asked = world.say(mute, direct, "Wie oft wird das Öl in der Anlage gewechselt?")
    hear(asked.id)
    (said,) = Message.objects.filter(sender_id=lotse.principal_id)
    assert (said.conversation_id, said.thread_id) == (direct, None)
    assert said.body == (
        "Sie haben nicht das Recht, den Assistenten zu fragen. Die Verwaltung kann es Ihnen geben."
    )
    assert not Notification.objects.filter(kind__startswith="agents.").exists()


def test_an_agent_that_is_switched_off_says_so_to_who_asks(world: World, mute: Principal) -> None:
    ada, lotse = world.person("Ada"), Agent.objects.get()
    Agent.objects.update(is_enabled=False)
    hear(world.say(ada, world.channel(ada, "questions", [mute]), QUESTION).id)
    assert said_to(ada) == [(TITLE, OFF)]
    assert said_to(mute) == []
    direct = open_direct(principal=ada, people=[lotse.principal_id])
    hear(world.say(ada, direct, "How often is the oil changed?").id)
    assert Message.objects.get(sender_id=lotse.principal_id).body == OFF
    assert not Answer.objects.exists()


def test_who_may_ask_again_is_answered_again(world: World, mute: Principal) -> None:
    channel = world.channel(mute, "questions")
    hear(world.say(mute, channel, QUESTION).id)
    Member.objects.filter(user_id=mute.id).update(role=Role.objects.get(key="member"))
    hear(world.say(mute, channel, QUESTION).id)
    assert Answer.objects.get().asker_id == mute.id
