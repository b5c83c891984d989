"""The endpoints of the assistant."""

from __future__ import annotations

import pytest

from apps.accounts.models import Member
from apps.agents.models import Answer
from apps.agents.selectors.answers import view_of
from apps.agents.services import assistants
from apps.agents.services.answers import ask
from apps.chat.services import members
from apps.core import tenancy
from tests.accounts.api import Api
from tests.accounts.conftest import _forget_what_the_process_knows  # noqa: F401 - a fixture
from tests.agents.test_answers import FACT, answer, index_all
from tests.chat.world import World
from tests.factories.accounts import MemberFactory, principal_of

QUESTION = "Wie oft wird das Getriebeöl gewechselt?"


@pytest.fixture
def asked(world: World):
    """Ada owns the private channel that names the fact; Ben is in it and asks over the API."""
    assistants.ensure_assistant(organization_id=world.organization.pk)
    ada = principal_of(MemberFactory(organization=world.organization, name="Ada"))
    member: Member = MemberFactory(organization=world.organization, name="Ben")
    channel = world.channel(ada, "betrieb", [principal_of(member)], is_private=True)
    world.say(ada, channel, FACT)
    index_all()
    made = Api.by_key(member).post("ask/", {"question": QUESTION})
    assert made.status_code == 202
    return world, ada, member, channel, made.json()


def _answered(made: dict[str, object]) -> Answer:
    return answer(view_of(Answer.objects.get(pk=made["id"])))


def test_an_answer_is_asked_for_read_and_opened_at_its_source(asked) -> None:
    _, _, member, _, made = asked
    assert (made["state"], made["body"], made["completed_by"], made["is_withheld"]) == (
        "writing",
        "",
        None,
        False,
    )
    row = _answered(made)
    api = Api.by_key(member)
    read = api.get(f"ask/{row.pk}/").json()
    assert (read["state"], read["body"]) == ("done", row.body)
    opened = api.get(f"ask/{row.pk}/sources/1/").json()
    assert opened["text"][opened["start"] : opened["end"]] == read["sources"][0]["citation"]["quote"]
    assert (opened["source_type"], opened["is_changed"]) == ("message", False)


def test_a_source_is_closed_to_who_lost_access_and_to_strangers(asked) -> None:
    world, ada, member, channel, made = asked
    row = _answered(made)
    stranger = MemberFactory(organization=world.organization, role="owner")
    elsewhere = MemberFactory()
    for outsider in (stranger, elsewhere):
        for path in (f"ask/{row.pk}/", f"ask/{row.pk}/sources/1/"):
            assert Api.by_key(outsider).get(path).status_code == 404
    with tenancy.use(world.organization.pk):
        members.remove_person(principal=ada, conversation_id=channel, person_id=member.user_id)
    api = Api.by_key(member)
    assert api.get(f"ask/{row.pk}/sources/1/").status_code == 404
    kept = api.get(f"ask/{row.pk}/").json()
    assert kept["is_withheld"]
    assert "18 Monate" not in str(kept)


def test_own_questions_are_paged(asked) -> None:
    world, _, member, _, made = asked
    with tenancy.use(world.organization.pk):
        more = [
            str(ask(principal=principal_of(member), question=f"Frage {number}?").id) for number in range(3)
        ]
    api = Api.by_key(member)
    first = api.get("ask/?limit=3").json()
    assert [one["id"] for one in first["results"]] == more[::-1]
    rest = api.get(first["next"].partition("/api/v1/")[2]).json()
    assert ([one["id"] for one in rest["results"]], rest["next"]) == ([made["id"]], None)
    assert api.get("ask/?strange=1").status_code == 400


def test_a_missing_number_is_not_found(asked) -> None:
    _, _, member, _, made = asked
    row = _answered(made)
    assert Api.by_key(member).get(f"ask/{row.pk}/sources/99/").status_code == 404


def test_a_key_needs_the_scope_to_ask(asked) -> None:
    _, _, member, _, made = asked
    narrow = Api.by_key(member, scopes=["chat:read"])
    assert narrow.post("ask/", {"question": QUESTION}).status_code == 403
    assert narrow.get(f"ask/{made['id']}/").status_code == 403
    assert Answer.objects.count() == 1
