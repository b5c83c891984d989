"""Words that the best hits share: which are offered, and what a search makes of one that is added."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from apps.accounts.types import Principal
from apps.chat.selectors.conversations import scope_of
from apps.core import tenancy
from apps.rag.models import IndexStat, SearchTrace, TermStat
from apps.rag.selectors.agreement import with_offer
from apps.rag.selectors.explaining import explain, explained_hit, query_of
from apps.rag.selectors.ranking import ways_to_write
from apps.rag.selectors.related import with_related
from apps.rag.services import synonyms
from apps.rag.services.traces import keep_trace
from apps.rag.text.query import parse
from apps.rag.types import Expansion, ExpansionKind, SearchOrigin, Suggestion, WordMatchKind
from tests.chat.world import World, make_world
from tests.rag.library import add_document, ask, embed_all, texts
from tests.rag.rewording import say
from tests.rag.sharing import LEAVE, ONLY_RELATED, QUERY, agree, workplace

RELATED = ExpansionKind.RELATED


@pytest.fixture
def place(world: World) -> tuple[Principal, UUID]:
    """Somebody who searches, and a channel that holds sixty passages about something else."""
    return workplace(world)


def _offered(principal: Principal, query: str = QUERY, **options: Any) -> tuple[str, ...]:
    return with_offer(principal, query, ask(principal, query, limit=10, **options)).related


# --- what is offered ---


def test_a_rare_word_that_three_hits_share_is_offered(world: World, place) -> None:
    ada, channel = place
    agree(world, channel)
    assert _offered(ada) == ("Freistellung",)
    embed_all(ada.organization_id)
    assert _offered(ada) == ("Freistellung",)  # counted, and among hits that are near in meaning alone


@pytest.mark.parametrize(
    ("query", "bodies", "words"),
    [
        ("leave", ("Leave with the waiver.", "Waivers for your leave lie here.", "Leave: add waivers."), ("waiver",)),
        ("leave", ("Leave: Waiver here.", "Waivers for your leave and waivers.", "My leave: waivers."), ("waivers",)),
        ("Urlaub", ("Urlaub, Urlaubsantrag", "Urlaubsantrag, Urlaub", "Urlaub: Urlaubsantrag!"), ("Urlaubsantrag",)),
        ("Urlaub", ("Urlaub im Jahr", "Die Urlaube: alle", "des Urlaubs: viel"), ()),
        ("Urlaub", ("Urlaub: Anträge eins", "Urlaub, Antrag zwei", "Urlaub, des Antrags drei"), ("Antrag",)),
        ("Urlaub", ("Urlaub ANTRAG vorn", "Urlaub: Antrag hinten", "Urlaub, Antrag mittig"), ("Antrag",)),
        ("Urlaub", ("Urlaub: Antra\u0308ge eins", "Urlaub, Anträge zwei", "Urlaub, Anträge drei"), ("Anträge",)),
        ("Urlaub", ("Urlaub: IT-Team vorn", "Urlaub im IT-Team", "Urlaub fürs IT-Team, ja"), ("IT-Team",)),
        ("IT Team", ("IT-Team vorn", "ein IT-Team", "fürs IT-Team da"), ()),
        ("Urlaub", ("Urlaub **Antrag** a", "Urlaub (Antrag), b", "Urlaub `Antrag`. c"), ("Antrag",)),
        ("Urlaub", ("Urlaub <b>Antrag</b>", "Urlaub, <b>Antrag</b> da", "Urlaub dort <b>Antrag</b>"), ()),
    ],
)  # fmt: skip
def test_words_are_shown_as_hits_write_them_each_once(
    world: World, place, query: str, bodies: tuple[str, ...], words: tuple[str, ...]
) -> None:
    ada, channel = place
    agree(world, channel, bodies)
    assert _offered(ada, query) == words


@pytest.mark.parametrize(
    "word",
    [
        "2026", "4711", "INC0012345", "KI-2024-17", "ada@example.org", "https://example.org/leave", "example.org",
        "@Ben", "/etc/hosts", "plan.pdf", "#betrieb", "wenn", "because", "Öl", "a|b", "Urlaubs-", "x" * 61, "Sender",
        "Besprechung",
    ],
)  # fmt: skip
def test_what_is_no_rare_word_is_not_offered(world: World, place, word: str) -> None:
    ada, channel = place
    agree(world, channel, tuple(f"{word} Urlaub {number}" for number in ("eins", "zwei", "drei")))
    assert _offered(ada, "Urlaub") == ()


def test_two_hits_do_not_agree(world: World, place) -> None:
    ada, channel = place
    agree(world, channel, (*LEAVE[:2], "Urlaub beantragen geht auch mündlich."))
    assert _offered(ada) == ()


def test_one_source_does_not_agree_with_itself(world: World, place) -> None:
    ada, channel = place
    scope = scope_of(ada, channel)
    add_document(
        organization_id=ada.organization_id, scope_id=scope, title="Leitfaden", pages=LEAVE, language="de"
    )
    assert len(ask(ada, QUERY, collapse=False).hits) == 3
    assert _offered(ada) == _offered(ada, collapse=False) == ()
    for number, body in enumerate(LEAVE[:2]):
        add_document(
            organization_id=ada.organization_id, scope_id=scope, title=f"Merkblatt {number}",
            pages=[f"{body} Bitte."], language="de",
        )  # fmt: skip
    assert _offered(ada) == ("Freistellung",)


def test_a_thread_is_one_source(world: World, place) -> None:
    ada, channel = place
    agree(world, channel)
    result = ask(ada, QUERY)
    hits = tuple(replace(hit, thread=result.hits[0].source) for hit in result.hits)
    assert with_offer(ada, QUERY, replace(result, hits=hits)).related == ()


def test_copies_and_what_agents_wrote_agree_with_nobody(world: World, place) -> None:
    ada, channel = place
    agree(world, channel, (LEAVE[0], LEAVE[0].upper(), f"{LEAVE[0]}  ", LEAVE[1]))
    assert _offered(ada) == ()
    say(world, world.person("Nora"), channel, LEAVE[2])
    result = ask(ada, QUERY)
    assert with_offer(ada, QUERY, result).related == ("Freistellung",)
    hits = tuple(replace(hit, is_generated=hit.text == LEAVE[2]) for hit in result.hits)
    assert with_offer(ada, QUERY, replace(result, hits=hits)).related == ()


def test_only_the_best_hits_are_looked_at(world: World, place) -> None:
    ada, channel = place
    agree(world, channel)
    result = ask(ada, QUERY)
    plain = [replace(result.hits[0], text=f"nichts {number}") for number in range(6)]
    assert with_offer(ada, QUERY, replace(result, hits=(*plain[:5], *result.hits))).related == (
        "Freistellung",
    )
    assert with_offer(ada, QUERY, replace(result, hits=(*plain, *result.hits))).related == ()


def test_what_is_far_behind_the_best_agrees_with_nobody(world: World, place) -> None:
    ada, channel = place
    agree(world, channel)
    result = ask(ada, QUERY)
    hits = tuple(replace(hit, score=score) for hit, score in zip(result.hits, (0.9, 0.8, 0.45), strict=True))
    assert with_offer(ada, QUERY, replace(result, hits=hits)).related == ("Freistellung",)
    hits = (*hits[:2], replace(hits[2], score=0.44))
    assert with_offer(ada, QUERY, replace(result, hits=hits)).related == ()


def test_what_is_only_a_little_alike_agrees_with_nobody(world: World, place) -> None:
    ada, channel = place
    agree(world, channel)
    result = ask(ada, QUERY)
    for cosine, words in ((0.5, ("Freistellung",)), (0.49, ()), (None, ())):
        hits = tuple(replace(hit, words=(), meaning_score=cosine) for hit in result.hits)
        assert with_offer(ada, QUERY, replace(result, hits=hits)).related == words


def test_at_most_five_words_are_offered_those_that_more_hits_hold_first(world: World, place) -> None:
    ada, channel = place
    shared = "Antrag Bogen Chefin Dienstplan Einsatz Formular"
    agree(world, channel, tuple(f"Urlaub {n} {shared}" for n in ("eins", "zwei", "drei")))
    agree(world, channel, ("Urlaub: Formular vier",))
    words = ("Formular", "Antrag", "Bogen", "Chefin", "Dienstplan")
    assert _offered(ada, "Urlaub") == words
    assert _offered(ada, "Urlaub", related=["Bogen", "Antrag"]) == ("Formular", "Chefin", "Dienstplan")
    assert _offered(ada, "Urlaub", related=words) == ()


@pytest.mark.parametrize(
    "query",
    [
        '"Urlaub beantragen"', 'Urlaub "beantragen"', "Urlaub beantragen 20240017", "Urlaub INC0012345", "in:betrieb",
        "from:me", "-Kran", "Urlaub beantragen -from:me", "Urlaub is:unread", "Urlaub in:nirgends", "", "wie wird das",
    ],
)  # fmt: skip
def test_what_is_meant_as_it_is_written_has_no_related_words(
    world: World, place, query: str, django_assert_num_queries
) -> None:
    ada, channel = place
    agree(world, channel)
    result = ask(ada, query)
    with django_assert_num_queries(0):
        assert with_offer(ada, query, result) == result


def test_a_later_page_has_no_related_words(world: World, place) -> None:
    ada, channel = place
    agree(
        world, channel, (*LEAVE, "Urlaub beantragen: Freistellung vier.", "Urlaub beantragen, Freistellung.")
    )
    first = ask(ada, QUERY, limit=1)
    assert with_offer(ada, QUERY, ask(ada, QUERY, cursor=first.next_cursor)).related == ()


def test_words_that_were_said_refused_or_name_somebody_are_not_offered(world: World, place) -> None:
    ada, channel = place
    agree(world, channel)
    assert _offered(ada, f'{QUERY} -"nächste Freistellung"') == ()
    assert _offered(ada, f"{QUERY} Freistellungen") == ()
    assert _offered(ada, suggested=[Suggestion("Urlaub", "Freistellung")]) == ()
    result = ask(ada, f"{QUERY} in:betrieb")
    assert with_offer(ada, QUERY, result).related == ("Freistellung",)
    named = replace(result, chips=(replace(result.chips[0], label="Rita Freistellung"),))
    assert with_offer(ada, QUERY, named).related == ()
    synonyms.add_synonyms(principal=world.person("Aylin", "admin"), terms=["Urlaub", "Freistellung"])
    assert _offered(ada) == _offered(ada, plain=["Freistellung"]) == ()


def test_hidden_passages_say_nothing(world: World, place) -> None:
    ada, channel = place
    ben, guest = world.person("Ben"), world.person("Gast", "guest")
    closed = world.channel(ben, "leitung", is_private=True)
    agree(
        world, channel, (LEAVE[0], "Urlaub beantragen: Abfindung.", "Keine Abfindung beim Urlaub beantragen.")
    )
    say(world, ben, closed, "Die Abfindung von Ada: Urlaub beantragen.")
    assert _offered(ben) == ("Abfindung",)
    assert _offered(ada) == ()
    assert _offered(guest) == ()
    assert _offered(replace(ben, scopes=frozenset())) == ()
    assert _offered(ben, audience=[ada.id]) == ()
    elsewhere = make_world("elsewhere")
    with tenancy.use(elsewhere.organization.pk):
        assert _offered(elsewhere.person("Cem", "owner")) == ()


def test_a_guest_is_offered_what_stands_in_the_guests_own_channel(world: World, place) -> None:
    ada, _channel = place
    guest = world.person("Gast", "guest")
    open_to_guest = world.channel(ada, "gäste", people=[guest])
    agree(world, open_to_guest)
    assert _offered(guest) == ("Freistellung",)


def test_nothing_is_rare_where_words_were_never_counted_or_are_few(world: World, place) -> None:
    ada, channel = place
    agree(world, channel)
    IndexStat.objects.filter(organization_id=ada.organization_id).update(chunks=14)
    assert _offered(ada) == ()
    IndexStat.objects.filter(organization_id=ada.organization_id).update(chunks=15)
    assert _offered(ada) == ("Freistellung",)
    IndexStat.objects.all().delete()
    assert _offered(ada) == ()


def test_an_offer_costs_one_statement_and_only_where_hits_can_agree(
    world: World, place, django_assert_num_queries
) -> None:
    ada, channel = place
    agree(world, channel, LEAVE[:2])
    result = ask(ada, QUERY)
    with django_assert_num_queries(0):
        assert with_offer(ada, QUERY, result) == result
    agree(world, channel, ("Urlaub beantragen geht auch mündlich.",))
    result = ask(ada, QUERY)
    with django_assert_num_queries(0):  # no further word of all three begins alike
        assert with_offer(ada, QUERY, result).related == ()
    agree(world, channel, LEAVE[2:])
    result = ask(ada, QUERY)
    with django_assert_num_queries(1):
        told = with_offer(ada, QUERY, result)
    assert told.related == ("Freistellung",)
    assert told.trace.stages[-1][0] == "related"
    assert told.took_ms > result.took_ms


def test_how_rare_words_are_is_asked_by_key(world: World, place) -> None:
    ada, channel = place
    agree(world, channel)
    TermStat.objects.bulk_create(
        TermStat(organization_id=ada.organization_id, term=f"w{number}", chunks=1) for number in range(3000)
    )
    result = ask(ada, QUERY)
    before = _read_whole("rag_termstat")
    assert with_offer(ada, QUERY, result).related == ("Freistellung",)
    assert _read_whole("rag_termstat") == before


def _read_whole(table: str) -> int:
    """Return how often this transaction read a table from end to end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = %s", [table])
        ((times,),) = cursor.fetchall()
    return int(times)


