"""Answers without a generating model: the best sentences of the passages, exact and cited, or an honest "not found"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import cast

import numpy as np

from apps.core.text.language import Language, guess
from apps.core.text.sentences import split_sentences
from apps.elyza.answering.features import Question, passage_features
from apps.elyza.answering.ranker import LEXICAL, SEMANTIC, Ranker, Ranking
from apps.elyza.answering.span_ranker import SpanRanker
from apps.elyza.protocol import MAX_TEXT_CHARACTERS
from apps.elyza.services.encoder import score_sentences
from apps.elyza.types import Span, SplitPassage
from apps.llm.types import AnswerPassage, AnswerSentence, AnswerSpan, ExtractiveAnswer

PASSAGES_READ = 3  # of those given, the first ones: they come ranked
SENTENCES_READ = 200  # of one passage
SPANS_READ = 2  # the best sentences in which the exact answer is looked for
_MOST_QUESTION_CHARACTERS = 1000
_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)  # a block of a message's Markdown: no sentence
_WORTH_SHOWING = 0.5  # of the best sentence's probability
_NOTHING = ExtractiveAnswer(found=False, probability=0.0, sentences=(), related=(), rung=LEXICAL)


def answer_from_passages(
    *, question: str, passages: Sequence[AnswerPassage], limit: int = 3, language: str = ""
) -> ExtractiveAnswer:
    """Return the sentences that answer the question.

    By words alone about 10 ms. Where the encoder knows the language, it reads the passages, about 0.15 s on two
    free cores; after 0.6 s words alone decide. Never raises for what a person may have written.

    Args:
        passages: best first, already checked against the reader's rights; the first three are read.
        limit: most sentences of the answer; a second one must be half as probable as the first.
        language: of the question, guessed where not given.
    """
    ranker = Ranker.shipped()
    text = _clean(question)[:_MOST_QUESTION_CHARACTERS]
    split = [(passage, split_passage(passage)) for passage in passages[:PASSAGES_READ]]
    split = [(passage, cut) for passage, cut in split if cut.sentences]
    languages = [_language(passage.language, cut.text) for passage, cut in split]
    language = _language(language, text, otherwise=languages[0] if languages else "en")
    asked = Question.read(text, language=language, weight=partial(ranker.weight, language=language))
    if not split or not asked.words:
        return _NOTHING
    cuts = [cut for _, cut in split]
    scores = None
    if ranker.wants_encoder(languages):
        scores = score_sentences(question=text, terms=[word.span for word in asked.words], passages=cuts)
    rung = LEXICAL if scores is None else SEMANTIC
    ranking = ranker.rank(asked, passage_features(asked, cuts, languages=languages, scores=scores), rung=rung)
    ranked = _sentences([passage for passage, _ in split], cuts, ranking)
    spoken = {passage.id: own for (passage, _), own in zip(split, languages, strict=True)}
    ranked[:SPANS_READ] = [
        replace(one, span=_span(asked, one, language=spoken[one.passage_id], ranker=ranker))
        for one in ranked[:SPANS_READ]
    ]
    found = ranking.found >= ranker.threshold(ranking.language)
    return ExtractiveAnswer(
        found=found,
        probability=ranking.found,
        sentences=_shown(ranked, limit) if found else (),
        related=() if found else _best_of_each(ranked),
        rung=rung,
        model_version="" if scores is None else scores.model_version,
    )


def _sentences(
    passages: Sequence[AnswerPassage], cuts: Sequence[SplitPassage], ranking: Ranking
) -> list[AnswerSentence]:
    """All sentences, the best first; their probabilities sum to that of the whole."""
    joined = np.concatenate(ranking.scores)
    raised = np.exp(joined - joined.max())
    shares = raised / raised.sum() * ranking.found
    spans = [(passage, span) for passage, cut in zip(passages, cuts, strict=True) for span in cut.sentences]
    return [
        AnswerSentence(
            passage_id=spans[index][0].id,
            start=spans[index][1].start,
            end=spans[index][1].end,
            text=spans[index][0].text[spans[index][1].start : spans[index][1].end],
            probability=float(shares[index]),
        )
        for index in np.argsort(-joined, kind="stable")
    ]


def _span(
    question: Question, sentence: AnswerSentence, *, language: str, ranker: Ranker
) -> AnswerSpan | None:
    """Return what in a sentence answers the question."""
    weight = partial(ranker.rarity, language=language)
    found = SpanRanker.shipped().best(question, sentence.text, language=language, weight=weight)
    if found is None:
        return None
    start, end = found.span.start, found.span.end
    return AnswerSpan(
        sentence.start + start,
        sentence.start + end,
        sentence.text[start:end],
        found.probability,
        fits=found.fits,
    )


def _shown(ranked: Sequence[AnswerSentence], limit: int) -> tuple[AnswerSentence, ...]:
    least = ranked[0].probability * _WORTH_SHOWING
    return tuple(sentence for sentence in ranked[:limit] if sentence.probability >= least)


def _best_of_each(ranked: Sequence[AnswerSentence]) -> tuple[AnswerSentence, ...]:
    best: dict[str, AnswerSentence] = {}
    for sentence in ranked:
        best.setdefault(sentence.passage_id, sentence)
    return tuple(best.values())


def split_passage(passage: AnswerPassage) -> SplitPassage:
    text = _clean(passage.text)[:MAX_TEXT_CHARACTERS]
    known = cast("Language", passage.language) if passage.language in {"de", "en"} else None
    sentences = split_sentences(text, language=known)[:SENTENCES_READ]
    code = [found.span() for found in _CODE.finditer(text)]
    return SplitPassage(
        text,
        tuple(
            Span(sentence.start, sentence.end)
            for sentence in sentences
            if not any(start < sentence.end and sentence.start < end for start, end in code)
        ),
    )


def _language(known: str, text: str, *, otherwise: str = "en") -> str:
    return known or guess(text) or otherwise


def _clean(text: str) -> str:
    """Half surrogate pairs become question marks, one for one: offsets stay."""
    return text.encode("utf-8", "replace").decode("utf-8")
