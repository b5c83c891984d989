"""Run a line that begins with a slash."""

from __future__ import annotations

import re
from uuid import UUID

from apps.accounts.types import Principal
from apps.chat.errors import UnknownCommand
from apps.chat.selectors.conversations import get_conversation
from apps.core.commands import CommandCall, CommandOutcome, find_command

_LINE = re.compile(r"/([a-z]{1,30})(?:\s+(.*))?", re.DOTALL)


def is_command(line: str) -> bool:
    """Return whether a line would run a command that some app announces."""
    found = _LINE.fullmatch(line.strip())
    return found is not None and find_command(found[1]) is not None


def run_command(
    *,
    principal: Principal,
    conversation_id: UUID,
    line: str,
    client_key: str,
    thread: UUID | None = None,
    topic: str = "",
    confirm_mass_mention: bool = False,
) -> CommandOutcome:
    """Run a line in a conversation, with the principal's rights.

    Args:
        topic, confirm_mass_mention: of a message that the command sends; see `send_message`.

    Raises:
        ConversationNotFound, UnknownCommand, and what the command refuses.
    """
    get_conversation(principal, conversation_id)
    found = _LINE.fullmatch(line.strip())
    command = find_command(found[1]) if found else None
    if found is None or command is None:
        raise UnknownCommand(name=line.strip().split(maxsplit=1)[0][:31] if line.strip() else "/")
    call = CommandCall(
        principal=principal,
        conversation_id=conversation_id,
        thread=thread,
        text=(found[2] or "").strip(),
        client_key=client_key,
        topic=topic,
        confirm_mass_mention=confirm_mass_mention,
    )
    return command.run(call)
