"""The title that agents are made with speaks the reader's language; one that somebody gave stays."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import translation

from apps.accounts.models import Member, User
from apps.agents.models import Agent
from apps.agents.services import assistants
from tests.accounts.sessions import open_session
from tests.chat.world import World

NAMES = ("Lotse", "Ada")


def title_of(client: Client, name: str, language: str) -> str:
    """Return the title that is suggested beside a name."""
    with translation.override(language):  # the request leaves its own language behind
        found = client.get("/o/nordlicht/people/", {"q": name}, headers={"Accept-Language": language})
    (person,) = found.json()["people"]
    title: str = person["title"]
    return title


@pytest.mark.parametrize(
    ("title", "shown"), [("Assistant", {"Assistant", "Assistent"}), ("Advisor", {"Advisor"})]
)
def test_the_title_of_an_agent_is_shown_in_the_readers_language(
    world: World, title: str, shown: set[str]
) -> None:
    assistants.ensure_assistant(organization_id=world.organization.pk)
    Member.objects.filter(user_id=Agent.objects.get().principal_id).update(title=title)
    person = world.person("Ada")
    Member.objects.filter(user_id=person.id).update(title="Assistant")
    client = Client()
    client.cookies["session"] = open_session(User.objects.get(pk=person.id))
    seen = {(name, language): title_of(client, name, language) for name in NAMES for language in ("en", "de")}
    assert {title for (name, _), title in seen.items() if name == "Lotse"} == shown
    assert {title for (name, _), title in seen.items() if name == "Ada"} == {"Assistant"}
