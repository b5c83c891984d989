"""Question answering collections in their common form, read for training and re-scoring.

A folder holds `corpus.jsonl` {_id, text, lang}, `queries.jsonl` {_id, text} and `answers.jsonl` {_id, doc,
answers: [{text, start}]}, where start is the answer's offset in the document's text.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import numpy as np

from apps.core.text.language import Language
from apps.core.text.sentences import split_sentences
from apps.elyza.answering.features import PassageFeatures, Question, Weight, passage_features
from apps.elyza.answering.words import find_words
from apps.elyza.encoding.runtime import Encoder, ReadPassage, score_read
from apps.elyza.types import Matrix, SentenceScores, Span, SplitPassage, Vector

_RANKED: Final = 4  # passages that look most like answers


@dataclass(frozen=True, slots=True)
class Case:
    """One question, the passage that answers it, and where in it the answers begin."""

    question: str
    passage: str  # id
    starts: tuple[int, ...]
    answers: tuple[str, ...] = ()  # their texts


@dataclass(frozen=True, slots=True)
class Collection:
    """Passages by id with their languages, and the questions on them."""

    passages: dict[str, SplitPassage]
    languages: dict[str, str]
    cases: list[Case]

    @classmethod
    def read(cls, folder: Path, *, default_language: str = "de") -> Collection:
        """Read a folder; passages without a language have the default."""
        documents = list(_lines(folder / "corpus.jsonl"))
        questions = {row["_id"]: row["text"] for row in _lines(folder / "queries.jsonl")}
        languages = {row["_id"]: row.get("lang") or default_language for row in documents}
        passages = {row["_id"]: split_passage(row["text"], languages[row["_id"]]) for row in documents}
        cases = [
            Case(
                questions[row["_id"]],
                row["doc"],
                tuple(answer["start"] for answer in row["answers"]),
                tuple(answer["text"] for answer in row["answers"]),
            )
            for row in _lines(folder / "answers.jsonl")
        ]
        return cls(passages, languages, cases)

    def answering(self, case: Case) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Return for each sentence of the case's passage whether an answer begins in it."""
        spans = self.passages[case.passage].sentences
        return np.array([any(s.start <= start < s.end for start in case.starts) for s in spans], bool)


class Reader:
    """Reads every passage of a collection once and gives features of any pair of question and passage."""

    def __init__(self, collection: Collection, encoder: Encoder, weight: dict[str, Weight]) -> None:
        self.collection, self._encoder, self._weight = collection, encoder, weight
        self._read: dict[str, ReadPassage] = {}
        self._vectors: dict[str, tuple[list[str], Matrix]] = {}
        self._stems: dict[str, dict[str, list[int]]] = {}
        self._ranked: dict[tuple[str, str], list[str]] = {}

    def question(self, case: Case) -> Question:
        """Return the question's words, weighed for the language of its passage."""
        language = self.collection.languages[case.passage]
        return Question.read(case.question, language=language, weight=self._weight[language])

    def features(self, question: Question, passages: Sequence[str]) -> list[PassageFeatures]:
        """Return the features of the passages for the question."""
        asked = self._encoder.read_question(question.text, [word.span for word in question.words])
        scored = [score_read(asked, self._passage(identifier)) for identifier in passages]
        scores = SentenceScores(
            np.concatenate([cosine for cosine, _ in scored]), np.concatenate([best for _, best in scored]), ""
        )
        return passage_features(
            question,
            [self.collection.passages[identifier] for identifier in passages],
            languages=[self.collection.languages[identifier] for identifier in passages],
            scores=scores,
        )

    def ranked(self, case: Case, question: Question) -> list[str]:
        """Return the four passages of the case's language that look most like answers by shared words and vectors, the
        likest first.
        """
        key = case.passage, case.question
        if key not in self._ranked:
            language = self.collection.languages[case.passage]
            identifiers, vectors = self._language(language)
            asked = self._encoder.embed(self._encoder.tokenize([case.question]))[0]
            score = 0.5 * (vectors @ asked)
            for word, weight in zip(question.words, question.weights, strict=True):
                score[self._stems[language].get(word.stem, [])] += 0.5 * weight
            best = np.argsort(-score, kind="stable")[:_RANKED]
            self._ranked[key] = [identifiers[index] for index in best]
        return self._ranked[key]

    def _passage(self, identifier: str) -> ReadPassage:
        if identifier not in self._read:
            read = self._encoder.read_passage(self.collection.passages[identifier])
            self._read[identifier] = read
        return self._read[identifier]

    def _language(self, language: str) -> tuple[list[str], Matrix]:
        if language not in self._vectors:
            languages = self.collection.languages
            identifiers = [identifier for identifier, own in languages.items() if own == language]
            stems: dict[str, list[int]] = defaultdict(list)
            vectors: list[Vector] = []
            for position, identifier in enumerate(identifiers):
                text = self.collection.passages[identifier].text
                vectors.append(self._encoder.embed(self._encoder.tokenize([text]))[0])
                for stem in {word.stem for word in find_words(text, language=language)}:
                    stems[stem].append(position)
            self._vectors[language] = identifiers, np.stack(vectors)
            self._stems[language] = stems
        return self._vectors[language]


def split_passage(text: str, language: str) -> SplitPassage:
    """Return the passage cut into sentences."""
    known = cast("Language", language) if language in {"de", "en"} else None
    sentences = split_sentences(text, language=known)
    return SplitPassage(text, tuple(Span(sentence.start, sentence.end) for sentence in sentences))


def _lines(path: Path) -> Iterator[dict[str, Any]]:  # Any: the collections' JSON
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
