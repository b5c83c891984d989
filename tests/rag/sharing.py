"""What tests of related words share: passages that agree on a word, among many about other things."""

from __future__ import annotations

from uuid import UUID

from apps.accounts.types import Principal
from apps.chat.selectors.conversations import scope_of
from apps.rag.services.embedding import refresh_terms
from tests.chat.world import World
from tests.rag.library import add_document
from tests.rag.rewording import say

QUERY = "Urlaub beantragen"
LEAVE = (
    "Wer Urlaub beantragen will, schickt die Freistellung ans Sekretariat.",
    "Urlaub beantragen: Freistellungen unterschreibt die Leitung.",
    "Die Freistellung muss liegen, bevor Sie Urlaub beantragen.",
)
ONLY_RELATED = "Ohne Freistellung fährt niemand."


def workplace(world: World) -> tuple[Principal, UUID]:
    """Return somebody who searches, and a channel that holds sixty passages about something else."""
    ada = world.person("Ada")
    channel = world.channel(ada, "betrieb")
    letters = "abcdefghij"
    add_document(
        organization_id=world.organization.pk, scope_id=scope_of(ada, channel), title="Lager", language="de",
        pages=[f"Blech {one}{two}stahl liegt zur Besprechung da." for one in letters for two in letters[:6]],
    )  # fmt: skip
    refresh_terms()
    return ada, channel


def agree(world: World, channel: UUID, bodies: tuple[str, ...] = LEAVE) -> None:
    """Let each of several people say something, a passage of its own."""
    for number, body in enumerate(bodies):
        say(world, world.person(f"Sender {chr(65 + number)}"), channel, body)
