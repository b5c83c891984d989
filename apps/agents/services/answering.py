"""The run of an answer from its beginning to what is stored and told."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation

from apps.accounts.selectors.principals import principal_of_member
from apps.agents.events import AnswerCompleted
from apps.agents.models import Answer
from apps.agents.selectors.answers import view_of
from apps.agents.services import finding, wording
from apps.agents.services.answers import card_of
from apps.agents.services.finding import Found, Task
from apps.agents.services.writing import Written
from apps.agents.types import AnswerState, AnswerView, Outcome
from apps.chat.errors import MessageDeleted, MessageNotFound
from apps.chat.services import messages
from apps.core.events import log
from apps.core.text.language import guess


def begin(*, answer_id: UUID) -> Task | None:
    """Return the task, or None when the answer is finished."""
    row = Answer.objects.select_related("agent").get(pk=answer_id)
    if row.state != AnswerState.WRITING:
        return None
    language = guess(row.question) or translation.get_language() or settings.LANGUAGE_CODE
    return Task(
        answer_id=answer_id,
        agent_id=row.agent.principal_id,
        asker_id=row.asker_id,
        organization_id=row.organization_id,
        question=row.question,
        instructions=row.agent.instructions,
        conversation_id=row.conversation_id,
        language=language,
    )


def finish(task: Task, found: Found, written: Written) -> AnswerView | None:
    """Store the answer with its sources and everything that was read, and show it where it was asked.

    A passage may have been edited, deleted or lost by a reader while it was written: then nothing of it is kept.

    Args:
        found: what the search gave; of it, what was left as the writing began is in `written`.

    Returns:
        None where nothing is left to say for that, and it was not searched again before: search once more.
    """
    left = finding.still(written.found, finding.readers_of(task))
    is_taken_back = len(left.hits) < len(written.found.hits)
    says_nothing = is_taken_back or written.outcome == Outcome.NOTHING
    if says_nothing and len(left.hits) < len(found.hits) and _may_search_again(task):
        return None
    if is_taken_back:
        written = Written(
            wording.nothing(), (), Outcome.NOTHING, is_broken=False, found=replace(left, hits=())
        )
    state = AnswerState.BROKEN if written.is_broken else AnswerState.DONE
    claims = [{name: value for name, value in one.items() if name != "places"} for one in written.claims]
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
        html=wording.render(written.body, task.answer_id, claims),
        outcome=written.outcome,
        sources=[dataclasses.asdict(source) for source in written.sources],
        claims=claims,
        read=read,
        words_only=written.found.words_only,
        left_out=written.found.left_out,
        usage=written.usage,
    )


def _may_search_again(task: Task) -> bool:
    """Return whether this is the first time, and note it: an answer searches twice at most."""
    rows = Answer.objects.filter(pk=task.answer_id, searched_again=False)
    return bool(rows.update(searched_again=True))


def keep(task: Task, *, text: str) -> None:
    """Keep what was written when somebody stopped the run; it shows no source, as none was checked yet."""
    body, _numbers = wording.from_model(text, ())
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


def support_frame(view: AnswerView) -> dict[str, Any]:
    """Return how far each sentence of the answer is supported."""
    return {"id": str(view.id), "claims": list(view.claims)}


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
