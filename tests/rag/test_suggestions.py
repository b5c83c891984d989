"""What of a model's words is looked for beside those of a query, and how an address carries them."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest
from django.core import signing

from apps.accounts.types import Principal
from apps.core import tenancy
from apps.rag.models import SearchTrace
from apps.rag.selectors.explaining import explained_hit, query_of
from apps.rag.selectors.ranking import ways_to_write
from apps.rag.selectors.suggestions import LONGEST_SEALED, fitting, sealed, unsealed
from apps.rag.services import synonyms
from apps.rag.services.traces import keep_trace
from apps.rag.text.query import parse
from apps.rag.types import Expansion, ExpansionKind, SearchOrigin, Suggestion, WordMatchKind
from tests.chat.world import World, make_world
from tests.rag.library import ask, texts
from tests.rag.rewording import CRANE, HOLIDAY, QUERY, say, searcher


@pytest.fixture
def ada(world: World) -> Principal:
    """Somebody who searches, and a channel with two messages, each a passage of its own."""
    return searcher(world)


FITS = ["Urlaub", "freie Tage", "Work-Life-Balance", "B2B", "Ärztinnen und Ärzte", "d'accord", "Q&A"]
DOES_NOT = [
    "-Antrag", '"Antrag"', "in:betrieb", "from:ada", "has:link", "type:pdf", "*", "Antrag*", "a|b", "!Antrag", "&",
    "<b>Antrag</b>", "<script>", "https://evil.example", "evil.example", "ada@example.org", "../etc", "4711", "2026",
    "x" * 61, "eins zwei drei vier fünf", "", " ", "\u0000", "Antrag\u0000x", "Antrag;", "(Antrag)", "Antrag\u202e",
    "Заявление", "申请", "Αίτηση", "INC0012345", "Ferienwunsch", "ferienwunsch", "FERIEN-WUNSCH",
]  # fmt: skip


@pytest.mark.parametrize("term", FITS)
def test_words_are_taken(term: str) -> None:
    assert fitting(parse("Ferienwunsch"), [Suggestion("ferienwunsch", f" {term} ")]) == (
        Suggestion("Ferienwunsch", term),
    )


@pytest.mark.parametrize("term", DOES_NOT)
def test_what_is_no_word_or_no_other_word_is_not_looked_for(term: str) -> None:
    assert fitting(parse("Ferienwunsch ferien-wunsch"), [Suggestion("Ferienwunsch", term)]) == ()


@pytest.mark.parametrize(
    "text", ["", "Zeppelin", "Ferien", "betrieb", "geheim", "am Stück", "Antrag einreichen"]
)
def test_words_are_taken_for_words_of_the_query_alone(text: str) -> None:
    query = parse('Ferienwunsch in:betrieb -geheim "am Stück" einreichen')
    assert fitting(query, [Suggestion(text, "Freistellung")]) == ()
    assert fitting(query, [Suggestion("einreichen", "abgeben")]) == (Suggestion("einreichen", "abgeben"),)


def test_what_the_query_excludes_is_not_looked_for() -> None:
    query = parse('Ferienwunsch -Sommer -"am Stück"')
    for term in ("Sommer", "sommer frei", "Stück", "am Stueck"):
        assert fitting(query, [Suggestion("Ferienwunsch", term)]) == ()


def test_words_of_another_language_are_not_looked_for() -> None:
    german, english = parse("Wie beantrage ich meinen Urlaub?"), parse("how do I ask for my leave?")
    foreign = [Suggestion("Urlaub", "the days you are off"), Suggestion("beantrage", "how you ask for them")]
    assert fitting(german, foreign) == ()
    assert fitting(english, [Suggestion("leave", "wie ich meine Ferien bekomme")]) == ()
    assert len(fitting(german, [Suggestion("Urlaub", "freie Tage")])) == 1


def test_at_most_six_words_are_taken_each_once() -> None:
    named = [Suggestion("Ferienwunsch", f"Wort{chr(97 + n // 2)}") for n in range(20)]
    taken = fitting(parse("Ferienwunsch"), named)
    assert [one.term for one in taken] == ["Worta", "Wortb", "Wortc", "Wortd", "Worte", "Wortf"]


def test_a_synonym_of_the_organization_is_not_told_twice() -> None:
    expanded = (Expansion("Ferienwunsch", "Urlaubsantrag"),)
    told = [Suggestion("Ferienwunsch", "urlaubs-antrag"), Suggestion("Ferienwunsch", "Urlaubsantrag")]
    assert fitting(parse("Ferienwunsch"), told[1:], expanded) == ()
    assert fitting(parse("Ferienwunsch"), told, expanded) == (told[0],)


# --- searching with them ---


def test_a_word_of_the_model_counts_less_than_what_was_written_and_than_a_synonym(
    world: World, ada: Principal
) -> None:
    channel = world.channel(ada, "wünsche")
    say(world, world.person("Writer"), channel, "Der Ferienwunsch ist da.")
    suggested = [Suggestion("Ferienwunsch", "Freistellung")]
    synonyms.add_synonyms(principal=world.person("Aylin", "admin"), terms=["Ferienwunsch", "Haken"])
    found = ask(ada, "Ferienwunsch", suggested=suggested)
    assert texts(found) == ["Der Ferienwunsch ist da.", CRANE, HOLIDAY]
    assert found.expanded == (
        Expansion("Ferienwunsch", "Haken"),
        Expansion("Ferienwunsch", "Freistellung", kind=ExpansionKind.SUGGESTED),
    )
    weights = {way.form: way.weight for way in ways_to_write(
        query_of(ada, "Ferienwunsch", has_grammar=True, suggested=suggested)
    )}  # fmt: skip
    assert (weights["Ferienwunsch"], weights["Haken"], weights["Freistellung"]) == (1.0, 0.7, 0.5)


def test_a_word_of_the_model_can_be_left_out(ada: Principal) -> None:
    suggested = [Suggestion("Ferienwunsch", "Freistellung"), Suggestion("Ferienwunsch", "Kran")]
    found = ask(ada, QUERY, suggested=suggested, plain=["freistellung"])
    assert texts(found) == [CRANE]
    assert found.expanded[0] == Expansion(
        "Ferienwunsch", "Freistellung", is_used=False, kind=ExpansionKind.SUGGESTED
    )
    assert found.is_rewritten
    assert not ask(ada, QUERY, suggested=suggested, plain=["Freistellung", "Kran"]).is_rewritten


def test_a_list_of_messages_takes_no_word_of_a_model(ada: Principal) -> None:
    found = ask(ada, "Ferienwunsch -has:link", suggested=[Suggestion("Ferienwunsch", "Freistellung")])
    assert (found.is_list, found.hits, found.expanded) == (True, (), ())


def test_phrases_and_exclusions_hold_for_what_the_model_named(ada: Principal) -> None:
    suggested = [Suggestion("Ferienwunsch", "Freistellung")]
    assert texts(ask(ada, "Ferienwunsch -Sekretariat", suggested=suggested)) == []
    assert texts(ask(ada, 'Ferienwunsch "am Haken"', suggested=suggested)) == [CRANE]


def test_other_words_reach_nothing_that_the_searcher_may_not_see(world: World, ada: Principal) -> None:
    ben = world.person("Ben")
    secret = "Die Freistellung von Ada ist beschlossen."
    say(world, ben, world.channel(ben, "leitung", is_private=True), secret)
    guest = world.person("Gast", "guest")
    suggested = [Suggestion("Ferienwunsch", "Freistellung"), Suggestion("Ferienwunsch", "Ada")]
    assert secret in texts(ask(ben, QUERY, suggested=suggested))
    assert texts(ask(ada, QUERY, suggested=suggested)) == [HOLIDAY]
    assert texts(ask(guest, QUERY, suggested=suggested)) == []
    assert texts(ask(ben, QUERY, suggested=suggested, audience=[ada.id])) == [HOLIDAY]
    bound = replace(ben, scopes=frozenset())
    assert texts(ask(bound, QUERY, suggested=suggested)) == []
    elsewhere = make_world("elsewhere")
    with tenancy.use(elsewhere.organization.pk):
        assert texts(ask(elsewhere.person("Cem", "owner"), QUERY, suggested=suggested)) == []


def test_a_hit_says_that_a_word_of_the_model_found_it(ada: Principal) -> None:
    result = ask(ada, QUERY, suggested=[Suggestion("Ferienwunsch", "Freistellung")])
    keep_trace(principal=ada, origin=SearchOrigin.PAGE, query=QUERY, result=result)
    assert SearchTrace.objects.get().synonyms == [
        {"text": "Ferienwunsch", "term": "Freistellung", "is_used": True, "kind": "suggested"}
    ]
    (match,) = explained_hit(ada, search_id=result.id, number=1).explanation.words
    assert (match.word, match.asked, match.kind, match.weight) == (
        "freistellung", "Ferienwunsch", WordMatchKind.SUGGESTED, 0.5,
    )  # fmt: skip


# --- in an address ---


def test_words_in_an_address_are_those_of_a_model_to_this_query_here(ada: Principal) -> None:
    suggested = (Suggestion("Ferienwunsch", "Freistellung"),)
    here = ada.organization_id
    token = sealed(here, "Ferienwunsch  einreichen", suggested)
    assert unsealed(here, " Ferienwunsch einreichen", token) == suggested
    for organization, query, changed in (
        (uuid4(), QUERY, token), (here, "Ferienwunsch", token), (here, QUERY, token[:-1]), (here, QUERY, ""),
        (here, QUERY, "x" * 3_000), (here, QUERY, signing.dumps(["x"])), (here, QUERY, "\x00"),
    ):  # fmt: skip
        assert unsealed(organization, query, changed) == ()


def test_the_longest_words_fit_an_address(ada: Principal) -> None:
    words = "".join(chr(97 + n % 26) for n in range(60))
    most = [Suggestion(words[n:] + words[:n], words[-n:] + words[:-n]) for n in range(1, 7)]
    assert len(sealed(ada.organization_id, QUERY, most)) < LONGEST_SEALED
