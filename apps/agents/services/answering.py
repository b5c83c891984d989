"""What the run of an answer does, part by part."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation

from apps.accounts.selectors.people import people
from apps.accounts.selectors.principals import principal_of_member
from apps.accounts.selectors.scopes import principals_in
from apps.accounts.types import Principal
from apps.agents.events import AnswerCompleted
from apps.agents.models import Answer
from apps.agents.selectors.answers import view_of
from apps.agents.services import prompting, wording
from apps.agents.services.answers import card_of
from apps.agents.types import AnswerState, AnswerView, Outcome, SourceRef
from apps.chat.errors import MessageDeleted, MessageNotFound
from apps.chat.selectors.conversations import scope_of
from apps.chat.services import messages
from apps.core.events import log
from apps.core.text.language import guess
from apps.llm.services.ladder import answer_stream
from apps.llm.types import Answered, AnswerPassage, Caller, Completion, Finished, TextDelta
from apps.rag.selectors.search import search
from apps.rag.services.reading import note_read
from apps.rag.services.traces import keep_trace
from apps.rag.types import Filters, Hit, SearchOrigin, SearchResult

PASSAGES = 6
ANSWER_TOKENS = 700
MODEL_SECONDS = 120.0


@dataclass(frozen=True)
class Task:
    """One question while it is answered."""

    answer_id: UUID
    agent_id: UUID
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
    usage: dict[str, Any] = field(default_factory=dict)  # JSON of the ledger's words


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
    return Task(
        answer_id=answer_id,
        agent_id=row.agent.principal_id,
        asker=asker,
        question=row.question,
        instructions=row.agent.instructions,
        conversation_id=row.conversation_id,
        language=language,
    )


def find(task: Task) -> Found:
    """Search with the asker's rights; in a conversation only what all its readers may see, checked in the query."""
    filters = Filters(exclude_generated=True)
    audience: list[UUID] = []
    if task.conversation_id is not None:
        readers = people(principals_in(scope_of(task.asker, task.conversation_id)))
        audience = [person.id for person in readers.values() if person.kind != "agent" and person.is_active]
    shared = search(
        principal=task.asker,
        query=task.question,
        filters=filters,
        limit=PASSAGES,
        audience=audience,
        collapse=False,
        grammar=False,
    )
    _keep(task, shared)
    hits = _without_question(task, shared.hits)
    left_out = False
    if audience:
        own = search(
            principal=task.asker,
            query=task.question,
            filters=filters,
            limit=2,  # the question itself may be one of them
            collapse=False,
            grammar=False,
        )
        _keep(task, own)
        best = _without_question(task, own.hits)
        left_out = bool(best) and best[0].chunk not in {hit.chunk for hit in hits}
    return Found(hits, shared.words_only, left_out)


def write(
    task: Task, found: Found, *, run_id: UUID, check: Callable[[], object]
) -> Generator[str | Written, None, None]:
    """Yield the text as it comes, then the whole; the model if there is one, else sentences of the sources.

    Where nothing was found no model is asked: it could only make something up. While the model is silent `check` is
    called; what it raises ends the call and comes out here.
    """
    if not found.hits:
        yield Written(wording.nothing(), (), Outcome.NOTHING, is_broken=False, found=found)
        return
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
        check=check,
    )
    said: list[str] = []
    with closing(answer_stream(completion=completion, question=task.question, passages=passages)) as pieces:
        for piece in pieces:
            if isinstance(piece, TextDelta):
                said.append(piece.text)
                yield piece.text
            else:
                written = _written("".join(said), piece, found, kept)
                if written.outcome == Outcome.EXCERPT:
                    yield written.body
                yield written


def _written(text: str, end: Answered, found: Found, kept: Sequence[int]) -> Written:
    if end.extract is not None:
        body, sources = wording.from_extract(end.extract, found.hits)
        outcome = Outcome.EXCERPT if end.extract.found else Outcome.NOTHING
        return Written(body, tuple(sources), outcome, is_broken=False, found=found)
    body, sources = wording.from_model(text, found.hits, kept)
    return Written(
        body,
        tuple(sources),
        Outcome.MODEL,
        is_broken=end.broken is not None,
        found=found,
        usage=_usage(end.finished),
    )


