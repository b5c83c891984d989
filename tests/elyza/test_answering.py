"""Extractive answers: the right sentence with exact offsets, or an honest "not found"."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from apps.elyza.answering.features import LEXICAL, NAMES, Question, passage_features
from apps.elyza.answering.fitting import Design, fit_choice, fit_logistic
from apps.elyza.answering.ranker import Ranker
from apps.elyza.answering.words import find_words, likeness, stem_of
from apps.elyza.encoding import package
from apps.elyza.services import answers, encoder
from apps.elyza.services.answers import answer_from_passages
from apps.elyza.types import SentenceScores, Span, SplitPassage
from apps.llm.types import AnswerPassage, ExtractiveAnswer
from tests.elyza.conftest import ModelProcess, needs_model

UseModel = Callable[..., None]
COLLECTIONS = os.environ.get("CHATSYSTEM_TEST_COLLECTIONS", "")
HANDBOOK = AnswerPassage(
    "handbook",
    "The cafeteria opens at eight o'clock. Guest passwords are reset at the service desk on the ground floor. "
    "Dr. Weber approved the travel request on 3 March 2025 because the fair had been moved. Parking is free.",
    "en",
)
HANDBUCH = AnswerPassage(
    "handbuch",
    "Die Kantine öffnet um acht Uhr. Gastkennwörter setzt der Servicedesk im Erdgeschoss zurück. "
    "Reisekosten werden innerhalb von 14 Tagen erstattet, z. B. per Überweisung. Parken kostet nichts.",
    "de",
)
WEATHER = AnswerPassage("weather", "Rain fell on the hills. The river rose by two metres over night.", "en")


def ask(question: str, *passages: AnswerPassage, limit: int = 3) -> ExtractiveAnswer:
    return answer_from_passages(question=question, passages=passages, limit=limit)


@pytest.fixture
def _by_words(use_model: UseModel) -> None:
    use_model("", embedding="hashed")


@pytest.mark.usefixtures("_by_words")
@pytest.mark.parametrize(
    ("question", "passages", "start"),
    [
        ("Where are guest passwords reset?", [WEATHER, HANDBOOK], "Guest passwords"),
        ("When does the cafeteria open?", [HANDBOOK], "The cafeteria"),
        ("Who approved the travel request?", [HANDBOOK, WEATHER], "Dr. Weber"),
        ("Innerhalb welcher Frist werden Reisekosten erstattet?", [HANDBUCH], "Reisekosten werden"),
        ("Wo werden Gastkennwörter zurückgesetzt?", [HANDBUCH, WEATHER], "Gastkennwörter"),
    ],
)
def test_the_best_sentence_is_shown_with_its_place(
    question: str, passages: list[AnswerPassage], start: str
) -> None:
    answer = ask(question, *passages)
    assert answer.found
    assert answer.rung == "lexical"
    best = answer.sentences[0]
    assert best.text.startswith(start)
    source = next(passage for passage in passages if passage.id == best.passage_id)
    assert source.text[best.start : best.end] == best.text
    assert 0 < best.probability <= answer.probability <= 1


@pytest.mark.usefixtures("_by_words")
@pytest.mark.parametrize(
    "question",
    ["Who won the chess championship in Reykjavik?", "Wer gewann die Schachmeisterschaft in Reykjavik?"],
)
def test_what_is_not_there_is_not_answered(question: str) -> None:
    answer = ask(question, HANDBOOK, HANDBUCH)
    assert (answer.found, answer.sentences) == (False, ())
    assert {sentence.passage_id for sentence in answer.related} == {"handbook", "handbuch"}


@pytest.mark.usefixtures("_by_words")
@pytest.mark.parametrize(
    ("question", "passages"),
    [
        ("", [HANDBOOK]),
        ("???", [HANDBOOK]),
        ("Where?", []),
        ("Where?", [AnswerPassage("empty", "")]),
        ("Where?", [AnswerPassage("blank", " \n\n ")]),
    ],
)
def test_nothing_to_read_is_not_found(question: str, passages: list[AnswerPassage]) -> None:
    assert ask(question, *passages) == ExtractiveAnswer(
        found=False, probability=0.0, sentences=(), related=(), rung="lexical"
    )


@pytest.mark.usefixtures("_by_words")
@pytest.mark.parametrize(
    "passage",
    [
        AnswerPassage(
            "surrogate", "A \ud83d broken one. Guest passwords are reset at the desk \udcff today."
        ),
        AnswerPassage("long", "Nothing here. " * 3000 + "Guest passwords are reset at the desk."),
        AnswerPassage("nul", "First.\x00 Guest passwords are reset at the desk."),
        AnswerPassage("unknown", "Guest passwords are reset at the desk.", "tlh"),
        AnswerPassage("words", "wort" * 20_000),
    ],
)
def test_whatever_a_person_wrote_gives_an_answer_or_none(passage: AnswerPassage) -> None:
    answer = ask("Where are guest passwords reset? " + "really " * 400, passage)
    for sentence in (*answer.sentences, *answer.related):
        assert passage.text[sentence.start : sentence.end] == sentence.text


@pytest.mark.usefixtures("_by_words")
@pytest.mark.usefixtures("_by_words")
@pytest.mark.parametrize("end", ["\n```", ""])
def test_code_is_no_sentence_of_an_answer(end: str) -> None:
    text = f"The tower is serviced in March.\n\n```python\nif tower.serviced: warn('tower serviced').{end}"
    found = ask("When is the tower serviced?", AnswerPassage("1", text))
    assert [sentence.text for sentence in found.sentences] == ["The tower is serviced in March."]
    assert not ask(
        "When is the tower serviced?", AnswerPassage("1", "```\ntower.serviced = 'March'\n```")
    ).found


def test_only_sentences_about_as_good_as_the_best_are_added() -> None:
    answer = ask("Where are guest passwords reset?", HANDBOOK, limit=3)
    least = answer.sentences[0].probability / 2
    assert all(sentence.probability >= least for sentence in answer.sentences)
    assert len(ask("Where are guest passwords reset?", HANDBOOK, limit=1).sentences) == 1


@pytest.fixture
def _by_meaning(model_process: ModelProcess, use_model: UseModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real encoder, with time enough on a busy machine."""
    use_model(model_process.url)
    encoder.warm()
    monkeypatch.setattr(answers, "score_sentences", partial(encoder.score_sentences, timeout_seconds=20))


