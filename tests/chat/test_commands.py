"""Slash commands: found by name, run with the caller's rights, registrable by any app."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import time_machine

from apps.accounts.types import Principal
from apps.chat.errors import (
    CommandIncomplete,
    CommandNotScheduled,
    ConversationNotFound,
    PersonNotFound,
    TimeUnreadable,
    UnknownCommand,
)
from apps.chat.models import Conversation, Membership, Message, Poll, Reminder, ScheduledMessage
from apps.chat.services import scheduling
from apps.chat.services.commands import run_command
from apps.chat.services.moments import read_moment
from apps.core import commands
from apps.core.commands import Command, CommandCall, CommandOutcome
from tests.chat.test_api import caller_of
from tests.chat.world import World

NOW = datetime(2030, 3, 4, 12, tzinfo=UTC)


@pytest.fixture
def ada(world: World) -> Principal:
    return world.person("Ada")


@pytest.fixture
def channel(world: World, ada: Principal) -> UUID:
    return world.channel(ada, "allgemein")


@pytest.fixture
def shout() -> Iterator[None]:
    """A command as a plugin would announce it."""
    commands.register_command(
        Command(
            name="shout", usage="", description="", run=lambda call: CommandOutcome(said=call.text.upper())
        )
    )
    yield
    del commands._commands["shout"]


def run(who: Principal, channel: UUID, line: str) -> CommandOutcome:
    return run_command(principal=who, conversation_id=channel, line=line, client_key="k")


def test_commands_do_what_they_say(world: World, ada: Principal, channel: UUID) -> None:
    ben = world.person("Ben Öz")
    run(ada, channel, "/me waves")
    run(ada, channel, "/purpose  Fish and ships ")
    run(ada, channel, "/invite @**Ben Öz**")
    run(ada, channel, "/mute")
    run(ada, channel, "/remind 2h tea")
    run(ada, channel, "/schedule tomorrow 9:00 good morning")
    assert Message.objects.get().html.strip() == "<p><em>waves</em></p>"
    assert Conversation.objects.get().description == "Fish and ships"
    assert Membership.objects.filter(principal_id=ben.id, left_at=None).exists()
    assert Membership.objects.get(principal_id=ada.id).is_muted
    assert (Reminder.objects.get().note, ScheduledMessage.objects.get().body) == ("tea", "good morning")
    run(ada, channel, "/unmute")
    assert run(ada, channel, "/leave").address == "channels/"
    assert not Membership.objects.filter(principal_id=ada.id, left_at=None).exists()


@pytest.mark.parametrize(
    "line", ['/poll "Soup or cake?" Soup "Big cake"', "/poll Soup or cake?\n- Soup\n- Big cake"]
)
def test_a_poll_is_asked_in_quotes_or_lines(ada: Principal, channel: UUID, line: str) -> None:
    run(ada, channel, line)
    poll = Poll.objects.get()
    assert (poll.question, poll.options) == ("Soup or cake?", ["Soup", "Big cake"])


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("/fly", UnknownCommand),
        ("/", UnknownCommand),
        ("/me", CommandIncomplete),
        ('/poll "open', CommandIncomplete),
        ("/remind someday tea", TimeUnreadable),
        ("/remind 25:99 tea", TimeUnreadable),
        ("/invite @Nobody", PersonNotFound),
    ],
)
def test_what_cannot_be_run_is_refused_and_says_how(
    ada: Principal, channel: UUID, line: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        run(ada, channel, line)
    assert not Message.objects.exists()


def test_a_command_has_no_more_rights_than_its_caller(world: World, ada: Principal) -> None:
    secret = world.channel(ada, "geheim", is_private=True)
    with pytest.raises(ConversationNotFound):
        run(world.person("Eve"), secret, "/me waves")
    assert not Message.objects.exists()


def test_a_command_cannot_be_sent_later_and_says_so(ada: Principal, channel: UUID) -> None:
    with pytest.raises(CommandNotScheduled):
        scheduling.schedule_message(
            principal=ada, conversation_id=channel, body="/me waves", send_at=NOW + timedelta(days=30)
        )
    assert not ScheduledMessage.objects.exists()


@pytest.mark.usefixtures("shout")
def test_others_announce_commands(ada: Principal, channel: UUID) -> None:
    assert run(ada, channel, "/shout hello").said == "HELLO"
    assert "/shout" in run(ada, channel, "/help").said
    call = CommandCall(principal=ada, conversation_id=channel, thread=None, text="", client_key="k")
    with pytest.raises(commands.AlreadyRegistered):
        commands.register_command(
            Command(name="me", usage="", description="", run=lambda _: CommandOutcome())
        )
    assert call.text == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20m tea", NOW + timedelta(minutes=20)),
        ("3d tea", NOW + timedelta(days=3)),
        ("14:30 tea", NOW.replace(hour=14, minute=30)),
        ("9:00 tea", NOW.replace(day=5, hour=9)),
        ("morgen tea", NOW.replace(day=5, hour=9)),
        ("2030-04-01 08:15 tea", datetime(2030, 4, 1, 8, 15, tzinfo=UTC)),
    ],
)
def test_times_are_read_as_people_write_them(text: str, expected: datetime) -> None:
    with time_machine.travel(NOW, tick=False):
        assert read_moment(text) == (expected, "tea")


def test_the_api_lists_and_runs(ada: Principal, channel: UUID) -> None:
    client = caller_of(ada)
    assert "poll" in [one["name"] for one in client.get("/api/v1/commands/").json()["results"]]
    address = f"/api/v1/conversations/{channel}/commands/"
    ran = client.post(address, {"line": "/me waves", "client_key": "k"}, "application/json")
    assert ran.json()["message"] == str(Message.objects.get().pk)
    refused = client.post(address, {"line": "/fly", "client_key": "k"}, "application/json")
    assert (refused.status_code, refused.json()["code"]) == (400, "chat.unknown_command")