def _usage(finished: Finished | None) -> dict[str, Any]:
    if finished is None:
        return {}
    return {
        "provider": finished.provider,
        "model": finished.model,
        "tokens_in": finished.usage.tokens_in,
        "tokens_out": finished.usage.tokens_out,
        "is_estimated": finished.usage.is_estimated,
    }


def finish(task: Task, written: Written) -> AnswerView:
    """Store the answer with its sources and everything that was read, and show it where it was asked."""
    state = AnswerState.BROKEN if written.is_broken else AnswerState.DONE
    read = [
        {
            "source_type": hit.source_type.value,
            "source": str(hit.source),
            "page": hit.page,
            "start": hit.span.start,
            "end": hit.span.end,
            "scope": str(hit.scope),
            "score": round(hit.score, 4),
        }
        for hit in written.found.hits
    ]
    return _store(
        task.answer_id,
        state=state,
        body=written.body,
        html=wording.render(written.body, task.answer_id),
        outcome=written.outcome,
        sources=[dataclasses.asdict(source) for source in written.sources],
        read=read,
        words_only=written.found.words_only,
        left_out=written.found.left_out,
        usage=written.usage,
    )


def keep(task: Task, *, text: str) -> None:
    """Keep what was written when somebody stopped the run; it shows no source, as none was checked yet."""
    body, _sources = wording.from_model(text, (), ())
    row = Answer.objects.get(pk=task.answer_id)
    if row.state == AnswerState.WRITING:
        _store(row.pk, state=AnswerState.STOPPED, body=body, html=wording.render(body, row.pk))


def end_unfinished(*, run_id: UUID, is_cancelled: bool) -> None:
    """Settle the answer of a run that is over: nobody waits for a word that will not come."""
    row = Answer.objects.filter(run_id=run_id, state=AnswerState.WRITING).first()
    if row is not None:
        _store(row.pk, state=AnswerState.STOPPED if is_cancelled else AnswerState.FAILED)


def frame(view: AnswerView) -> dict[str, Any]:
    """Return the last frame before the run's own; every reader of the conversation may see it."""
    return {
        "id": str(view.id),
        "state": view.state.value,
        "outcome": view.outcome.value,
        "body": view.body,
        "html": view.html,
        "words_only": view.words_only,
        "sources": [dataclasses.asdict(source) for source in view.sources],
    }


def state_of(task: Task) -> str:
    """Return the stored state."""
    return str(Answer.objects.values_list("state", flat=True).get(pk=task.answer_id))


def _store(answer_id: UUID, **values: Any) -> AnswerView:
    with transaction.atomic():
        row = (
            Answer.objects.select_for_update(no_key=True, of=("self",))
            .select_related("agent")
            .get(pk=answer_id)
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
                row.message_id = None  # somebody took it away: the answer stays in the asker's history
                row.save(update_fields=["message_id"])
        if row.completes is not None and row.state == AnswerState.DONE and row.outcome != Outcome.NOTHING:
            _tell(row, shared_id=row.completes)
    return view_of(row)


def _tell(row: Answer, *, shared_id: UUID) -> None:
    """Tell the asker, and nobody else, that a private answer says more than the one everybody reads."""
    shared = Answer.objects.get(pk=shared_id)
    asker = principal_of_member(organization_id=row.organization_id, user_id=row.asker_id)
    if shared.conversation_id is not None:
        log.record(
            AnswerCompleted(
                organization_id=row.organization_id,
                stream_id=asker.member_id,
                actor_id=row.agent.principal_id,
                answer_id=row.pk,
                completes=shared.pk,
                conversation=shared.conversation_id,
                message=shared.message_id,
            )
        )


def _keep(task: Task, result: SearchResult) -> None:
    """Leave in the trail what was read, and beside it what the search did."""
    keep_trace(
        principal=task.asker,
        origin=SearchOrigin.AGENT,
        query=task.question,
        result=result,
        has_grammar=False,
        agent_id=task.agent_id,
    )
    _note_read(task, result.hits)


def _note_read(task: Task, hits: Sequence[Hit]) -> None:
    note_read(
        organization_id=task.asker.organization_id,
        reader_id=task.agent_id,
        on_behalf_of=task.asker.id,
        hits=hits,
        purpose="answer",
        object_type="answer",
        object_id=task.answer_id,
    )


def _without_question(task: Task, hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """A question does not answer itself: leave out passages that are the question."""
    asked = " ".join(task.question.split()).casefold()
    return tuple(hit for hit in hits if " ".join(hit.text.split()).casefold() != asked)