@needs_model
@pytest.mark.usefixtures("_by_meaning")
def test_the_encoder_finds_what_words_do_not() -> None:
    text = (
        "The kitchen is cleaned daily. Employees get their money back within two weeks. The lift is broken."
    )
    passage = AnswerPassage("p", text, "en")
    answer = ask("How fast are staff expenses reimbursed?", passage)
    shown = (*answer.sentences, *answer.related)
    assert answer.rung == "semantic"
    assert answer.model_version == "minilm-l6-v2-53aa5117"
    assert shown[0].text == "Employees get their money back within two weeks."


def test_without_a_model_process_words_alone_answer(use_model: UseModel) -> None:
    use_model("unix:///nonexistent/model.sock")
    answer = ask("Where are guest passwords reset?", HANDBOOK)
    assert (answer.rung, answer.found) == ("lexical", True)


@pytest.mark.parametrize(
    ("one", "other", "language"),
    [
        ("passwords", "password", "en"),
        ("reset", "RESET", "en"),
        ("Häuser", "hauser", "de"),
        ("Straße", "STRASSE", "de"),
        ("Erstattung", "Erstattungen", "de"),
        ("company's", "company", "en"),
    ],
)
def test_forms_of_a_word_have_one_stem(one: str, other: str, language: str) -> None:
    assert stem_of(one, language) == stem_of(other, language)


@pytest.mark.parametrize(
    ("one", "other", "least", "most"),
    [
        ("kosten", "kosten", 1.0, 1.0),
        ("kosten", "reisekosten", 0.5, 0.8),
        ("reset", "resetting", 0.5, 0.8),
        ("travel", "parking", 0.0, 0.0),
        ("in", "inside", 0.0, 0.0),
        ("2024", "20245", 0.0, 0.0),
    ],
)
def test_likeness_is_for_parts_and_beginnings(one: str, other: str, least: float, most: float) -> None:
    assert least <= likeness(one, other) <= most
    assert likeness(one, other) == likeness(other, one)


def test_words_know_their_place() -> None:
    text = "Nr. 4.711: Zoë's 2 Äpfel"
    words = find_words(text, language="de")
    assert [text[word.span.start : word.span.end] for word in words] == ["Nr", "4.711", "Zoë's", "2", "Äpfel"]