# --- searching with one ---


def test_an_added_word_finds_more_and_counts_less(world: World, place) -> None:
    ada, channel = place
    agree(world, channel, (*LEAVE, ONLY_RELATED, "Urlaub ist schön."))
    before = texts(ask(ada, QUERY))
    assert ONLY_RELATED not in before
    found = ask(ada, QUERY, related=["Freistellung"])
    assert set(texts(found)) == {*before, ONLY_RELATED}
    assert found.expanded == (Expansion("", "Freistellung", kind=RELATED),)
    query = query_of(ada, QUERY, has_grammar=True, related=["Freistellung"])
    assert {(way.number, way.asked, way.weight) for way in ways_to_write(query)} == {
        (0, "Urlaub", 1.0), (1, "beantragen", 1.0), (2, "Freistellung", 0.5)
    }  # fmt: skip


def test_an_added_word_is_demanded_of_nothing(world: World, place) -> None:
    ada, channel = place
    agree(world, channel, (*LEAVE, "Urlaub beantragen"))
    assert "Urlaub beantragen" in texts(ask(ada, QUERY, related=["Freistellung"]))
    listed = ask(ada, "Urlaub beantragen -from:me", related=["Zeppelin"])
    assert (listed.is_list, len(listed.hits), listed.expanded) == (True, 4, ())
    assert texts(ask(ada, "in:betrieb", related=["Freistellung"])) == texts(ask(ada, "in:betrieb"))


