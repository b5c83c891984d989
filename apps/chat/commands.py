"""The commands of chat itself."""

from __future__ import annotations

import shlex
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.selectors import people
from apps.chat.errors import CommandIncomplete, PersonNotFound
from apps.chat.rendering.markdown import MENTION
from apps.chat.services import conversations, members, polls, reminders, scheduling
from apps.chat.services.messages import send_message
from apps.chat.services.moments import read_moment
from apps.core.commands import Command, CommandCall, CommandOutcome, commands, register_command


def _required(call: CommandCall, name: str) -> str:
    if not call.text:
        raise CommandIncomplete(usage=_usage(name))
    return call.text


def _usage(name: str) -> str:
    return next((f"/{one.name} {one.usage}".strip() for one in commands() if one.name == name), f"/{name}")


def act(call: CommandCall) -> CommandOutcome:
    """Say what one does, in italics."""
    text = _required(call, "me")
    sent = send_message(
        principal=call.principal,
        conversation_id=call.conversation_id,
        body=f"*{text}*",
        client_key=call.client_key,
        thread=call.thread,
        topic=call.topic,
        confirm_mass_mention=call.confirm_mass_mention,
    )
    return CommandOutcome(message=sent.id)


def poll(call: CommandCall) -> CommandOutcome:
    """Ask: the question and the answers in quotes, or one a line."""
    text = _required(call, "poll")
    if "\n" in text:
        parts = [line.strip(" -*") for line in text.split("\n") if line.strip()]
    else:
        try:
            parts = shlex.split(text.translate(str.maketrans("“”„", '"""')))
        except ValueError as error:
            raise CommandIncomplete(usage=_usage("poll")) from error
    sent = polls.create_poll(
        principal=call.principal,
        conversation_id=call.conversation_id,
        poll=polls.NewPoll(question=parts[0], options=parts[1:]),
        client_key=call.client_key,
        thread=call.thread,
        topic=call.topic,
    )
    return CommandOutcome(message=sent.id)


def remind(call: CommandCall) -> CommandOutcome:
    """Be reminded of a note."""
    moment, note = read_moment(_required(call, "remind"))
    reminders.remind(principal=call.principal, due_at=moment, note=note)
    return CommandOutcome(said=_("You will be reminded: %(time)s") % {"time": _written(moment)})


def schedule(call: CommandCall) -> CommandOutcome:
    """Send a message later."""
    moment, body = read_moment(_required(call, "schedule"))
    scheduling.schedule_message(
        principal=call.principal,
        conversation_id=call.conversation_id,
        body=body,
        send_at=moment,
        thread=call.thread,
        topic=call.topic,
        confirm_mass_mention=call.confirm_mass_mention,
    )
    return CommandOutcome(said=_("It will be sent: %(time)s") % {"time": _written(moment)})


def purpose(call: CommandCall) -> CommandOutcome:
    """Say what a channel is for."""
    conversations.update_conversation(
        principal=call.principal, conversation_id=call.conversation_id, description=call.text
    )
    return CommandOutcome(said=_("The purpose is changed"))


def invite(call: CommandCall) -> CommandOutcome:
    """Bring people into a channel."""
    text = _required(call, "invite")
    names = [(found["full"] or found["word"]).strip() for found in MENTION.finditer(text)]
    names = names or [part.strip() for part in text.split(",")]
    known = {
        one.name.casefold(): one.id for one in people.find_by_names(names=[name.casefold() for name in names])
    }
    if any(name.casefold() not in known for name in names):
        raise PersonNotFound
    members.add_people(
        principal=call.principal,
        conversation_id=call.conversation_id,
        people=[known[name.casefold()] for name in names],
    )
    return CommandOutcome(said=_("Added: %(names)s") % {"names": ", ".join(names)})


def leave(call: CommandCall) -> CommandOutcome:
    """Leave a channel."""
    members.remove_person(
        principal=call.principal, conversation_id=call.conversation_id, person_id=call.principal.id
    )
    return CommandOutcome(said=_("You left the channel"), address="channels/")


def mute(call: CommandCall) -> CommandOutcome:
    """Count nothing of this conversation."""
    members.set_preferences(principal=call.principal, conversation_id=call.conversation_id, is_muted=True)
    return CommandOutcome(said=_("Muted"))


def unmute(call: CommandCall) -> CommandOutcome:
    """Count this conversation again."""
    members.set_preferences(principal=call.principal, conversation_id=call.conversation_id, is_muted=False)
    return CommandOutcome(said=_("Counted again"))


def show_help(_call: CommandCall) -> CommandOutcome:
    """List the commands."""
    lines = [f"/{one.name} {one.usage}".strip() + f": {one.description}" for one in commands()]
    return CommandOutcome(said="\n".join(lines))


def _written(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "SHORT_DATETIME_FORMAT")


for _command in (
    Command(
        name="me", usage=gettext_lazy("what you do"), description=gettext_lazy("Say what you do"), run=act
    ),
    Command(
        name="poll",
        usage=gettext_lazy('"Question" "One" "Two"'),
        description=gettext_lazy("Ask and let people vote"),
        run=poll,
    ),
    Command(
        name="remind",
        usage=gettext_lazy("20m | 14:30 | tomorrow 9:00 and a note"),
        description=gettext_lazy("Be reminded"),
        run=remind,
    ),
    Command(
        name="schedule",
        usage=gettext_lazy("2h | 14:30 | 2026-12-01 09:00 and the message"),
        description=gettext_lazy("Send a message later"),
        run=schedule,
    ),
    Command(
        name="purpose",
        usage=gettext_lazy("what the channel is for"),
        description=gettext_lazy("Change the purpose of the channel"),
        run=purpose,
    ),
    Command(name="invite", usage=gettext_lazy("@name"), description=gettext_lazy("Add people"), run=invite),
    Command(name="leave", usage="", description=gettext_lazy("Leave the channel"), run=leave),
    Command(name="mute", usage="", description=gettext_lazy("Mute this conversation"), run=mute),
    Command(name="unmute", usage="", description=gettext_lazy("Count this conversation again"), run=unmute),
    Command(name="help", usage="", description=gettext_lazy("List the commands"), run=show_help),
):
    register_command(_command)
