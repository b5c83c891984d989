"""Why a hit is there, and thumbs: on the page without scripts, and over HTTP."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest
from django.test import Client
from lxml import html

from apps.accounts.models import Member, User
from apps.accounts.types import Principal
from apps.chat.services.members import remove_person
from apps.rag.errors import HitNotFound
from apps.rag.models import SearchThumb, SearchTrace
from apps.rag.selectors.explaining import explain, explained_hit, query_of
from apps.rag.selectors.traces import get_search
from apps.rag.services import synonyms, thumbs
from apps.rag.services.traces import keep_trace
from apps.rag.types import SearchOrigin, SearchResult
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


def _searched(principal: Principal, query: str) -> SearchResult:
    result = ask(principal, query)
    keep_trace(principal=principal, origin=SearchOrigin.PAGE, query=query, result=result)
    return result


def _words(principal: Principal, query: str) -> list[tuple[str, str, str, float, bool]]:
    (one,) = explain(ask(principal, query), query_of(principal, query, has_grammar=True))
    return [(each.word, each.asked, each.kind.value, each.weight, each.in_title) for each in one.words]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("Bremse", [("bremse", "Bremse", "written", 1.0, False), ("bremsen", "Bremse", "form", 1.0, True)]),
        ("Kran", [("krans", "Kran", "form", 1.0, False), ("kranbuch", "Kran", "part", 0.3, True)]),
        ("Halterung", [("bremse", "Halterung", "synonym", 0.7, False), ("bremsen", "Halterung", "synonym", 0.7, True)]),
        ("Haken", []),
    ],
)  # fmt: skip
def test_each_word_says_what_it_fits_and_what_it_counts(
    world: World, query: str, words: list[tuple[str, str, str, float, bool]]
) -> None:
    ada = world.person("Ada")
    _say(world, ada, world.channel(ada, "betrieb"), "Nichts davon")
    add_document(
        organization_id=world.organization.pk, scope_id=ask(ada, "davon").hits[0].scope, title="Kranbuch: Bremsen",
        pages=["Die Bremse des Krans hält."], language="de",
    )  # fmt: skip
    embed_all(world.organization.pk)
    synonyms.add_synonyms(principal=world.person("Aylin", "admin"), terms=["Bremse", "Halterung"])
    found = [one for one in ask(ada, query).hits if one.source_type == "document"]
    assert len(found) == 1
    assert _words(ada, f"{query} type:document") == words


def test_ranks_and_the_way_are_told(world: World) -> None:
    ada = world.person("Ada")
    for number, body in enumerate(("crane crane", "crane and a long text about the weather", "only wind")):
        _say(world, ada, world.channel(ada, f"betrieb {number}"), body)
    embed_all(world.organization.pk)
    result = ask(ada, "crane")
    told = explain(result, query_of(ada, "crane", has_grammar=True))
    assert [one.rank for one in told] == list(range(1, len(result.hits) + 1))
    assert sorted(one.meaning_rank for one in told if one.meaning_rank) == [one.rank for one in told]
    assert {one.path.value for one in told} == {"exact"}
    assert told[0].words_rank == 1
    assert [one.words_rank for one in told if not one.words_score] == [None] * sum(
        1 for one in told if not one.words_score
    )


def test_an_own_hit_is_explained_on_a_page_of_its_own(world: World) -> None:
    ada = world.person("Ada")
    _say(world, ada, world.channel(ada, "betrieb"), "Der <b>Kran</b> hält")
    embed_all(world.organization.pk)
    client = _client(ada)
    page = html.fromstring(client.get(PAGE, {"q": "Kran"}).content)
    (link,) = page.find_class("hit__why")
    assert link.get("href") == f"{PAGE}{SearchTrace.objects.get().pk}/hits/1/"
    answer = client.get(link.get("href"))
    assert answer.status_code == 200
    shown = html.fromstring(answer.content)
    said = " ".join(shown.find_class("explained")[0].text_content().split())
    assert "By words100% of the best hit, place 1" in said
    assert "Wordskran, counts 1" in said
    assert "The age does not change the place." in said
    assert "passage1 passage you can open; 1 of them compared in full" in said
    assert shown.find_class("back")[0].get("href") == f"{PAGE}?q=Kran"


def test_a_hit_of_a_list_says_that_it_fulfils_every_filter(world: World) -> None:
    ada = world.person("Ada")
    _say(world, ada, world.channel(ada, "betrieb"), "crane https://example.org/")
    result = _searched(ada, "crane has:link")
    answer = _client(ada).get(f"{PAGE}{result.id}/hits/1/")
    assert "It fulfils every filter and holds every word" in answer.content.decode()


def test_what_is_hidden_since_is_not_explained(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    channel = world.channel(ada, "geheim", is_private=True)
    _say(world, ada, channel, "The crane is booked")
    result = _searched(ada, "crane")
    assert explained_hit(ada, search_id=result.id, number=1).hit.text == "The crane is booked"
    for who, search_id, number in (
        (ben, result.id, 1), (ada, uuid4(), 1), (ada, result.id, 2), (ada, result.id, 0),
        (replace(ada, viewed_by=ben.id), result.id, 1),
    ):  # fmt: skip
        with pytest.raises(HitNotFound):
            explained_hit(who, search_id=search_id, number=number)
    # The same search in the name of somebody without a seat there: the id of a hit opens nothing.
    SearchTrace.objects.update(searcher_id=ben.id)
    with pytest.raises(HitNotFound):
        explained_hit(ben, search_id=result.id, number=1)


def test_a_hit_that_a_message_joined_since_is_still_explained(world: World) -> None:
    ada, olga = world.person("Ada"), world.person("Olga", "owner")
    channel = world.channel(ada, "betrieb", [olga], is_private=True)
    _say(world, ada, channel, "The crane is in the harbour")
    embed_all(world.organization.pk)
    found = _searched(ada, "crane")
    _say(world, ada, channel, "So is the barge")
    explained = explained_hit(ada, search_id=found.id, number=1)
    assert explained.hit.text == "The crane is in the harbour\nSo is the barge"
    assert [match.word for match in explained.explanation.words] == ["crane"]
    (traced,) = get_search(olga, found.id).hits
    assert traced.hit is not None
    assert traced.hit.chunk == explained.hit.chunk
    remove_person(principal=ada, conversation_id=channel, person_id=ada.id)
    with pytest.raises(HitNotFound):
        explained_hit(ada, search_id=found.id, number=1)


def test_a_thumb_is_given_replaced_and_taken_back_without_scripts(world: World) -> None:
    ada = world.person("Ada")
    _say(world, ada, world.channel(ada, "betrieb"), "The crane is booked")
    client = _client(ada)
    page = html.fromstring(client.get(PAGE, {"q": "crane"}).content)

    def pressed(shown: html.HtmlElement) -> list[str]:
        return [button.get("aria-pressed") for button in shown.xpath("//*[@class='thumbs']/button")]

    assert pressed(page) == ["false", "false"]
    good, bad = page.xpath("//*[@class='thumbs']/button")
    for button, states in ((good, ["true", "false"]), (bad, ["false", "true"])):
        answer = client.post(button.get("formaction"), {"good": button.get("value")})
        assert answer.status_code == 302
        shown = html.fromstring(client.get(answer.headers["Location"]).content)
        assert pressed(shown) == states
    assert list(SearchThumb.objects.values_list("number", "is_good")) == [(1, False)]
    again = shown.xpath("//*[@class='thumbs']/button")[1]
    assert again.get("value") == ""
    client.post(again.get("formaction"), {"good": ""})
    assert not SearchThumb.objects.exists()


def test_a_script_gets_only_the_control(world: World) -> None:
    ada = world.person("Ada")
    _say(world, ada, world.channel(ada, "betrieb"), "The crane is booked")
    result = _searched(ada, "crane")
    answer = _client(ada).post(
        f"{PAGE}{result.id}/hits/1/thumb/", {"good": "1"}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 200
    assert answer.content.decode().startswith('<span class="thumbs"')


def test_nobody_says_anything_about_the_hits_of_others(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    _say(world, ada, world.channel(ada, "betrieb"), "The crane is booked")
    result = _searched(ada, "crane")
    for who, number in ((ben, 1), (ada, 2), (ada, 0)):
        with pytest.raises(HitNotFound):
            thumbs.give_thumb(principal=who, search_id=result.id, number=number, is_good=True)
        with pytest.raises(HitNotFound):
            thumbs.take_thumb_back(principal=who, search_id=result.id, number=number)
    assert not SearchThumb.objects.exists()


def test_the_api_explains_when_it_is_asked_and_takes_thumbs(world: World) -> None:
    ada = world.person("Ada")
    _say(world, ada, world.channel(ada, "betrieb"), "The crane is booked")
    embed_all(world.organization.pk)
    api = Api.by_key(Member.objects.get(pk=ada.member_id))
    plain = api.get("search/?q=crane").json()
    assert plain["explanation"] is None
    assert plain["results"][0]["explanation"] is None
    told = api.get("search/?q=crane&explain=true").json()
    assert told["explanation"]["path"] == "exact"
    assert told["explanation"]["visible"] == 1
    assert [stage["name"] for stage in told["explanation"]["stages"]][:2] == ["understanding", "synonyms"]
    why = told["results"][0]["explanation"]
    assert why["words"] == [
        {"word": "crane", "asked": "crane", "kind": "written", "weight": 1.0, "in_title": False}
    ]
    assert (why["rank"], why["words_rank"], why["meaning_rank"]) == (1, 1, 1)
    where = f"search/{told['id']}/hits/1/thumb/"
    assert api.put(where, {"is_good": False}).status_code == 204
    assert api.put(where, {"is_good": True}).status_code == 204
    assert list(SearchThumb.objects.values_list("number", "is_good")) == [(1, True)]
    assert [api.delete(where).status_code for _ in range(2)] == [204, 204]
    assert not SearchThumb.objects.exists()
    assert api.put(f"search/{uuid4()}/hits/1/thumb/", {"is_good": True}).status_code == 404