@pytest.mark.parametrize("query", [f"{QUERY} from:niemand", f"{QUERY} -Freistellung", f'{QUERY} "am Haken"'])
def test_filters_phrases_and_exclusions_hold_for_an_added_word(world: World, place, query: str) -> None:
    ada, channel = place
    agree(world, channel, (*LEAVE, ONLY_RELATED))
    assert texts(ask(ada, query, related=["Freistellung"])) == []


def test_an_added_word_reaches_nothing_that_the_searcher_may_not_see(world: World, place) -> None:
    ada, channel = place
    agree(world, channel)
    ben = world.person("Ben")
    secret = "Die Freistellung von Ada ist beschlossen."
    say(world, ben, world.channel(ben, "leitung", is_private=True), secret)
    assert secret in texts(ask(ben, QUERY, related=["Freistellung"]))
    assert secret not in texts(ask(ada, QUERY, related=["Freistellung"]))
    assert texts(ask(world.person("Gast", "guest"), QUERY, related=["Freistellung"])) == []


@pytest.mark.parametrize(
    "word",
    [
        "", " ", "Öl", "Kran Haken", "-Kran", '"Kran"', "in:betrieb", "from:ada", "*", "a|b", "!Kran", "<b>Kran</b>",
        "ada@example.org", "https://evil.example", "../etc", "4711", "INC0012345", "Kran\x00", "Kran\u202e", "x" * 61,
        "wenn", "urlaub", "URLAUB", "Fettpresse", "Sommer",
    ],
)  # fmt: skip
def test_what_is_no_related_word_is_left(word: str) -> None:
    query, expanded = parse("Urlaub beantragen -Sommer"), (Expansion("Urlaub", "Fettpresse"),)
    assert with_related(query, expanded, [word]) == (query, expanded)


