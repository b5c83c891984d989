"""The search endpoint."""

from __future__ import annotations

import pytest

from apps.core import tenancy
from apps.rag.models import Chunk
from tests.accounts.api import Api
from tests.accounts.conftest import _forget_what_the_process_knows  # noqa: F401 - a fixture
from tests.chat.world import make_world
from tests.documents.conftest import folder  # noqa: F401 - a fixture
from tests.factories.accounts import MemberFactory, principal_of
from tests.factories.documents import document
from tests.rag.library import index_message
from tests.walls import everywhere


@pytest.fixture
def searcher(db: None):
    world = make_world()
    member = MemberFactory(organization=world.organization, role="member", name="Maren Thiessen")
    with tenancy.use(world.organization.pk):
        maren = principal_of(member)
        channel = world.channel(maren, "betrieb")
        sent = world.say(maren, channel, "The <b>crane</b> is booked for Tuesday.")
        index_message(world.organization.pk, channel, sent.id)
    return member, channel, sent


def test_search_answers_with_places_and_plain_text(searcher) -> None:
    member, channel, sent = searcher
    answer = Api.by_key(member).get("search/?q=crane+tuesday")
    assert answer.status_code == 200
    data = answer.json()
    (hit,) = data["results"]
    assert (hit["source_type"], hit["source"], hit["conversation"]) == ("message", str(sent.id), str(channel))
    assert hit["snippet"] == "The <b>crane</b> is booked for Tuesday."
    assert [hit["snippet"][mark["start"] : mark["end"]] for mark in hit["highlights"]] == ["crane", "Tuesday"]
    assert hit["messages"][0]["message"] == str(sent.id)
    assert hit["author_name"] == "Maren Thiessen"
    assert "chunk" not in hit
    with everywhere():
        assert str(Chunk.objects.get().pk) not in {str(value) for value in hit.values()}
    assert data["next_cursor"] == ""
    assert data["total_hint"] == 1


def test_documents_that_are_still_being_read_are_counted_for_those_who_see_them(searcher, folder) -> None:  # noqa: F811 - the fixture
    member, channel, _sent = searcher
    document(member, "open.txt", b"In the library.")
    document(member, "closed.txt", b"In the channel.", conversation_id=channel)
    stranger = MemberFactory()
    with tenancy.use(member.organization_id):
        guest = MemberFactory(organization=member.organization, role="guest")
    found = {
        who: Api.by_key(seeker).get(f"search/?q=crane{more}").json()["documents_being_read"]
        for who, seeker, more in (
            ("member", member, ""),
            ("member, messages", member, "&type=message"),
            ("guest", guest, ""),
            ("stranger", stranger, ""),
        )
    }
    assert found == {"member": 2, "member, messages": 0, "guest": 0, "stranger": 0}


def test_another_organization_gets_nothing(searcher) -> None:
    stranger = MemberFactory()
    assert Api.by_key(stranger).get("search/?q=crane").json()["results"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "q"), ("q=x&limit=0", "limit"), ("q=x&limit=51", "limit"), ("q=x&order=random", "order"),
        ("q=x&type=secret", "type"), ("q=x&colour=red", "colour"), ("q=%00", "q"), ("q=" + "x" * 1001, "q"),
        ("q=x&conversation=1", "conversation.0"),
    ],
)  # fmt: skip
def test_wrong_parameters_are_named(searcher, query: str, field: str) -> None:
    answer = Api.by_key(searcher[0]).get(f"search/?{query}")
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_a_wrong_cursor_is_refused(searcher) -> None:
    answer = Api.by_key(searcher[0]).get("search/?q=x&cursor=zzz")
    assert (answer.status_code, answer.json()["code"]) == (400, "rag.cursor_unknown")


def test_a_key_needs_the_scope(searcher) -> None:
    assert Api.by_key(searcher[0], scopes=["chat:read"]).get("search/?q=crane").status_code == 403
    assert Api.by_key(searcher[0], scopes=["search:read"]).get("search/?q=crane").status_code == 200


def test_an_operator_that_does_not_exist_is_named_with_its_place(searcher) -> None:
    answer = Api.by_key(searcher[0]).get("search/?q=crane+form:anna")
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (400, "chat.search_not_understood")
    (error,) = problem["errors"]
    assert (error["field"], error["code"], error["start"], error["end"]) == ("q", "unknown_operator", 6, 15)
    listed = Api.by_key(searcher[0]).get("search/?q=from:maren+-has:link").json()
    assert (listed["is_list"], len(listed["results"])) == (True, 1)
    assert [(chip["kind"], chip["is_negated"]) for chip in listed["chips"]] == [
        ("from", False),
        ("has", True),
    ]
