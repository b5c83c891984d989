"""The run of an answer: search, read, write; every part is emitted as it comes and can be followed again."""

from __future__ import annotations

import dataclasses
from uuid import UUID

from django.utils import translation
from django.utils.translation import gettext_noop

from apps.agents.services import answering, answers, finding, writing
from apps.agents.services.finding import Found, Task
from apps.agents.types import AnswerView, Outcome
from apps.runs.errors import RunCancelled
from apps.runs.services.context import StepContext
from apps.runs.services.steps import step

SEARCHING, READING, WRITING = gettext_noop("Searching"), gettext_noop("Reading"), gettext_noop("Writing")
REWORDING = gettext_noop("Rewording")


@step("agents.answer_question", max_attempts=2, timeout_seconds=300)
def answer_question(context: StepContext, *, answer_id: UUID) -> str:
    """Answer one question; a second attempt finds a finished answer and leaves it."""
    task = answering.begin(answer_id=answer_id)
    if task is None:
        return "finished before"
    with translation.override(task.language):
        return _answer(context, task)


def _answer(context: StepContext, task: Task) -> str:
    text: list[str] = []
    view = None
    try:
        while view is None:  # once more at most, where what was found is gone before it is told
            found = _search(context, task)
            view = _write(context, task, found, text)
    except RunCancelled:
        answering.keep(task, text="".join(text))
        raise
    _show(context, view)
    if found.left_out:
        asker = finding.readers_of(task).asker
        answers.complete_privately(principal=asker, answer_id=task.answer_id)
    return answering.state_of(task)


def _search(context: StepContext, task: Task) -> Found:
    context.emit("status", {"stage": SEARCHING})
    context.progress(0, 3, SEARCHING)
    heard = finding.find_by_words(task)
    context.emit("hits", finding.hits_frame(task, "words", heard, words_only=True))
    asking = finding.Asking(
        context.run.id, context.cancelled, lambda: context.emit("status", {"stage": REWORDING})
    )
    found = finding.find(task, asking)
    context.emit("hits", finding.hits_frame(task, "found", found.listed, words_only=found.words_only))
    context.emit("status", {"stage": READING, "passages": len(found.hits), "words_only": found.words_only})
    context.set_result(**finding.given_result(found))
    context.progress(1, 3, READING)
    return found


def _write(context: StepContext, task: Task, found: Found, text: list[str]) -> AnswerView | None:
    """Emit the text as it comes and store the answer; None where it has to be searched once more.

    Args:
        text: what was emitted, for who stops it; empty again where it is taken back.
    """
    view = None
    for piece in writing.write(task, found, run_id=context.run.id, check=context.cancelled):
        if isinstance(piece, str):
            if not text:
                context.progress(2, 3, WRITING)
            text.append(piece)
            context.emit("delta", {"text": piece})
            context.cancelled()
        else:
            view = answering.finish(task, found, piece)
            if text and (view is None or view.outcome == Outcome.NOTHING):
                context.emit("restarted", {"attempt": context.attempt})
                text.clear()
    return view


def _show(context: StepContext, view: AnswerView) -> None:
    """Emit the stored answer, then how far its sentences are supported."""
    for source in view.sources:
        context.emit("citation", dataclasses.asdict(source))
    context.emit("answer", answering.frame(view))
    context.emit("support", answering.support_frame(view))
