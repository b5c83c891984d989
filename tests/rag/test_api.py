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


def _keepers() -> tuple[object, object]:
    world = make_world()
    return (
        MemberFactory(organization=world.organization, role="admin"),
        MemberFactory(organization=world.organization, role="member"),
    )


def test_synonyms_are_kept_over_the_api(db) -> None:
    admin, _ = _keepers()
    api = Api.by_key(admin)
    made = api.post("search/synonyms/", {"terms": ["crane", "lifting gear"], "language": "en"})
    assert made.status_code == 201
    data = made.json()
    assert (data["terms"], data["language"]) == (["crane", "lifting gear"], "en")
    one = f"search/synonyms/{data['id']}/"
    changed = api.patch(one, {"terms": ["crane", "derrick"]})
    assert changed.status_code == 200
    assert (changed.json()["terms"], changed.json()["language"]) == (["crane", "derrick"], "en")
    assert api.patch(one, {"language": ""}).json()["language"] == ""
    assert [row["id"] for row in api.get("search/synonyms/").json()["results"]] == [data["id"]]
    assert api.get("search/synonyms/?q=lifting").json()["results"] == []
    assert api.delete(one).status_code == 204
    assert api.delete(one).json()["code"] == "rag.synonyms_not_found"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"terms": ["crane"]}, 400, "core.invalid_input"),
        ({"terms": ["crane", "x" * 61]}, 400, "core.invalid_input"),
        ({"terms": ["crane", "derrick"], "language": "fr"}, 400, "core.invalid_input"),
        ({"terms": ["crane", "derrick"], "colour": "red"}, 400, "core.invalid_input"),
        ({"terms": ["crane", "one two three four five six seven"]}, 400, "rag.synonym_too_long"),
        ({"terms": ["crane", "4711"]}, 400, "rag.synonym_not_a_word"),
        ({"terms": ["crane", "Crane"]}, 400, "rag.synonym_twice"),
        ({"terms": ["derrick", "Urlaub"]}, 409, "rag.synonym_taken"),
    ],
)
def test_what_is_no_set_is_refused_with_a_code(db, body: dict[str, object], status: int, code: str) -> None:
    admin, _ = _keepers()
    api = Api.by_key(admin)
    assert api.post("search/synonyms/", {"terms": ["Urlaub", "Ferien"]}).status_code == 201
    refused = api.post("search/synonyms/", body)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert len(api.get("search/synonyms/").json()["results"]) == 1


def test_members_keep_no_synonyms(db) -> None:
    admin, member = _keepers()
    made = Api.by_key(admin).post("search/synonyms/", {"terms": ["crane", "derrick"]}).json()["id"]
    api = Api.by_key(member)
    for answer in (
        api.get("search/synonyms/"),
        api.post("search/synonyms/", {"terms": ["Urlaub", "Ferien"]}),
        api.patch(f"search/synonyms/{made}/", {"language": "de"}),
        api.delete(f"search/synonyms/{made}/"),
    ):
        assert answer.status_code == 403
    assert len(Api.by_key(admin).get("search/synonyms/").json()["results"]) == 1


def test_the_answer_says_which_synonyms_were_looked_for(searcher) -> None:
    member, _, sent = searcher
    admin = MemberFactory(organization=member.organization, role="admin")
    Api.by_key(admin).post("search/synonyms/", {"terms": ["lifter", "crane"]})
    api = Api.by_key(member)
    data = api.get("search/?q=lifter").json()
    assert [hit["source"] for hit in data["results"]] == [str(sent.id)]
    assert data["expanded"] == [{"text": "lifter", "term": "crane", "is_used": True, "kind": "synonym"}]
    data = api.get("search/?q=lifter&plain=crane").json()
    assert data["results"] == []
    assert data["expanded"] == [{"text": "lifter", "term": "crane", "is_used": False, "kind": "synonym"}]
