"""Sentences of an answer against the passages they name, as honest and as hostile models write them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from apps.elyza.services import encoder, verifying
from apps.elyza.services.verifying import verify
from apps.elyza.types import Statement, Verdict
from apps.llm.types import AnswerPassage
from tests.elyza.conftest import ModelProcess, needs_model

UseModel = Callable[..., None]
HANDBOOK = AnswerPassage(
    "handbook",
    "The cafeteria opens at eight o'clock. Guest passwords are reset at the service desk on the ground floor. "
    "Dr. Weber approved the travel request on 3 March 2025 because the fair had been moved. Smoking is not allowed "
    "inside the towers. The crane lifts 12,500 kilograms.",
    "en",
)
HANDBUCH = AnswerPassage(
    "handbuch",
    "Das Getriebeöl wird alle 18 Monate gewechselt, spätestens nach 12.000 Betriebsstunden. Gäste dürfen ohne "
    "Begleitung nicht auf die Anlage. Frau Petersen leitet die Leitwarte in Emden. Die Schicht beginnt am 03.05.2025.",
    "de",
)


def said(sentence: str, *passages: AnswerPassage) -> Verdict:
    (verdict,) = verify(
        statements=[Statement(sentence, tuple(range(len(passages))))], passages=passages or [HANDBOOK]
    )
    return verdict


@pytest.fixture
def _by_words(use_model: UseModel) -> None:
    use_model("", embedding="hashed")


@pytest.mark.usefixtures("_by_words")
@pytest.mark.parametrize(
    ("passage", "sentence", "start"),
    [
        (HANDBOOK, "Guest passwords are reset at the service desk on the ground floor.", "Guest passwords"),
        (HANDBOOK, "You can reset guest passwords at the service desk.", "Guest passwords"),
        (HANDBOOK, "The travel request was approved by Dr. Weber on 3 March 2025.", "Dr. Weber"),
        (HANDBOOK, "The crane lifts 12.500 kilograms.", "The crane"),
        (HANDBOOK, "Smoking is never allowed inside the towers.", "Smoking"),
        (
            HANDBUCH,
            "Das Getriebeöl wechselt man alle 18 Monate, spätestens nach 12000 Betriebsstunden.",
            "Das Getriebeöl",
        ),
        (HANDBUCH, "Die Leitwarte in Emden leitet Frau Petersen.", "Frau Petersen"),
        (HANDBUCH, "2025 beginnt die Schicht am 3. 5.", "Die Schicht"),
    ],
)
def test_what_a_passage_says_is_supported_by_the_sentence_that_says_it(
    passage: AnswerPassage, sentence: str, start: str
) -> None:
    verdict = said(sentence, passage)
    assert (verdict.support, verdict.doubts) == ("supported", ())
    (evidence,) = verdict.evidence
    assert passage.text[evidence.start : evidence.end].startswith(start)


@pytest.mark.usefixtures("_by_words")
@pytest.mark.parametrize(
    ("passage", "sentence", "doubt"),
    [
        (HANDBOOK, "The crane lifts 12,600 kilograms.", "number"),
        (HANDBOOK, "The crane lifts 12 kilograms.", "number"),
        (HANDBOOK, "Dr. Weber approved the travel request on 4 March 2025.", "number"),
        (HANDBOOK, "Dr. Weber approved the travel request on 3 March 2026.", "number"),
        (HANDBOOK, "The travel request was approved by Dr. Meier on 3 March 2025.", "name"),
        (HANDBOOK, "The service desk in Hamburg resets guest passwords on the ground floor.", "name"),
        (HANDBOOK, "Smoking is allowed inside the towers.", "negation"),
        (HANDBOOK, "Guest passwords are not reset at the service desk on the ground floor.", "negation"),
        (HANDBOOK, "Guest passwords aren't reset at the service desk on the ground floor.", "negation"),
        (HANDBUCH, "Das Getriebeöl wird alle 19 Monate gewechselt.", "number"),
        (
            HANDBUCH,
            "Das Getriebeöl wird alle 18 Monate gewechselt, spätestens nach 12.001 Betriebsstunden.",
            "number",
        ),
        (HANDBUCH, "Das Getriebeöl wird nach 12 Betriebsstunden gewechselt.", "number"),
        (HANDBUCH, "19. Mai 2025 ist der Tag, an dem die Schicht beginnt.", "number"),
        (HANDBUCH, "Frau Janssen leitet die Leitwarte in Emden.", "name"),
        (HANDBUCH, "Gäste dürfen auf die Anlage.", "negation"),
        (HANDBUCH, "Das Getriebeöl wird nie alle 18 Monate gewechselt.", "negation"),
        (HANDBOOK, "Visitors receive vouchers for breakfast from reception.", "words"),
        (HANDBUCH, "Besucher erhalten an der Pforte Gutscheine fürs Frühstück.", "words"),
    ],
)
def test_what_a_passage_does_not_say_is_not_supported(
    passage: AnswerPassage, sentence: str, doubt: str
) -> None:
    verdict = said(sentence, passage)
    assert verdict.support == "unsupported"
    assert doubt in verdict.doubts


@pytest.mark.usefixtures("_by_words")
@pytest.mark.parametrize(
    ("passage", "sentence"),
    [
        (
            HANDBOOK,
            "Guest passwords are reset at the service desk, which also lends projectors and adapters.",
        ),
        (HANDBUCH, "Das Getriebeöl wird alle 18 Monate gewechselt, den Filter ersetzt dabei die Werkstatt."),
    ],
)
def test_what_a_passage_says_in_part_is_supported_in_part(passage: AnswerPassage, sentence: str) -> None:
    verdict = said(sentence, passage)
    assert (verdict.support, verdict.doubts) == ("partly", ("words",))


@pytest.mark.usefixtures("_by_words")
def test_a_sentence_is_checked_against_the_passages_it_names_and_no_others() -> None:
    sentence = "The crane lifts 12,500 kilograms."
    statements = [
        Statement(sentence, ()), Statement(sentence, (1,)), Statement(sentence, (0,)), Statement(sentence, (0, 1)),
        Statement(sentence, (2, 99, -1)),
    ]  # fmt: skip
    verdicts = verify(statements=statements, passages=[HANDBOOK, HANDBUCH])
    assert [one.support for one in verdicts] == [
        "unsupported", "unsupported", "supported", "supported", "unsupported",
    ]  # fmt: skip
    assert [one.doubts for one in verdicts if not one.evidence] == [
        ("no_source",), ("words",), ("no_source",),
    ]  # fmt: skip


@pytest.mark.usefixtures("_by_words")
def test_two_passages_may_say_it_together() -> None:
    yard = AnswerPassage("yard", "Parking is free behind the workshop for visitors.", "en")
    sentence = "The crane lifts 12,500 kilograms and visitors are parking free behind the workshop."
    assert said(sentence, HANDBOOK).support != "supported"
    verdict = said(sentence, HANDBOOK, yard)
    assert verdict.support == "supported"
    assert {evidence.passage for evidence in verdict.evidence} == {0, 1}


@pytest.mark.usefixtures("_by_words")
@pytest.mark.parametrize(
    "text", ["", " ", "???", "\ud83d", "a" * 20_000, "1." * 3000, "nicht " * 3000, "\x00", "的" * 500]
)
@pytest.mark.parametrize(
    "passage", [HANDBOOK, AnswerPassage("p", ""), AnswerPassage("p", "\ud83d \x00", "xx")]
)
def test_whatever_a_model_writes_gets_a_verdict(text: str, passage: AnswerPassage) -> None:
    verdict = said(text, passage)
    assert verdict.support in {"supported", "partly", "unsupported"}
    for evidence in verdict.evidence:
        assert 0 <= evidence.start < evidence.end <= len(passage.text)


@needs_model
def test_the_encoder_speaks_for_other_words_but_never_for_another_number(
    model_process: ModelProcess, use_model: UseModel
) -> None:
    use_model(model_process.url)
    encoder.warm()
    patient = partial(verify, passages=[HANDBOOK], seconds=20)
    (other_words,) = patient(
        statements=[Statement("The canteen starts serving at eight o'clock in the morning.", (0,))]
    )
    assert other_words.support in {"supported", "partly"}
    (number,) = patient(statements=[Statement("The crane lifts 12,600 kilograms.", (0,))])
    assert number.support == "unsupported"


def test_without_a_model_process_words_alone_decide(use_model: UseModel) -> None:
    use_model("unix:///nonexistent/model.sock")
    assert said("Visitors receive vouchers for breakfast from reception.").support == "unsupported"
    assert verifying.SECONDS < 2
