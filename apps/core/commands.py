"""Slash commands: announced by any app in its `commands.py`, run from the composer, by the API and by plugins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from apps.core.registry import AlreadyRegistered

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True, kw_only=True)
class CommandCall:
    """A command as somebody wrote it.

    Attributes:
        principal: an `accounts.Principal`; core knows no type of accounts.
        text: what stands behind the name, without outer spaces.
        client_key: of a message the command may send, so that a retry sends it once.
        topic: name of the topic such a message belongs to; empty is the general one.
        confirm_mass_mention: such a message may call many people at once.
    """

    principal: Any
    conversation_id: UUID
    thread: UUID | None
    text: str
    client_key: str
    topic: str = ""
    confirm_mass_mention: bool = False


@dataclass(frozen=True, kw_only=True)
class CommandOutcome:
    """What came of it.

    Attributes:
        said: a sentence for the caller alone; empty where the conversation shows it anyway.
        message: the message that was sent, if any.
        address: where to go in the organization's pages, relative to them; empty stays.
    """

    said: str = ""
    message: UUID | None = None
    address: str = ""


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command.

    Attributes:
        name: what stands behind the slash: lower case letters.
        usage: what to write behind it, empty for nothing.
        run: does it with the caller's rights; refusals are `DomainError`.
    """

    name: str
    usage: str | _StrPromise
    description: str | _StrPromise
    run: Callable[[CommandCall], CommandOutcome]


_commands: dict[str, Command] = {}


def register_command(command: Command) -> None:
    """Announce a command.

    Raises:
        AlreadyRegistered.
    """
    if _commands.setdefault(command.name, command) != command:
        raise AlreadyRegistered(command.name)


def find_command(name: str) -> Command | None:
    """Return a command, or None where no app announces it."""
    return _commands.get(name)


def commands() -> list[Command]:
    """Return all commands by name."""
    return [_commands[name] for name in sorted(_commands)]
