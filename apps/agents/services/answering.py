"""What the run of an answer does, part by part."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation

from apps.accounts.selectors.people import people
from apps.accounts.selectors.principals import principal_of_member
from apps.accounts.selectors.scopes import principals_in
from apps.accounts.types import Principal
from apps.agents.models import Answer
from apps.agents.selectors.answers import view_of
from apps.agents.services import prompting, wording
from apps.agents.services.answers import card_of
from apps.agents.types import AnswerState, AnswerView, Outcome, SourceRef
from apps.chat.errors import MessageDeleted, MessageNotFound
from apps.chat.selectors.conversations import scope_of
from apps.chat.services import messages
from apps.core.text.language import guess
from apps.llm.services.ladder import answer_stream
from apps.llm.types import Answered, AnswerPassage, Caller, Completion, TextDelta
from apps.rag.selectors.search import search
from apps.rag.types import Filters, Hit

PASSAGES = 6
ANSWER_TOKENS = 700
MODEL_SECONDS = 120.0


@dataclass(frozen=True)
class Task:
    """One question while it is answered."""

    answer_id: UUID
    asker: Principal
    question: str
    instructions: str
    conversation_id: UUID | None
    language: str


@dataclass(frozen=True)
class Found:
    """What the search gave; `left_out`: better passages exist that not every reader may see."""

    hits: tuple[Hit, ...]
    words_only: bool
    left_out: bool


@dataclass(frozen=True)
class Written:
    """The end of the writing."""

    body: str
    sources: tuple[SourceRef, ...]
    outcome: Outcome
    is_broken: bool
    found: Found


def begin(*, answer_id: UUID) -> Task | None:
    """Return the task with the asker's present rights, or None when the answer is finished.

    Raises:
        OrganizationNotFound: the asker has left.
    """
    row = Answer.objects.select_related("agent").get(pk=answer_id)
    if row.state != AnswerState.WRITING:
        return None
    asker = principal_of_member(organization_id=row.organization_id, user_id=row.asker_id)
    language = guess(row.question) or translation.get_language() or settings.LANGUAGE_CODE
    return Task(answer_id, asker, row.question, row.agent.instructions, row.conversation_id, language)


def find(task: Task) -> Found:
    """Search with the asker's rights; in a conversation only what all its readers may see, checked in the query."""
    filters = Filters(exclude_generated=True)
    audience: list[UUID] = []
    if task.conversation_id is not None:
        readers = people(principals_in(scope_of(task.asker, task.conversation_id)))
        audience = [person.id for person in readers.values() if person.kind == "person" and person.is_active]
    shared = search(
        principal=task.asker,
        query=task.question,
        filters=filters,
        limit=PASSAGES,
        audience=audience,
        collapse=False,
    )
    hits = _without_question(task, shared.hits)
    left_out = False
    if audience:
        own = search(principal=task.asker, query=task.question, filters=filters, limit=1, collapse=False)
        best = _without_question(task, own.hits)
        left_out = bool(best) and best[0].chunk not in {hit.chunk for hit in hits}
    return Found(hits, shared.words_only, left_out)


def write(task: Task, found: Found, *, run_id: UUID) -> Generator[str | Written, None, None]:
    """Yield the text as it comes, then the whole; the model if there is one, else sentences of the sources."""
    passages = [AnswerPassage(str(hit.chunk), hit.text, hit.language) for hit in found.hits]
    prompt, kept = prompting.messages(
        instructions=task.instructions,
        question=task.question,
        passages=[
            (number, hit.title or hit.author_name, hit.text) for number, hit in enumerate(found.hits, 1)
        ],
        window_tokens=settings.CONFIGURATION.model.llm_context_tokens,
        answer_tokens=ANSWER_TOKENS,
    )
    completion = Completion(
        messages=prompt,
        caller=Caller("answer", task.asker.id, run_id),
        timeout_seconds=MODEL_SECONDS,
        budget_tokens=ANSWER_TOKENS,
    )
    said: list[str] = []
    with closing(answer_stream(completion=completion, question=task.question, passages=passages)) as pieces:
        for piece in pieces:
            if isinstance(piece, TextDelta):
                said.append(piece.text)
                yield piece.text
            else:
                yield _written("".join(said), piece, found, kept)


