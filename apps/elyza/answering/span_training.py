"""Trains the ranker of spans: numpy only, the same file at every run from the same collections and seeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from apps.core.text.marking import overlap, plain
from apps.elyza.answering.datasets import Case, Collection
from apps.elyza.answering.features import Question
from apps.elyza.answering.ranker import Ranker
from apps.elyza.answering.span_ranker import Layer
from apps.elyza.answering.spans import NAMES, Candidates, candidates
from apps.elyza.answering.training import SOURCES, Report
from apps.elyza.types import Span, Vector

Row = NDArray[np.float32]
_USED: Final = ("squadshifts-wiki", "mlqa-de-dev")
_REPEATED: Final = {"squadshifts-wiki": 1, "mlqa-de-dev": 3}  # there are fifteen times fewer German questions
_SEEDS: Final = (0, 1, 2, 3)
_HIDDEN, _ROUNDS, _BATCH = 32, 10, 64
_STEP, _DECAY = 3e-3, 1e-3
_LEAST: Final = 0.5  # a question none of whose candidates comes near to an answer teaches nothing


@dataclass(frozen=True, slots=True)
class Lesson:
    """The candidates of a sentence that holds an answer, and F1 of each with the nearest answer."""

    found: Candidates
    f1: Vector
    language: str


def train_spans(folder: Path, *, command: str, report: Report) -> dict[str, Any]:
    """Return the content of spans.json; about five minutes on two cores.

    Args:
        folder: with the collections squadshifts-wiki and mlqa-de-dev.
    """
    known: list[Lesson] = []
    questions = 0
    for name in _USED:
        lessons = list(lessons_of(Collection.read(folder / name)))
        questions += len(lessons)
        known += lessons * _REPEATED[name]
        report(f"{name}: {len(lessons)} questions")
    taught = [lesson for lesson in known if lesson.f1.max() >= _LEAST]
    rows = np.concatenate([lesson.found.rows for lesson in taught])
    mean, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-3
    layers = []
    for seed in _SEEDS:
        layers.append(_fit(taught, mean, scale, seed=seed))
        report(f"seed {seed} is trained")
    return {
        "provenance": {
            "sources": [source for source in SOURCES if source["name"] in _USED],
            "command": command,
            "seeds": list(_SEEDS),
            "questions": questions,
        },
        "features": list(NAMES),
        "mean": _rounded(mean, 5),
        "scale": _rounded(scale, 5),
        "layers": [
            {
                "hidden": _rounded(layer.hidden, 3),
                "bias": _rounded(layer.bias, 3),
                "out": _rounded(layer.out, 3),
                "straight": _rounded(layer.straight, 3),
            }
            for layer in layers
        ],
    }


def lessons_of(collection: Collection) -> Iterator[Lesson]:
    """Yield what each question teaches, from the first sentence in which an answer begins."""
    ranker = Ranker.shipped()
    for case in collection.cases:
        language = collection.languages[case.passage]
        rarity = partial(ranker.rarity, language=language)
        question = Question.read(
            case.question, language=language, weight=partial(ranker.weight, language=language)
        )
        passage, sentences = collection.passages[case.passage], collection.answering(case)
        if not question.words or not sentences.any():
            continue
        place = passage.sentences[int(np.argmax(sentences))]
        text = passage.text[place.start : place.end]
        found = candidates(question, text, language=language, weight=rarity)
        if found.spans:
            yield Lesson(found, _f1(text, found.spans, case, language), language)


def _f1(text: str, spans: Sequence[Span], case: Case, language: str) -> Vector:
    golds = [plain(answer, language) for answer in case.answers]
    return np.array(
        [
            max(overlap(own, gold) for gold in golds)
            for span in spans
            for own in [plain(text[span.start : span.end], language)]
        ],
        np.float32,
    )


def _fit(lessons: Sequence[Lesson], mean: Vector, scale: Vector, *, seed: int) -> Layer:
    """Fit by Adam: the probability that the chosen span is an answer, and a little for one that comes near."""
    rows = ((np.concatenate([lesson.found.rows for lesson in lessons]) - mean) / scale).astype(np.float32)
    wanted = np.concatenate([_wanted(lesson.f1) for lesson in lessons])
    sizes = np.array([len(lesson.f1) for lesson in lessons])
    starts = np.r_[0, np.cumsum(sizes)]
    chance = np.random.default_rng(seed)
    width = rows.shape[1]
    weights: list[Row] = [
        chance.normal(0, width**-0.5, (width, _HIDDEN)).astype(np.float32),
        np.zeros(_HIDDEN, np.float32),
        chance.normal(0, _HIDDEN**-0.5, _HIDDEN).astype(np.float32),
        np.zeros(width, np.float32),
    ]
    first, second = [np.zeros_like(one) for one in weights], [np.zeros_like(one) for one in weights]
    count = 0
    for number in range(_ROUNDS):
        order = chance.permutation(len(lessons))
        for begin in range(0, len(order), _BATCH):
            chosen = order[begin : begin + _BATCH]
            places = np.concatenate([np.arange(starts[one], starts[one + 1]) for one in chosen])
            slopes = _slopes(weights, rows[places], wanted[places], sizes[chosen])
            count += 1
            step = _STEP * 0.5 * (1 + np.cos(np.pi * (number + begin / len(order)) / _ROUNDS))
            for one, slope in enumerate(slopes):
                first[one] = 0.9 * first[one] + 0.1 * slope
                second[one] = 0.999 * second[one] + 0.001 * slope * slope
                moved = (first[one] / (1 - 0.9**count)) / (np.sqrt(second[one] / (1 - 0.999**count)) + 1e-8)
                weights[one] = (weights[one] - step * (moved + _DECAY * weights[one])).astype(np.float32)
    return Layer(*weights)


def _wanted(f1: Vector) -> Vector:
    """Return how much each candidate is wanted: exact answers, else the nearest ones."""
    exact = f1 >= 0.999
    chosen = exact if exact.any() else np.where(f1 >= _LEAST, f1**4, 0)
    return (chosen + 0.3 * f1**4).astype(np.float32)


def _slopes(weights: Sequence[Row], rows: Row, wanted: Row, sizes: NDArray[np.intp]) -> list[Row]:
    hidden, bias, out, straight = weights
    starts = np.r_[0, np.cumsum(sizes)[:-1]]
    active = np.maximum(rows @ hidden + bias, 0)
    scores = active @ out + rows @ straight
    raised = np.exp(scores - np.repeat(np.maximum.reduceat(scores, starts), sizes))
    shares = raised / np.repeat(np.add.reduceat(raised, starts), sizes)
    reached = shares * wanted
    target = reached / np.repeat(np.add.reduceat(reached, starts), sizes)
    slope = ((shares - target) / len(sizes)).astype(np.float32)
    inner = np.outer(slope, out) * (active > 0)
    return [rows.T @ inner, inner.sum(axis=0), active.T @ slope, rows.T @ slope]


def _rounded(values: Row, digits: int) -> Any:  # nested lists
    return np.round(values.astype(np.float64), digits).tolist()
