"""Traces of searches: kept after the answer, with numbers and ids only; they end with the person and by their age."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import Member, User
from apps.accounts.types import Principal
from apps.core.data_subjects import Person
from apps.core.http.afterwards import after_answer
from apps.core.retention import Held
from apps.rag.models import SearchThumb, SearchTrace
from apps.rag.selectors import personal
from apps.rag.services import erasing, synonyms, thumbs
from apps.rag.services.traces import keep_trace, remove_old
from apps.rag.types import SearchOrigin
from tests.accounts.api import Api
from tests.accounts.sessions import open_session
from tests.chat.world import World
from tests.rag.library import add_document, ask, embed_all, index_message

PAGE = "/o/nordlicht/search/"


def _client(person: Principal) -> Client:
    client = Client()
    client.cookies["session"] = open_session(User.objects.get(pk=person.id))
    return client


def _say(world: World, sender: Principal, conversation, body: str):
    sent = world.say(sender, conversation, body)
    index_message(world.organization.pk, conversation, sent.id)
    return sent


def _kept(principal: Principal, query: str = "crane") -> SearchTrace:
    result = ask(principal, query)
    keep_trace(principal=principal, origin=SearchOrigin.PAGE, query=query, result=result)
    return SearchTrace.objects.get(pk=result.id)


def _person(principal: Principal) -> Person:
    return Person(
        organization_id=principal.organization_id, id=principal.id, member_id=principal.member_id,
        name=principal.name, email="", placeholder_id=uuid4(), placeholder_member_id=uuid4(), leaves_for_good=True,
    )  # fmt: skip


def test_a_search_of_the_page_is_kept_with_what_it_did(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    sent = _say(world, ada, world.channel(ada, "betrieb"), "Der Kran hält am Haken")
    _say(world, ben, world.channel(ben, "geheim", is_private=True), "Der Kran ist gestohlen")
    embed_all(world.organization.pk)
    synonyms.add_synonyms(principal=world.person("Aylin", "admin"), terms=["Kran", "Hebezeug"])
    assert _client(ada).get(PAGE, {"q": "Kran in:betrieb", "plain": "Hebezeug"}).status_code == 200
    kept = SearchTrace.objects.get()
    assert (kept.searcher_id, kept.agent_id, kept.origin, kept.query) == (
        ada.id,
        None,
        "page",
        "Kran in:betrieb",
    )
    assert [(chip["kind"], chip["is_known"]) for chip in kept.chips] == [("in", True)]
    assert kept.synonyms == [{"text": "Kran", "term": "Hebezeug", "is_used": False, "kind": "synonym"}]
    assert (kept.path, kept.words_only, kept.hit_count) == ("exact", False, 1)
    assert kept.counts == {  # of what Ada sees in this channel: one message
        "visible": 1, "is_more": False, "with_words": 1, "near": 1, "candidates": 1, "ranked": 1, "collapsed": 0,
        "withheld": 0,
    }  # fmt: skip
    assert [name for name, _took in kept.stages] == [
        "understanding", "synonyms", "encoding", "visible", "weighing", "words", "meaning", "fusing", "passages",
    ]  # fmt: skip
    assert all(took >= 0 for _name, took in kept.stages)
    assert sum(took for _name, took in kept.stages) <= kept.took_ms + 1
    (hit,) = kept.hits
    assert (hit["source_type"], hit["source"]) == ("message", str(sent.id))
    assert (hit["words"], hit["words_rank"], hit["meaning_rank"]) == (1.0, 1, 1)
    assert set(hit) == {
        "chunk",
        "source_type",
        "source",
        "score",
        "words",
        "meaning",
        "words_rank",
        "meaning_rank",
    }


def test_what_the_searcher_may_not_see_is_in_no_number(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    private = world.channel(ben, "geheim", is_private=True)
    for number in range(5):
        _say(world, ben, private, f"Kran Nummer {number}")
    kept = _kept(ada, "Kran")
    assert (kept.path, kept.hits, kept.hit_count) == ("nothing", [], 0)
    assert {name: number for name, number in kept.counts.items() if number} == {}
    _say(world, ada, world.channel(ada, "betrieb"), "Das Wetter ist gut")
    assert _kept(ada, "Kran").counts["visible"] == 1
    assert _kept(ada, "Kran").counts["with_words"] == 0


def test_what_was_left_out_is_counted(world: World) -> None:
    ada = world.person("Ada")
    conversation = world.channel(ada, "betrieb")
    _say(world, ada, conversation, "The crane is booked")
    scope_id = ask(ada, "crane").hits[0].scope
    add_document(
        organization_id=world.organization.pk, scope_id=scope_id, title="Handbook",
        pages=["The crane is oiled.", "The crane is locked.", "The crane is hooked."],
    )  # fmt: skip
    kept = _kept(ada)
    assert kept.hit_count == 2
    assert (kept.counts["ranked"], kept.counts["collapsed"]) == (4, 2)
    second = ask(ada, "crane", limit=1, cursor=ask(ada, "crane", limit=1).next_cursor)
    assert (second.trace.offset, len(second.hits)) == (1, 1)


@pytest.mark.parametrize(
    ("query", "path"), [("has:link", "list"), ("crane -is:unread", "list"), ("type:document", "newest")]
)
def test_each_way_to_search_has_its_name(world: World, query: str, path: str) -> None:
    ada = world.person("Ada")
    _say(world, ada, world.channel(ada, "betrieb"), "The crane is booked: https://example.org/")
    scope_id = ask(ada, "crane").hits[0].scope
    add_document(
        organization_id=world.organization.pk,
        scope_id=scope_id,
        title="Handbook",
        pages=["The crane is oiled."],
    )
    assert _kept(ada, query).path == path


def test_without_a_vector_words_alone_are_named(world: World, settings) -> None:
    ada = world.person("Ada")
    _say(world, ada, world.channel(ada, "betrieb"), "The crane is booked")
    nobody = {"model_url": "unix:///no/such/model.sock", "embedding": "auto"}
    group = settings.CONFIGURATION.model.model_copy(update=nobody)
    settings.CONFIGURATION = replace(settings.CONFIGURATION, model=group)
    kept = _kept(ada)
    assert (kept.path, kept.words_only, kept.counts["near"]) == ("words", True, 0)
    assert (kept.hits[0]["meaning"], kept.hits[0]["meaning_rank"]) == (None, None)


def test_a_search_of_the_api_is_kept_after_its_answer(world: World) -> None:
    ada = world.person("Ada")
    _say(world, ada, world.channel(ada, "betrieb"), "The crane is booked")
    member = Member.objects.get(pk=ada.member_id)
    api = Api.by_key(member)
    with CaptureQueriesContext(connection) as captured:
        answer = api.get("search/?q=crane")
    kept = SearchTrace.objects.get()
    assert (kept.origin, str(kept.pk)) == ("api", answer.json()["id"])
    naming = [kept.pk.hex in one["sql"] for one in captured.captured_queries]
    assert naming == [False] * (len(naming) - 1) + [True]


def test_who_looks_at_pages_as_somebody_else_leaves_no_search_there(world: World) -> None:
    ada = replace(world.person("Ada"), viewed_by=world.person("Aylin", "admin").id)
    keep_trace(principal=ada, origin=SearchOrigin.PAGE, query="crane", result=ask(ada, "crane"))
    assert not SearchTrace.objects.exists()


def test_an_answer_does_not_fail_with_what_comes_after_it(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    said: list[str] = []
    response = HttpResponse("fine")

    def fail() -> None:
        raise ValueError("secret words")

    after_answer(response, fail)
    after_answer(response, lambda: said.append("done"))
    assert said == []
    with caplog.at_level(logging.ERROR):
        response.close()
    assert said == ["done"]
    assert [record.getMessage() for record in caplog.records] == ["answer.afterwards_failed"]


def test_traces_end_by_their_age_unless_they_are_held(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    old = {person.id: _kept(person) for person in (ada, ben)}
    SearchTrace.objects.update(created_at=timezone.now() - timedelta(days=40))
    SearchThumb.objects.create(organization_id=ben.organization_id, trace=old[ben.id], number=1, is_good=True)
    young = _kept(ada)
    before = timezone.now() - timedelta(days=30)
    held = Held(people=frozenset({ada.id}))
    assert remove_old(world.organization.pk, before, held) == 1
    assert set(SearchTrace.objects.values_list("pk", flat=True)) == {old[ada.id].pk, young.pk}
    assert not SearchThumb.objects.exists()
    assert remove_old(world.organization.pk, before, Held()) == 1


def test_a_person_takes_its_searches_along(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    _say(world, ada, world.channel(ada, "betrieb"), "The crane is booked")
    kept = _kept(ada)
    thumbs.give_thumb(principal=ada, search_id=kept.pk, number=1, is_good=False)
    others = _kept(ben)
    (told,) = personal.export_traces(_person(ada))
    assert (told["query"], told["thumbs"]) == ("crane", {"1": False})
    assert personal.traces_of(_person(ada)).count() == 1
    batch = erasing.erase_traces_of(_person(ada), None)
    assert (batch.rows, batch.cursor) == (1, "more")
    assert erasing.erase_traces_of(_person(ada), batch.cursor).cursor is None
    assert list(SearchTrace.objects.values_list("pk", flat=True)) == [others.pk]
    assert not SearchThumb.objects.exists()
