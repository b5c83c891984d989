"""Check an answer, sentence by sentence, against the passages it names."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from apps.core.text.language import guess
from apps.elyza.answering.ranker import Ranker
from apps.elyza.answering.verifying import Checked, check
from apps.elyza.services.answers import split_passage
from apps.elyza.services.encoder import score_sentences
from apps.elyza.types import Evidence, SplitPassage, Statement, Support, SupportDoubt, Verdict
from apps.llm.types import AnswerPassage

SECONDS: Final = 1.5  # for the encoder, all sentences together; then words alone decide
_MOST_CHARACTERS: Final = 1000  # of a sentence
_WITH_ENCODER: Final = frozenset({SupportDoubt.WORDS})


def verify(
    *, statements: Sequence[Statement], passages: Sequence[AnswerPassage], seconds: float = SECONDS
) -> list[Verdict]:
    """Return for each statement whether the passages it names say it.

    By words about 1 ms for each; a sentence in other words is also compared by the encoder where that knows the
    language, about 0.1 s, until the time is over. Never raises for what a model may have written.

    Args:
        passages: those that were read; a statement that names one outside of them names nothing.
    """
    ranker = Ranker.shipped()
    cuts = [split_passage(passage) for passage in passages]
    deadline = time.monotonic() + seconds
    return [_verdict(one, passages, cuts, ranker, deadline) for one in statements]


def _verdict(
    statement: Statement,
    passages: Sequence[AnswerPassage],
    cuts: Sequence[SplitPassage],
    ranker: Ranker,
    deadline: float,
) -> Verdict:
    text = statement.text.encode("utf-8", "replace").decode("utf-8")[:_MOST_CHARACTERS]
    named = [number for number in statement.passages if 0 <= number < len(cuts)]
    own = [cuts[number] for number in named]
    spoken = next((passages[number].language for number in named if passages[number].language), "en")
    language = str(guess(text) or spoken)
    checked = check(text, own, language=language, ranker=ranker)
    if checked.support != Support.SUPPORTED and set(checked.doubts) == _WITH_ENCODER:
        likeness = _likeness(text, own, language, ranker, deadline)
        if likeness is not None:
            checked = check(text, own, language=language, ranker=ranker, likeness=likeness)
    return Verdict(checked.support, checked.doubts, _evidence(named, own, checked))


def _likeness(
    text: str, passages: Sequence[SplitPassage], language: str, ranker: Ranker, deadline: float
) -> float | None:
    left = deadline - time.monotonic()
    if left <= 0 or not ranker.wants_encoder([language]):
        return None
    read = [passage for passage in passages if passage.sentences]
    scores = score_sentences(question=text, terms=[], passages=read, timeout_seconds=left)
    return None if scores is None or not len(scores.cosine) else float(scores.cosine.max())


def _evidence(named: Sequence[int], cuts: Sequence[SplitPassage], checked: Checked) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(number, cut.sentences[place].start, cut.sentences[place].end)
        for number, cut, place in zip(named, cuts, checked.evidence, strict=True)
        if place is not None
    )