def test_added_words_are_bounded_each_once() -> None:
    words = ["Wortä", "wortae", "WORTÄ", *(f"Wort{chr(98 + number)}" for number in range(20))]
    query, expanded = with_related(parse("Urlaub"), (), words)
    assert query.related == ("WORTÄ", "Wortb", "Wortc", "Wortd", "Worte")
    assert expanded == tuple(Expansion("", word, kind=RELATED) for word in query.related)


def test_a_hit_says_that_an_added_word_found_it(world: World, place) -> None:
    ada, channel = place
    agree(world, channel, (ONLY_RELATED,))
    result = ask(ada, QUERY, related=["Freistellung"])
    query = query_of(ada, QUERY, has_grammar=True, related=["Freistellung"])
    keep_trace(principal=ada, origin=SearchOrigin.PAGE, query=QUERY, result=result)
    assert SearchTrace.objects.get().synonyms == [
        {"text": "", "term": "Freistellung", "is_used": True, "kind": "related"}
    ]
    (now,), then = explain(result, query), explained_hit(ada, search_id=result.id, number=1).explanation
    for (match,) in (now.words, then.words):
        assert (match.word, match.asked, match.kind, match.weight) == (
            "freistellung", "Freistellung", WordMatchKind.RELATED, 0.5,
        )  # fmt: skip
