"""The shape that a question asks for, and which parts of a sentence have it."""

from __future__ import annotations

from functools import partial

import pytest

from apps.elyza.answering.features import Question
from apps.elyza.answering.ranker import Ranker
from apps.elyza.answering.shapes import shape_of
from apps.elyza.answering.spans import candidates


@pytest.mark.parametrize(
    ("question", "shape"),
    [
        ("Wie oft wird geprüft?", "often"), ("How often is it checked?", "often"), ("In welchen Abständen?", "often"),
        ("Was kostet eine Karte?", "money"), ("Was darf eine Nacht in Hamburg kosten?", "money"),
        ("How much does a pass cost?", "money"), ("Welcher Zuschlag gilt?", "money"),
        ("Wann beginnt es?", "time"), ("Since when is it there?", "time"), ("Um wie viel Uhr?", "time"),
        ("In welchem Jahr begann es?", "time"), ("Wie lange dauert es?", "duration"),
        ("Innerhalb welcher Frist?", "duration"), ("How many people?", "count"), ("Wie viele Gäste?", "count"),
        ("How much does it lift?", "measure"), ("Bei welcher Temperatur?", "measure"), ("Wer leitet das?", "person"),
        ("To whom is it reported?", "person"), ("Wo ist es?", "place"), ("In which room?", "place"),
        ("Which berth do they use?", "named"), ("Warum steht er?", ""), ("Why does it stop?", ""), ("Was ist das?", ""),
        ("What happens when it stops?", ""), ("How does it work?", ""), ("Wie meldet man das?", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_question_asks_for_a_shape(question: str, shape: str) -> None:
    assert shape_of(question) == shape


@pytest.mark.parametrize(
    ("language", "question", "sentence", "fitting", "unfit"),
    [
        ("de", "Wie oft?", "Turm 7 steht, er wird alle 18 Monate gewartet.", ["alle 18 Monate"],
         ["7", "7 steht", "18 Monate", "alle 18 Monate gewartet"]),
        ("de", "Wie viele Liter?", "Turm 7 braucht 600 Liter in sechs Stunden.", ["600", "600 Liter"],
         ["7", "Turm 7", "sechs", "braucht 600 Liter"]),
        ("de", "Wie lange?", "Raum 204 bleibt drei Jahre zu.", ["drei Jahre"], ["204", "drei", "drei Jahre zu"]),
        ("de", "Wann?", "Erik kommt am 8. Dezember mit drei Leuten.", ["8. Dezember"], ["Erik", "drei Leuten", "drei"]),
        ("de", "Wer?", "Am Montag bringt Frau Petersen den Kran aus Emden.", ["Frau Petersen", "Petersen"],
         ["Montag", "Kran", "Emden", "bringt Frau Petersen"]),
        ("de", "Wo?", "Am Freitag trifft man sich um 10 Uhr in der Leitwarte.", ["Leitwarte"], ["Freitag", "10 Uhr"]),
        ("de", "Was kostet es?", "Karte 15 kostet 20 Euro, das sind 5 %.", ["20 Euro"], ["15", "Karte 15", "5 %"]),
        ("en", "How often?", "Tower 7 is checked every six months.", ["every six months"], ["7", "months"]),
        ("en", "How many?", "Berth 3 holds five reefers.", ["five", "five reefers"], ["3", "Berth 3"]),
        ("en", "When?", "On Monday Erik moved two cranes.", ["Monday"], ["Erik", "two cranes", "two"]),
        ("en", "Who?", "On Monday Erik Dahl moved two cranes.", ["Erik Dahl"], ["Monday", "two cranes"]),
        ("en", "How much does it cost?", "Pass 3 costs €18.50 a day.", ["€18.50"], ["3"]),
        ("en", "Why?", "It stops because wind is strong.", [], ["wind", "strong"]),
    ],
)  # fmt: skip
def test_only_what_has_the_shape_fits(
    language: str, question: str, sentence: str, fitting: list[str], unfit: list[str]
) -> None:
    weight = partial(Ranker.shipped().rarity, language=language)
    asked = Question.read(question, language=language, weight=weight)
    given = candidates(asked, sentence, language=language, weight=weight)
    fits = {
        sentence[span.start : span.end] for span, fits in zip(given.spans, given.fits, strict=True) if fits
    }
    assert set(fitting) <= fits
    assert not set(unfit) & fits