def test_features_of_all_sentences_are_finite_and_in_order() -> None:
    passage = SplitPassage("One. Two guests? Three.", (Span(0, 4), Span(5, 16), Span(17, 23)))
    question = Question.read("how many guests", language="en", weight=lambda _stem: 0.5)
    scores = SentenceScores(np.array([0.1, 0.9, 0.2], np.float32), np.full((3, 3), 0.5, np.float32), "v")
    (with_scores,) = passage_features(question, [passage], languages=["en"], scores=scores)
    (without,) = passage_features(question, [passage], languages=["en"], scores=None)
    assert with_scores.rows.shape == (3, len(NAMES))
    assert np.isfinite(with_scores.rows).all()
    assert with_scores.column("asks").tolist() == [0, 1, 0]
    assert with_scores.column("number_wanted").tolist() == [-1, 1, 1]
    assert with_scores.column("cosine").tolist() == pytest.approx([0.1, 0.9, 0.2])
    assert np.array_equal(without.rows[:, : len(LEXICAL)], with_scores.rows[:, : len(LEXICAL)])
    assert not without.rows[:, len(LEXICAL) :].any()
    assert with_scores.covered.tolist() == [0, 0, 1]


def test_fitting_recovers_the_rule_that_made_the_data() -> None:
    """Answers are drawn from a conditional logit with known weights; a correction exists for one language only."""
    chance = np.random.default_rng(5)
    rows = chance.normal(size=(4000, 2))
    groups = np.repeat(np.arange(1000), 4)
    own = np.where(groups % 2 == 0, "de", "en")
    truth = np.where(own == "de", rows @ [2.0, -3.0], rows @ [2.0, 1.0])
    noisy = (truth + chance.gumbel(size=4000)).reshape(1000, 4)
    answers = (noisy == noisy.max(axis=1, keepdims=True)).ravel()
    design = Design.make(rows, names=["a", "b"], own=own, languages=["de"], ridge=0.01, held=0.01)
    stored = design.stored(fit_choice(design, answers=answers, groups=groups, weights=np.ones(1000)))
    german = stored["by_language"]["de"]
    assert stored["shared"]["a"] == pytest.approx(2, abs=0.35)
    assert stored["shared"]["b"] == pytest.approx(1, abs=0.35)
    assert german["a"] == pytest.approx(0, abs=0.4)
    assert german["b"] == pytest.approx(-4, abs=0.7)


def test_a_fitted_gate_is_calibrated() -> None:
    chance = np.random.default_rng(6)
    rows = np.column_stack([chance.normal(size=6000), np.ones(6000)])
    likely = 1 / (1 + np.exp(-(1.5 * rows[:, 0] - 1)))
    answers = chance.random(6000) < likely
    own = np.full(6000, "en")
    design = Design.make(rows, names=["a", "intercept"], own=own, languages=["de"], ridge=0.01, held=0.01)
    shared = design.stored(fit_logistic(design, answers=answers, weights=np.ones(6000)))["shared"]
    assert shared["a"] == pytest.approx(1.5, abs=0.15)
    assert shared["intercept"] == pytest.approx(-1, abs=0.1)


def test_the_weights_say_where_they_come_from() -> None:
    stored = json.loads(Path("apps/elyza/answering/weights.json").read_text(encoding="utf-8"))
    said = stored["provenance"]
    assert {source["name"] for source in said["sources"]} == {"squadshifts-wiki", "mlqa-de-dev", "policyqa"}
    assert all(source["licence"] and source["origin"] for source in said["sources"])
    assert said["command"].startswith("python manage.py train_answer_ranker")
    assert set(stored["thresholds"]) == {"de", "en"}


@needs_model
@pytest.mark.data
@pytest.mark.timeout(600)
@pytest.mark.skipif(
    not COLLECTIONS, reason="CHATSYSTEM_TEST_COLLECTIONS names no folder with retrieval/xquad-a"
)
def test_the_shipped_weights_reach_their_figures(tmp_path: Path) -> None:
    """On XQuAD part A (CC BY-SA 4.0), which nothing was trained on."""
    from apps.elyza.answering.training import evaluate
    from apps.elyza.encoding.runtime import Encoder

    loaded = Encoder.load(package.find_package(), tmp_path)
    figures = evaluate(Path(COLLECTIONS) / "retrieval" / "xquad-a", loaded, Ranker.shipped())
    assert figures["en semantic"]["first"] >= 0.81
    assert figures["de semantic"]["first"] >= 0.729
    assert figures["en lexical"]["first"] >= 0.75
    assert figures["de lexical"]["first"] >= 0.729
    assert figures["en semantic"]["auroc"] >= 0.94
    assert figures["de semantic"]["auroc"] >= 0.86


@needs_model
@pytest.mark.usefixtures("_by_meaning")
def test_a_language_the_encoder_does_not_know_is_left_to_words() -> None:
    assert ask("Wo werden Gastkennwörter zurückgesetzt?", HANDBUCH).rung == "lexical"
    assert ask("Wo werden Gastkennwörter zurückgesetzt?", HANDBUCH, HANDBOOK).rung == "semantic"
