"""The ladder: the configured model, and where it cannot, sentences of the sources; it always says which of
them wrote.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing

from apps.llm.errors import BudgetSpent, ModelUnavailable, PromptTooLong
from apps.llm.services import metrics
from apps.llm.services.gateway import complete_stream
from apps.llm.services.registry import extractor
from apps.llm.types import Answered, AnswerPassage, Completion, Finished, Rung, TextDelta, Trouble


def answer_stream(
    *, completion: Completion, question: str, passages: Sequence[AnswerPassage]
) -> Generator[TextDelta | Answered, None, None]:
    """Yield the model's answer and, last, how it came about; without a model only that, with the extract in
    it.

    Falls to the extract only while the model has said nothing. A model that breaks off later leaves what it
    said, and `Answered.broken` says so.

    Args:
        question: what the extract is searched for; the completion's messages hold more than it.
        passages: what the answer may come from, best first, already checked against the reader's rights.
    """
    try:
        with closing(complete_stream(completion)) as pieces:
            for piece in pieces:
                yield piece if isinstance(piece, TextDelta) else _written(piece)
    except ModelUnavailable as error:
        yield _extracted(question, passages, error.trouble)
    except BudgetSpent:
        yield _extracted(question, passages, Trouble.BUDGET_SPENT)
    except PromptTooLong:
        yield _extracted(question, passages, Trouble.TOO_LONG)


def _written(finished: Finished) -> Answered:
    metrics.ANSWERS.labels(rung=Rung.MODEL).inc()
    return Answered(Rung.MODEL, finished=finished, broken=finished.broken)


def _extracted(question: str, passages: Sequence[AnswerPassage], trouble: Trouble) -> Answered:
    metrics.ANSWERS.labels(rung=Rung.EXTRACTIVE).inc()
    extract = extractor()(question=question, passages=passages)
    return Answered(Rung.EXTRACTIVE, extract=extract, passed_over=trouble)
