"""How good extracted answers are on a collection whose answers people marked."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from apps.accounts.types import Principal
from apps.core.text.marking import f1, is_exact
from apps.elyza.services.answers import answer_from_passages
from apps.llm.types import AnswerPassage, AnswerSentence, ExtractiveAnswer
from apps.rag.measuring import Mean, auroc
from apps.rag.selectors.search import search
from apps.rag.types import Filters, Hit

_READ: Final = 5  # passages of the open question
_SEARCHED: Final = 10


@dataclass
class _Figures:
    """Of one language: means by name, and how sure it was with the right passage and with the hardest other."""

    means: dict[str, Mean] = field(default_factory=lambda: defaultdict(Mean))
    right: list[float] = field(default_factory=list)
    wrong: list[float] = field(default_factory=list)


def measure_answers(
    principal: Principal, folder: Path, sources: Mapping[UUID, str], *, most: int
) -> Iterator[tuple[str, float, int]]:
    """Yield name, value and number of questions, for each language of the collection.

    `sentence_first`: the best sentence of the right passage holds the answer; `exact` and `f1`: of the span in it;
    `span_recall`: an answer stands whole in a sentence that is shown; `offsets`: each text stands where it says;
    `auroc`: the right passage against the hardest other one; `open_…`: from the passages that search finds.

    Args:
        sources: the collection's name of each indexed document.
        most: ask so many questions of each language, evenly spread; 0 asks all.
    """
    documents = {row["_id"]: row for row in _read(folder / "corpus.jsonl")}
    questions = {row["_id"]: row["text"] for row in _read(folder / "queries.jsonl")}
    by_language: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in _read(folder / "answers.jsonl"):
        by_language[documents[row["doc"]].get("lang") or "en"].append(row)
    for language, rows in sorted(by_language.items()):
        figures = _Figures()
        for row in rows[:: -(-len(rows) // most) if most else 1]:
            asked = _Asked(
                principal=principal,
                question=questions[row["_id"]],
                passage=row["doc"],
                golds=[answer["text"] for answer in row["answers"]],
                starts=[answer["start"] for answer in row["answers"]],
                language=language,
            )
            _ask(asked, documents, sources, figures)
        for name, mean in figures.means.items():
            yield f"{language}_{name}", mean.value, mean.count
        yield f"{language}_auroc", auroc(figures.right, figures.wrong), len(figures.right)


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """A marked question: its passage, and where in it the answers begin."""

    principal: Principal
    question: str
    passage: str
    golds: list[str]
    starts: list[int]
    language: str


def _ask(
    asked: _Asked, documents: Mapping[str, Mapping[str, Any]], sources: Mapping[UUID, str], figures: _Figures
) -> None:
    text, means = documents[asked.passage]["text"], figures.means
    found = _answer(asked, [AnswerPassage(asked.passage, text, _known(asked.language))])
    shown = found.sentences or found.related
    best, answer = shown[0] if shown else None, _spanned(shown)
    is_first = best is not None and any(best.start <= start < best.end for start in asked.starts)
    means["sentence_first"].add(is_first)
    means["span_recall"].add(any(gold in one.text for gold in asked.golds for one in shown))
    means["exact"].add(is_exact(answer, asked.golds, asked.language))
    means["f1"].add(f1(answer, asked.golds, asked.language))
    means["offsets"].add(all(_stands(one, text) for one in shown))
    means["by_meaning"].add(found.rung == "semantic")
    figures.right.append(found.probability)
    hits = _search(asked)
    other = next((sources[hit.source] for hit in hits if sources[hit.source] != asked.passage), None)
    if other is not None:
        passage = AnswerPassage(other, documents[other]["text"], _known(asked.language))
        figures.wrong.append(_answer(asked, [passage]).probability)
    _ask_openly(asked, hits[:_READ], sources, means)


def _ask_openly(
    asked: _Asked, hits: Sequence[Hit], sources: Mapping[UUID, str], means: dict[str, Mean]
) -> None:
    by_id = {str(hit.chunk): hit for hit in hits}
    found = _answer(
        asked, [AnswerPassage(key, hit.text, _known(asked.language)) for key, hit in by_id.items()]
    )
    shown = found.sentences or found.related
    answer, is_there = _spanned(shown), False
    if shown:
        hit = by_id[shown[0].passage_id]
        begin, end = shown[0].start + hit.span.start, shown[0].end + hit.span.start
        is_there = sources[hit.source] == asked.passage and any(
            begin <= start < end for start in asked.starts
        )
    means["open_sentence"].add(is_there)
    means["open_exact"].add(is_exact(answer, asked.golds, asked.language))
    means["open_f1"].add(f1(answer, asked.golds, asked.language))


def _search(asked: _Asked) -> tuple[Hit, ...]:
    return search(
        principal=asked.principal,
        query=asked.question,
        filters=Filters(languages=(asked.language,)),
        limit=_SEARCHED,
        collapse=False,
        grammar=False,
    ).hits


def _answer(asked: _Asked, passages: Sequence[AnswerPassage]) -> ExtractiveAnswer:
    return answer_from_passages(question=asked.question, passages=passages, language=asked.language)


def _spanned(shown: Sequence[AnswerSentence]) -> str:
    """Return the likeliest span of what is shown."""
    spans = [(one.probability * one.span.probability, one.span.text) for one in shown if one.span is not None]
    return max(spans)[1] if spans else ""


def _stands(sentence: AnswerSentence, text: str) -> bool:
    span = sentence.span
    return text[sentence.start : sentence.end] == sentence.text and (
        span is None or text[span.start : span.end] == span.text
    )


def _known(language: str) -> Any:  # the languages an encoder is told; others are guessed
    return language if language in {"de", "en"} else ""


def _read(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
