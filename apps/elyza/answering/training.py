"""Trains the ranker and the gate from question answering collections, and scores them on one they never saw.

Deterministic: nothing is drawn by chance, so the same collections and encoder give the same file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from apps.elyza.answering import features, gate
from apps.elyza.answering.datasets import Case, Collection, Reader
from apps.elyza.answering.features import PassageFeatures, Question, Weight, in_order
from apps.elyza.answering.fitting import Array, Design, fit_choice, fit_logistic
from apps.elyza.answering.ranker import (
    GATE_FEATURES,
    LEXICAL,
    RANK_FEATURES,
    SEMANTIC,
    Linear,
    Ranker,
    rank,
    rarity,
)
from apps.elyza.answering.words import find_words
from apps.elyza.encoding.runtime import Encoder
from apps.elyza.types import Matrix

SOURCES: Final = (
    {
        "name": "squadshifts-wiki",
        "origin": "modestyachts/squadshifts-website, new_wiki_v1.0 (Miller, Krauth, Recht and Schmidt 2020)",
        "licence": "CC BY 4.0; paragraphs from Wikipedia, CC BY-SA",
        "used_for": "ranker, gate, word counts",
    },
    {
        "name": "mlqa-de-dev",
        "origin": "facebookresearch/MLQA, German development part",
        "licence": "CC BY-SA 3.0",
        "used_for": "ranker, gate, word counts",
    },
    {
        "name": "policyqa",
        "origin": "wasiahmad/PolicyQA, development and test part",
        "licence": "MIT",
        "used_for": "word counts",
    },
)
_TRAINED: Final = ("squadshifts-wiki", "mlqa-de-dev")
_CORRECTED: Final = ("de",)
_ENCODER_READS: Final = ("en",)  # in German it brings nothing over words (both .74 on XQuAD) and costs 0.15 s
_GERMAN_SHARE: Final = 3.0  # weight of a German question: there are fifteen times fewer
_EVERY: Final = {"en": 2, "de": 1}  # questions the gate learns from
_PASSAGES: Final = 3  # that an answer is looked for in
_RIDGE, _HELD = 10.0, 60.0
_HELD_GATE = 1e6  # in the gate a language has its own constant, nothing else: there are few German questions
_LEAST_COUNT: Final = {"en": 5, "de": 3}  # rarer stems are as good as unseen
_SHOWN_WRONG: Final = 0.2  # share of the hardest other passages from which an answer would be shown

Flags = NDArray[np.bool_]
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Example:
    """A set of passages for a question, and whether they answer it."""

    question: Question
    passages: list[PassageFeatures]
    answered: bool


def train(folder: Path, encoder: Encoder, *, command: str, report: Report) -> dict[str, Any]:
    """Return the content of weights.json; about ten minutes on two cores.

    Args:
        folder: with the collections of SOURCES.
    """
    collections = {source["name"]: Collection.read(folder / source["name"]) for source in SOURCES}
    background = word_counts(collections)
    weight = weights_of(background)
    readers = [Reader(collections[name], encoder, weight) for name in _TRAINED]
    report("Reading and ranking ...")
    choices = [choice for reader in readers for choice in _choices(reader, every=_EVERY)]
    rankers = {rung: _fit_ranker(choices, RANK_FEATURES[rung]) for rung in (SEMANTIC, LEXICAL)}
    report("Looking for the hardest other passages ...")
    examples = [example for reader in readers for example in gate_examples(reader, every=_EVERY)]
    gates = {
        rung: _fit_gate(examples, Linear(**rankers[rung]), GATE_FEATURES[rung])
        for rung in (SEMANTIC, LEXICAL)
    }
    return {
        "provenance": {
            "sources": list(SOURCES),
            "command": command,
            "encoder": encoder.version,
            "seed": "none: training is deterministic",
            "questions": len(choices),
            "gate_examples": len(examples),
        },
        "rankers": rankers,
        "gates": gates,
        "thresholds": _thresholds(examples, Linear(**rankers[SEMANTIC]), Linear(**gates[SEMANTIC])),
        "semantic_languages": list(_ENCODER_READS),
        "background": background,
    }


def evaluate(folder: Path, encoder: Encoder, ranker: Ranker) -> dict[str, dict[str, float]]:
    """Return figures by `<language> <rung>`, on a collection that was not trained on.

    `first` and `first_two`: share of questions with the answer in the best sentence, or the best two, of the
    right passage. `auroc`: the right passage against the hardest other one. `calibration_error`: over ten
    equal parts. `shown_right` and `shown_wrong`: share of right and of other passages from which an answer
    would be shown.
    """
    collection = Collection.read(folder)
    languages = sorted(set(collection.languages.values()))
    weight: dict[str, Weight] = {own: partial(ranker.weight, language=own) for own in languages}
    reader = Reader(collection, encoder, weight)
    figures: dict[str, dict[str, float]] = {}
    for language in languages:
        cases = [case for case in collection.cases if collection.languages[case.passage] == language]
        for rung in (SEMANTIC, LEXICAL):
            figures[f"{language} {rung}"] = _figures(reader, ranker, cases, rung, ranker.threshold(language))
    return figures


def word_counts(collections: Mapping[str, Collection]) -> dict[str, Any]:
    """Return for each language the number of passages and in how many of them each common stem occurs, and the same of
    the questions that are trained on.
    """
    passages, counts = _counted(
        (text.text, collection.languages[identifier])
        for collection in collections.values()
        for identifier, text in collection.passages.items()
    )
    questions, asked = _counted(
        (case.question, collections[name].languages[case.passage])
        for name in _TRAINED
        for case in collections[name].cases
    )
    return {"passages": passages, "counts": counts, "questions": questions, "asked": asked}


def _counted(texts: Iterable[tuple[str, str]]) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """Return for each language how many texts there are and in how many each common stem occurs."""
    total: Counter[str] = Counter()
    counts: dict[str, Counter[str]] = {}
    for text, language in texts:
        total[language] += 1
        counts.setdefault(language, Counter()).update(
            {word.stem for word in find_words(text, language=language)}
        )
    kept = {
        language: {stem: count for stem, count in sorted(own.items()) if count >= _LEAST_COUNT[language]}
        for language, own in counts.items()
    }
    return dict(total), kept


def weights_of(background: Mapping[str, Any]) -> dict[str, Weight]:
    """Return for each language the function that weighs a stem of a question, as `Ranker.weight` does."""

    def weigh(stem: str, *, language: str) -> float:
        told = rarity(background["counts"][language].get(stem, 0), background["passages"][language])
        asked = rarity(background["asked"][language].get(stem, 0), background["questions"][language])
        return min(told, asked)

    return {language: partial(weigh, language=language) for language in background["passages"]}


def gate_examples(reader: Reader, *, every: Mapping[str, int]) -> Iterator[Example]:
    """Yield for each question the right passage and the hardest other, each alone and among others.

    Only of questions that find their passage first, as those that people ask a search do: many of the collections
    belong to the passage that lay beside them ("when was the premiere?"), and no word of them tells a right one.
    """
    for number, case in enumerate(reader.collection.cases):
        question = reader.question(case)
        if number % every[reader.collection.languages[case.passage]] or not question.words:
            continue
        first, *others_ranked = reader.ranked(case, question)
        if first != case.passage:
            continue
        right, *others = reader.features(question, [case.passage, *others_ranked])
        for passages, answered in (
            ([right], True),
            (others[:1], False),
            ([others[0], right, others[1]], True),
            (others, False),
        ):
            yield Example(question, in_order(passages), answered=answered)


@dataclass(frozen=True, slots=True)
class Choice:
    """Sentences of one or several passages, the passage found first before the others, and which of them answer."""

    passages: list[PassageFeatures]
    answering: Flags
    language: str

    @property
    def rows(self) -> Matrix:
        """The features of all sentences."""
        return np.concatenate([passage.rows for passage in self.passages])


def _choices(reader: Reader, *, every: Mapping[str, int]) -> Iterator[Choice]:
    """Yield the sentences of the right passage, for some questions those of the first passages that are found."""
    for number, case in enumerate(reader.collection.cases):
        question, answering = reader.question(case), reader.collection.answering(case)
        language = reader.collection.languages[case.passage]
        if not question.words or not answering.any():
            continue
        found = [] if number % every[language] else reader.ranked(case, question)[:_PASSAGES]
        found = found if case.passage in found else [case.passage]
        passages = reader.features(question, found)
        right = [
            answering if name == case.passage else np.zeros(len(passage.rows), bool)
            for name, passage in zip(found, passages, strict=True)
        ]
        yield Choice(passages, np.concatenate(right), language)


def _fit_ranker(choices: Sequence[Choice], names: Sequence[str]) -> Mapping[str, Any]:
    sizes = [len(choice.answering) for choice in choices]
    columns = [features.NAMES.index(name) for name in names]
    languages = np.array([choice.language for choice in choices])
    design = Design.make(
        np.concatenate([choice.rows for choice in choices])[:, columns].astype(np.float64),
        names=names,
        own=np.repeat(languages, sizes),
        languages=_CORRECTED,
        ridge=_RIDGE,
        held=_HELD,
    )
    fitted = fit_choice(
        design,
        answers=np.concatenate([choice.answering for choice in choices]),
        groups=np.repeat(np.arange(len(choices)), sizes),
        weights=np.where(languages == "de", _GERMAN_SHARE, 1.0),
    )
    return design.stored(fitted)


def _fit_gate(examples: Sequence[Example], ranker: Linear, names: Sequence[str]) -> Mapping[str, Any]:
    rows, own = [], []
    for example in examples:
        scores = [p.rows @ ranker.vector(features.NAMES, p.language) for p in example.passages]
        values, language = gate.gate_features(example.question, example.passages, scores)
        rows.append(values)
        own.append(language)
    columns = [gate.GATE_NAMES.index(name) for name in names]
    joined: Array = np.column_stack([np.array(rows)[:, columns], np.ones(len(rows))])
    languages = np.array(own)
    design = Design.make(
        joined,
        names=[*names, "intercept"],
        own=languages,
        languages=_CORRECTED,
        ridge=_RIDGE,
        held=_HELD_GATE,
    )
    fitted = fit_logistic(
        design,
        answers=np.array([example.answered for example in examples]),
        weights=np.where(languages == "de", _GERMAN_SHARE, 1.0),
    )
    return design.stored(fitted)


def _thresholds(examples: Sequence[Example], ranker: Linear, judge: Linear) -> dict[str, float]:
    """Return for each language the probability that few single wrong passages reach."""
    wrong: dict[str, list[float]] = {}
    for example in examples:
        if not example.answered and len(example.passages) == 1:
            ranking = rank(example.question, example.passages, ranker=ranker, judge=judge)
            wrong.setdefault(ranking.language, []).append(ranking.found)
    return {own: round(float(np.quantile(found, 1 - _SHOWN_WRONG)), 3) for own, found in wrong.items()}


def _figures(
    reader: Reader, ranker: Ranker, cases: Sequence[Case], rung: str, threshold: float
) -> dict[str, float]:
    first, two, right, wrong = [], [], [], []
    for case in cases:
        question, answering = reader.question(case), reader.collection.answering(case)
        hardest = next(other for other in reader.ranked(case, question) if other != case.passage)
        passage, other = reader.features(question, [case.passage, hardest])
        ranking = ranker.rank(question, [passage], rung=rung)
        order = np.argsort(-ranking.scores[0], kind="stable")
        first.append(bool(answering[order[0]]))
        two.append(bool(answering[order[:2]].any()))
        right.append(ranking.found)
        wrong.append(ranker.rank(question, [other], rung=rung).found)
    found = np.array(right + wrong)
    truth = np.r_[np.ones(len(right)), np.zeros(len(wrong))]
    return {
        "questions": len(cases),
        "first": round(float(np.mean(first)), 4),
        "first_two": round(float(np.mean(two)), 4),
        "auroc": round(auroc(found, truth), 4),
        "calibration_error": round(calibration_error(found, truth), 4),
        "shown_right": round(float(np.mean(np.array(right) >= threshold)), 4),
        "shown_wrong": round(float(np.mean(np.array(wrong) >= threshold)), 4),
    }


def auroc(values: Array, truth: Array) -> float:
    """Probability that a true case has a higher value than a false one; ties count half."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    positives, negatives = float(truth.sum()), float(len(truth) - truth.sum())
    return float((ranks[truth > 0].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def calibration_error(values: Array, truth: Array, *, parts: int = 10) -> float:
    """Mean distance of probability and frequency over parts of equal size, in the order of the values."""
    order = np.argsort(values, kind="stable")
    gaps = (
        abs(values[part].mean() - truth[part].mean()) * len(part) for part in np.array_split(order, parts)
    )
    return float(sum(gaps) / len(values))