def _written(text: str, end: Answered, found: Found, kept: Sequence[int]) -> Written:
    if end.extract is not None:
        body, sources = wording.from_extract(end.extract, found.hits)
        outcome = Outcome.EXCERPT if end.extract.found else Outcome.NOTHING
        return Written(body, tuple(sources), outcome, False, found)
    body, sources = wording.from_model(text, found.hits, kept)
    return Written(body, tuple(sources), Outcome.MODEL, end.broken is not None, found)


def finish(task: Task, written: Written) -> AnswerView:
    """Store the answer with its sources and everything that was read, and show it where it was asked."""
    state = AnswerState.BROKEN if written.is_broken else AnswerState.DONE
    read = [
        {
            "source_type": hit.source_type.value,
            "source": str(hit.source),
            "page": hit.page,
            "scope": str(hit.scope),
        }
        for hit in written.found.hits
    ]
    return _store(
        task,
        state=state,
        body=written.body,
        html=wording.render(written.body, task.answer_id),
        outcome=written.outcome,
        sources=[dataclasses.asdict(source) for source in written.sources],
        read=read,
        words_only=written.found.words_only,
        left_out=written.found.left_out,
    )


def give_up(task: Task, *, text: str) -> None:
    """Keep what was written when the asker stopped it or something broke; a later attempt may still finish it."""
    row = Answer.objects.get(pk=task.answer_id)
    if row.state != AnswerState.WRITING:
        return
    _store(
        task,
        state=AnswerState.STOPPED if text else AnswerState.WRITING,
        body=text,
        html=wording.render(text, row.pk),
    )


def end_unfinished(*, run_id: UUID, is_cancelled: bool) -> None:
    """Settle the answer of a run that is over: nobody waits for a word that will not come."""
    row = Answer.objects.filter(run_id=run_id, state=AnswerState.WRITING).select_related("agent").first()
    if row is not None:
        asker = principal_of_member(organization_id=row.organization_id, user_id=row.asker_id)
        task = Task(row.pk, asker, row.question, "", row.conversation_id, settings.LANGUAGE_CODE)
        _store(task, state=AnswerState.STOPPED if is_cancelled else AnswerState.FAILED)


def frame(view: AnswerView) -> dict[str, Any]:
    """Return the last frame of the stream."""
    return {
        "id": str(view.id),
        "state": view.state.value,
        "outcome": view.outcome.value,
        "body": view.body,
        "html": view.html,
        "words_only": view.words_only,
        "left_out": view.left_out,
        "sources": [dataclasses.asdict(source) for source in view.sources],
    }


def state_of(task: Task) -> str:
    """Return the stored state."""
    return str(Answer.objects.values_list("state", flat=True).get(pk=task.answer_id))


def _store(task: Task, **values: Any) -> AnswerView:
    with transaction.atomic():
        row = (
            Answer.objects.select_for_update(no_key=True, of=("self",))
            .select_related("agent")
            .get(pk=task.answer_id)
        )
        for name, value in values.items():
            setattr(row, name, value)
        if row.state != AnswerState.WRITING:
            row.finished_at = timezone.now()
        row.save()
        if row.message_id is not None:
            try:
                messages.change_card(
                    organization_id=row.organization_id,
                    message_id=row.message_id,
                    card=card_of(row),
                    body=row.body,
                )
            except (MessageDeleted, MessageNotFound):
                row.message_id = (
                    None  # somebody took the message away: the answer stays in the asker's history
                )
                row.save(update_fields=["message_id"])
    return view_of(row)


def _without_question(task: Task, hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """A question does not answer itself: leave out passages that are the question."""
    asked = " ".join(task.question.split()).casefold()
    return tuple(hit for hit in hits if " ".join(hit.text.split()).casefold() != asked)
