"""What tests of other words share: the scene, and what the settings and the model say."""

from __future__ import annotations

import json
from collections.abc import Callable
from uuid import UUID

from apps.accounts.types import Principal
from apps.chat.services import members
from tests.chat.world import World
from tests.llm.model_server import Step, answer
from tests.rag.library import index_message

HOLIDAY = "Der Antrag auf Freistellung liegt im Sekretariat."
CRANE = "Der Kran hält am Haken."
QUERY = "Ferienwunsch einreichen"
UseModel = Callable[..., None]
NOBODY = "http://127.0.0.1:9/v1"  # where no model is


def names(told: object) -> list[Step]:
    """Return the script of a model that names other words."""
    return answer(json.dumps(told, ensure_ascii=False))


def searcher(world: World) -> Principal:
    """Return somebody who searches, in a channel with two messages, each a passage of its own."""
    ada = world.person("Ada")
    channel = world.channel(ada, "betrieb")
    for number, body in enumerate((HOLIDAY, CRANE)):
        say(world, world.person(f"Sender {number}"), channel, body)
    return ada


def say(world: World, sender: Principal, channel: UUID, body: str) -> None:
    """Let somebody join and say something that can be found."""
    members.join(principal=sender, conversation_id=channel)
    index_message(world.organization.pk, channel, world.say(sender, channel, body).id)
