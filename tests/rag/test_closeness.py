"""German questions put passages in order by how much of them stands there, and how close together."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from apps.accounts.services.scopes import create_scope
from apps.rag.models import Chunk
from apps.rag.selectors import ranking
from apps.rag.selectors.closeness import closeness
from apps.rag.selectors.ranking import Reach, rank, spellings
from apps.rag.services import embedding
from apps.rag.text.query import parse_plain
from apps.rag.types import Filters
from tests.chat.world import World
from tests.rag.library import add_document, index_message

_FILLING = " ".join(f"wort{number}" for number in range(60))
NEAR = f"{_FILLING} Das Getriebe der Turbine verliert viel Schmieröl."
FAR = f"Das Getriebe steht. {_FILLING} Eine Turbine verliert nie Schmieröl."


@pytest.fixture
def shelf(world):
    """Maren, who sees documents of one passage each, and a function that adds German ones and returns their chunks."""
    maren = world.person("Maren")
    scope = create_scope(organization_id=world.organization.pk, kind="collection", principals=[maren.id])

    def add(*bodies: str, language: str = "de") -> list[int]:
        for body in bodies:
            add_document(
                organization_id=world.organization.pk,
                scope_id=scope,
                title="",
                pages=[body],
                language=language,
            )
        embedding.refresh_terms()
        return list(Chunk.objects.filter(body__in=bodies).order_by("pk").values_list("pk", flat=True))

    return maren, add


def close_to(text: str, chunks: list[int]) -> list[float]:
    found = closeness(chunks, spellings(parse_plain(text)), language="de")
    return [round(found[chunk], 3) for chunk in chunks]


def test_what_stands_together_is_worth_more(shelf) -> None:
    _, add = shelf
    near, far = close_to("Getriebe Turbine Schmieröl", add(NEAR, FAR))
    assert near == 1.0
    assert 0.6 < far < 0.9  # all of it, but never within a few words


def test_a_rare_word_is_worth_more_than_one_that_is_everywhere(shelf) -> None:
    _, add = shelf
    add(*(f"Die Turbine steht in Halle {number}." for number in range(20)))
    common, rare = close_to("Turbine Schmieröl", add("Hier läuft die Turbine.", "Hier läuft Schmieröl."))
    assert common < 0.3
    assert rare > 0.7
    assert common + rare == pytest.approx(1.0, abs=0.01)


def test_a_word_that_begins_alike_counts_nearly_as_much(shelf) -> None:
    _, add = shelf
    add("Ein Gericht.", "Ein Urteil.")  # each word as often as the other
    said, alike, other = close_to("Gericht Urteil", add("Das Gericht.", "Der Gerichtshof.", "Er tagt."))
    assert 0.3 < said < 0.6
    assert (alike, other) == (pytest.approx(0.8 * said, abs=0.01), 0.0)
    (short,) = close_to("Rat Tat", add("Das Rathaus ist offen."))  # three letters say too little
    assert short == 0.0


def test_each_word_counts_once_in_its_surest_spelling(shelf) -> None:
    _, add = shelf
    repeated, _ = close_to("Gericht Turbine", add("Gericht, Gericht, Gerichtshof, Gerichte.", "Turbine."))
    assert repeated == 0.5


def test_a_passage_is_read_in_its_own_language(shelf) -> None:
    _, add = shelf
    german, english = add("Die Winden drehen."), add("The windings turn.", language="en")
    assert close_to("Winden drehen", german) == [1.0]
    assert close_to("Winden drehen", english) == [0.0]


@pytest.mark.parametrize("text", ["", "Turbine", "und oder die", "…", "\x00", "' & | ! :* <->"])
def test_nothing_is_close_to_nothing(shelf, text: str) -> None:
    _, add = shelf
    chunks = add("Die Turbine steht.")
    assert set(closeness(chunks, spellings(parse_plain(text)), language="de").values()) <= {0.0}
    assert closeness([], spellings(parse_plain("Turbine steht")), language="de") == {}


def test_one_statement_reads_all(
    shelf, django_assert_num_queries: Callable[[int], AbstractContextManager[object]]
) -> None:
    _, add = shelf
    chunks = add(*(f"Die Turbine {number} steht." for number in range(30)))
    with django_assert_num_queries(1):
        assert len(closeness(chunks, spellings(parse_plain("Turbine steht wo?")), language="de")) == 30


def test_a_german_question_has_the_passage_first_that_says_it_in_one_place(
    shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    maren, add = shelf
    add(*(f"Halle {number} ist heute leer." for number in range(20)))
    filling = _FILLING.split()
    far_apart = f"Turbine verliert. {' '.join(filling[:28])} Getriebe. {' '.join(filling[28:58])} Schmieröl."
    near, far = add(NEAR), add(far_apart)

    def order(text: str) -> list[int]:
        found = rank(
            reach=Reach((maren.id,)), query=parse_plain(text), filters=Filters(), limit=10, by_meaning=False
        )
        return [one.chunk for one in found.ranked]

    question = "Wann verliert die Turbine Schmieröl aus dem Getriebe?"
    assert order(question) == near + far
    away = type("Away", (), {"SHARE": 0.0, "closeness": lambda *_, **_more: {}})
    monkeypatch.setattr(ranking, "closeness", away)
    assert order(question) == far + near  # by words alone the shorter one comes first


def test_where_somebody_asked_the_same_is_neither_put_first_for_it_nor_moved(
    shelf, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    maren, add = shelf
    add(NEAR, FAR)
    question = "Wann verliert die Turbine Schmieröl aus dem Getriebe?"
    channel = world.channel(maren, "fragen")
    asked = world.say(maren, channel, question)
    index_message(world.organization.pk, channel, asked.id)
    embedding.refresh_terms()

    def found() -> list[tuple[bool, float]]:
        ranked = rank(
            reach=Reach((maren.id,)),
            query=parse_plain(question),
            filters=Filters(),
            limit=10,
            by_meaning=False,
        ).ranked
        return [(one.source == asked.id, one.score) for one in ranked]

    anew = found()
    monkeypatch.setattr(ranking, "_reranked", lambda ranked, *_, **_more: tuple(ranked))
    assert anew == found()  # where it was, and every place with its score
    assert len(anew) == 3
