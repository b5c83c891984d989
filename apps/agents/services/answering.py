"""What the run of an answer does, part by part."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation

from apps.accounts.selectors.people import people
from apps.accounts.selectors.principals import principal_of_member
from apps.accounts.selectors.scopes import principals_in
from apps.accounts.types import Principal
from apps.agents import presenting
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
from apps.elyza.services.verifying import verify
from apps.elyza.types import Statement, Support
from apps.llm.services.ladder import answer_stream
from apps.llm.types import Answered, AnswerPassage, Caller, Completion, Finished, TextDelta
from apps.rag.selectors.around import neighbours, still_visible
from apps.rag.selectors.ranking import Reach
from apps.rag.selectors.search import reach_of, search
from apps.rag.selectors.viewing import hit_address
from apps.rag.selectors.window import Candidate, choose, fits_beside
from apps.rag.services.reading import note_read
from apps.rag.services.traces import keep_trace
from apps.rag.types import Filters, Given, Hit, SearchOrigin, SearchResult, SourceType

POOL = 24  # passages the best are chosen from
PASSAGES = 6
LEAST_TOKENS = 1024  # for passages, however small the model's window is: sentences of them can still be shown
ANSWER_TOKENS = 700
MODEL_SECONDS = 120.0
_PREVIEW = 6
_PREVIEW_CHARACTERS = 200


@dataclass(frozen=True)
class Task:
    """One question while it is answered."""

    answer_id: UUID
    agent_id: UUID
    asker_id: UUID
    organization_id: UUID
    question: str
    instructions: str
    conversation_id: UUID | None
    language: str


@dataclass(frozen=True)
class Readers:
    """Who reads an answer, with the rights of this moment: the asker, and everybody in the conversation."""

    asker: Principal
    audience: tuple[UUID, ...]

    @property
    def reach(self) -> Reach:
        """Return what all of them see."""
        return reach_of(self.asker, self.audience)


@dataclass(frozen=True)
class Found:
    """What the search gave.

    Attributes:
        hits: what the answer may be taken from, best first, then what stands beside them.
        reading: their places in the order in which they are read: a passage among its neighbours.
        listed: what was found, best first, before any of it was chosen.
        left_out: better passages exist that not every reader may see.
    """

    hits: tuple[Hit, ...]
    words_only: bool
    left_out: bool = False
    reading: tuple[int, ...] = ()
    listed: tuple[Hit, ...] = ()
    given: Given | None = None


@dataclass(frozen=True)
class Written:
    """The end of the writing; `claims`: its sentences and whether their sources say so."""

    body: str
    sources: tuple[SourceRef, ...]
    outcome: Outcome
    is_broken: bool
    found: Found
    claims: tuple[dict[str, Any], ...] = ()
    usage: dict[str, Any] = field(default_factory=dict)  # JSON of the ledger's words


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


def readers_of(task: Task) -> Readers:
    """Return who reads the answer now; asked again before each stage.

    Raises:
        OrganizationNotFound: the asker has left.
    """
    asker = principal_of_member(organization_id=task.organization_id, user_id=task.asker_id)
    audience: tuple[UUID, ...] = ()
    if task.conversation_id is not None:
        readers = people(principals_in(scope_of(asker, task.conversation_id)))
        audience = tuple(
            person.id for person in readers.values() if person.kind != "agent" and person.is_active
        )
    return Readers(asker, audience)


def find_by_words(task: Task) -> tuple[Hit, ...]:
    """Return the best passages by their words alone, as far as all readers may see them: no vector is waited for."""
    readers = readers_of(task)
    found = _search(task, readers.asker, readers.audience, limit=_PREVIEW + 1, by_meaning=False)
    return _without_question(task, found.hits)[:_PREVIEW]


def find(task: Task) -> Found:
    """Search with the asker's rights; in a conversation only what all its readers may see, checked in the query.

    What is given to the answer is chosen to fit the model's window; what was left out and why is kept with the search.
    """
    readers = readers_of(task)
    shared = _search(task, readers.asker, readers.audience, limit=POOL)
    listed = _without_question(task, shared.hits)
    found = _chosen(task, readers, listed, words_only=shared.words_only)
    _keep(task, readers.asker, shared, found.given)
    _note_read(task, found.hits)
    left_out = False
    if readers.audience:
        own = _search(task, readers.asker, (), limit=2)  # the question itself may be one of them
        _keep(task, readers.asker, own)
        _note_read(task, own.hits)
        best = _without_question(task, own.hits)
        left_out = bool(best) and best[0].chunk not in {hit.chunk for hit in listed}
    return replace(found, left_out=left_out)


def _search(
    task: Task, asker: Principal, audience: Sequence[UUID], *, limit: int, by_meaning: bool = True
) -> SearchResult:
    return search(
        principal=asker,
        query=task.question,
        filters=Filters(exclude_generated=True),
        limit=limit,
        audience=audience,
        collapse=False,
        grammar=False,
        by_meaning=by_meaning,
    )


def _chosen(task: Task, readers: Readers, listed: Sequence[Hit], *, words_only: bool) -> Found:
    """Choose passages for the window, then what stands beside them while there is room."""
    by_key = {hit.chunk: hit for hit in listed if hit.chunk is not None}
    budget = max(
        LEAST_TOKENS,
        prompting.room_tokens(
            instructions=task.instructions,
            question=task.question,
            window_tokens=settings.CONFIGURATION.model.llm_context_tokens,
            answer_tokens=ANSWER_TOKENS,
        ),
    )
    choice = choose(
        [_candidate(key, hit) for key, hit in by_key.items()], budget_tokens=budget, most=PASSAGES
    )
    hits = [by_key[key] for key in choice.taken]
    places = {hit.chunk: (number, 0) for number, hit in enumerate(hits)}
    tokens = choice.tokens
    for beside in neighbours(principal=readers.asker, reach=readers.reach, hits=tuple(hits)):
        candidate = _candidate(beside.anchor, beside.hit)
        is_question = not _without_question(task, [beside.hit])
        if is_question or not fits_beside(candidate, [hit.text for hit in hits], room_tokens=budget - tokens):
            continue
        hits.append(beside.hit)
        places[beside.hit.chunk] = (places[beside.anchor][0], beside.distance)
        tokens += candidate.tokens
    given = Given(
        left_out=dict(choice.left_out),
        passages=len(choice.taken),
        neighbours=len(hits) - len(choice.taken),
        tokens=tokens,
        budget_tokens=budget,
    )
    reading = sorted(range(len(hits)), key=lambda number: places[hits[number].chunk])
    return Found(tuple(hits), words_only, reading=tuple(reading), listed=tuple(listed), given=given)


def _candidate(key: int, hit: Hit) -> Candidate:
    group = hit.thread or (hit.source if hit.source_type == SourceType.DOCUMENT else None)
    return Candidate(
        key=key,
        text=hit.text,
        tokens=prompting.cost_tokens(_title(hit), hit.text),
        score=hit.score,
        group=str(group or ""),
        age_days=(timezone.now() - hit.time).total_seconds() / 86_400,
    )


def _title(hit: Hit) -> str:
    return hit.title or hit.author_name


def write(
    task: Task, found: Found, *, run_id: UUID, check: Callable[[], object]
) -> Generator[str | Written, None, None]:
    """Yield the text as it comes, then the whole; the model if there is one, else sentences of the sources.

    Passages that were lost since they were found are not given to it. Where nothing is left no model is asked: it
    could only make something up. While the model is silent `check` is called; what it raises ends the call and comes
    out here.
    """
    readers = readers_of(task)
    found = _still(found, readers)
    if not found.hits:
        yield Written(wording.nothing(), (), Outcome.NOTHING, is_broken=False, found=found)
        return
    passages = _passages(found)
    completion = Completion(
        messages=prompting.messages(
            instructions=task.instructions,
            question=task.question,
            passages=[
                (number + 1, _title(found.hits[number]), found.hits[number].text) for number in found.reading
            ],
        ),
        caller=Caller("answer", task.asker_id, run_id),
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
                written = _written("".join(said), piece, found)
                if written.outcome == Outcome.EXCERPT:
                    yield written.body
                yield written


def _still(found: Found, readers: Readers) -> Found:
    """Return what was found without what not all readers may see any more."""
    seen = still_visible(
        reach=readers.reach, chunks=[hit.chunk for hit in found.hits if hit.chunk is not None]
    )
    kept = [number for number, hit in enumerate(found.hits) if hit.chunk in seen]
    if len(kept) == len(found.hits):
        return found
    new = {old: number for number, old in enumerate(kept)}
    return replace(
        found,
        hits=tuple(found.hits[number] for number in kept),
        reading=tuple(new[number] for number in found.reading if number in new),
    )


def _passages(found: Found) -> list[AnswerPassage]:
    return [AnswerPassage(str(hit.chunk), hit.text, hit.language) for hit in found.hits]


def _written(text: str, end: Answered, found: Found) -> Written:
    if end.extract is not None:
        body, sources, marks = wording.from_extract(end.extract, found.hits)
        if not end.extract.found:
            return Written(body, tuple(sources), Outcome.NOTHING, is_broken=False, found=found)
        by_id = {str(hit.chunk): number for number, hit in enumerate(found.hits)}
        cited = [by_id[sentence.passage_id] for sentence in end.extract.sentences]
        claims = _checked(body, cited, found, marks=marks)
        return Written(body, tuple(sources), Outcome.EXCERPT, is_broken=False, found=found, claims=claims)
    body, used = wording.from_model(text, range(1, len(found.hits) + 1))
    cited = [number - 1 for number in used]
    claims = _checked(body, cited, found)
    return Written(
        body,
        tuple(_cited_sources(cited, claims, found)),
        Outcome.MODEL,
        is_broken=end.broken is not None,
        found=found,
        claims=claims,
        usage=_usage(end.finished),
    )


def _checked(
    body: str, cited: Sequence[int], found: Found, *, marks: Sequence[tuple[int, int]] = ()
) -> tuple[dict[str, Any], ...]:
    """Return each sentence of the text with what its sources say to it.

    Args:
        cited: for each number of the text, from 1, the place of its passage among the hits.
        marks: where exact answers stand in the text.
    """
    claims = [claim for part in presenting.paragraphs(body, range(1, len(cited) + 1)) for claim in part]
    verdicts = verify(
        statements=[
            Statement(claim.text, tuple(cited[number - 1] for number in claim.numbers)) for claim in claims
        ],
        passages=_passages(found),
    )
    return tuple(
        {
            "start": claim.start,
            "end": claim.end,
            "numbers": list(claim.numbers),
            "answer": next(([a, b] for a, b in marks if claim.start <= a < b <= claim.end), None),
            "support": verdict.support.value,
            "doubts": [doubt.value for doubt in verdict.doubts],
            "evidence": [
                {
                    "number": cited.index(one.passage) + 1,
                    **wording.place_in(found.hits[one.passage], one.start, one.end),
                }
                for one in verdict.evidence
            ],
            "places": [(one.passage, one.start, one.end) for one in verdict.evidence],
        }
        for claim, verdict in zip(claims, verdicts, strict=True)
    )


def _cited_sources(
    cited: Sequence[int], claims: Sequence[Mapping[str, Any]], found: Found
) -> Iterator[SourceRef]:
    """Yield the numbered sources, each at the sentence that supports the first claim on it, else as a whole."""
    places = {
        passage: (start, end)
        for claim in reversed(claims)
        if claim["support"] != Support.UNSUPPORTED
        for passage, start, end in claim["places"]
    }
    for number, passage in enumerate(cited, 1):
        start, end = places.get(passage, (0, None))
        yield wording.source_of(number, found.hits[passage], used=True, start=start, end=end)


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
    """Store the answer with its sources and everything that was read, and show it where it was asked.

    A reader may have lost one of its passages while it was written: then nothing of it is kept.
    """
    left = _still(written.found, readers_of(task))
    if len(left.hits) < len(written.found.hits):
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


def hits_frame(task: Task, stage: str, hits: Sequence[Hit], *, words_only: bool) -> dict[str, Any]:
    """Return what was found so far, for whoever follows; every reader of the run may see it.

    Args:
        stage: `words` before the meaning was compared, `found` for the whole list.
    """
    asker = readers_of(task).asker
    return {
        "stage": stage,
        "words_only": words_only,
        "hits": [
            {
                "number": number,
                "title": _title(hit),
                "place": wording.place_of(hit),
                "snippet": " ".join(hit.snippet.split())[:_PREVIEW_CHARACTERS],
                "url": hit_address(asker, hit),
                **wording.place_in(hit, 0, len(hit.text)),
            }
            for number, hit in enumerate(hits[:_PREVIEW], 1)
        ],
    }


def support_frame(view: AnswerView) -> dict[str, Any]:
    """Return how far each sentence of the answer is supported."""
    return {"id": str(view.id), "claims": list(view.claims)}


def given_result(found: Found) -> dict[str, Any]:
    """Return for the run how many passages the answer got, and how many it did not and why."""
    if found.given is None:
        return {}
    given = found.given
    return {
        "passages": given.passages,
        "neighbours": given.neighbours,
        "tokens": given.tokens,
        "budget_tokens": given.budget_tokens,
        "not_given": dict(Counter(why.value for why in given.left_out.values())),
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


def _keep(task: Task, asker: Principal, result: SearchResult, given: Given | None = None) -> None:
    """Leave beside the trail what the search did, and what of it the answer got."""
    keep_trace(
        principal=asker,
        origin=SearchOrigin.AGENT,
        query=task.question,
        result=result,
        has_grammar=False,
        agent_id=task.agent_id,
        given=given,
    )


def _note_read(task: Task, hits: Sequence[Hit]) -> None:
    note_read(
        organization_id=task.organization_id,
        reader_id=task.agent_id,
        on_behalf_of=task.asker_id,
        hits=hits,
        purpose="answer",
        object_type="answer",
        object_id=task.answer_id,
    )


def _without_question(task: Task, hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """A question does not answer itself: leave out passages that are the question."""
    asked = " ".join(task.question.split()).casefold()
    return tuple(hit for hit in hits if " ".join(hit.text.split()).casefold() != asked)
