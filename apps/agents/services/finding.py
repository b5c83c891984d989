"""What an answer may be taken from: the search with the rights of who reads it, and a choice that fits."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from apps.accounts.selectors.people import people
from apps.accounts.selectors.principals import principal_of_member
from apps.accounts.selectors.scopes import principals_in
from apps.accounts.types import Principal
from apps.agents.services import prompting, wording
from apps.chat.selectors.conversations import scope_of
from apps.chat.services.composing import unaddressed
from apps.rag.selectors.around import kept, neighbours
from apps.rag.selectors.ranking import Reach
from apps.rag.selectors.search import reach_of, search
from apps.rag.selectors.viewing import hit_address
from apps.rag.selectors.window import Candidate, choose, fits_beside
from apps.rag.services.reading import note_read
from apps.rag.services.rewriting import rewrite, with_stage
from apps.rag.services.traces import keep_trace
from apps.rag.types import (
    Filters,
    Given,
    Hit,
    Rewriting,
    SearchOrigin,
    SearchResult,
    SourceType,
    Suggestion,
)

POOL = 24  # passages the best are chosen from
PASSAGES = 6
LEAST_TOKENS = 1024  # for passages, however small the model's window is: sentences of them can still be shown
ANSWER_TOKENS = 700
_PREVIEW = 6
_PREVIEW_CHARACTERS = 200
_WORD = re.compile(r"\w+")
_MEANT = 4  # letters of a word that says what a text is about


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
class Asking:
    """How a language model is asked for other words.

    Attributes:
        run_id: of the answer, for the ledger.
        check: called while the model is silent; what it raises ends the run.
        tell: called right before it is asked.
    """

    run_id: UUID
    check: Callable[[], object]
    tell: Callable[[], object]


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


def find(task: Task, asking: Asking | None = None) -> Found:
    """Search with the asker's rights; in a conversation only what all its readers may see, checked in the query.

    What is given to the answer is chosen to fit the model's window; what was left out and why is kept with the search.
    Where it is little, a language model may name other words, and the same is searched once more with them.

    Args:
        asking: how a model is asked; without it none is.
    """
    readers = readers_of(task)
    shared = _search(task, readers.asker, readers.audience, limit=POOL)
    suggested: Sequence[Suggestion] = ()
    if asking is not None:
        rewriting = _other_words(task, readers, shared, asking)
        suggested = rewriting.suggestions
        if suggested:
            shared = _search(task, readers.asker, readers.audience, limit=POOL, suggested=suggested)
        shared = with_stage(shared, rewriting)
    listed = _without_question(task, shared.hits)
    found = _chosen(task, readers, listed, words_only=shared.words_only)
    _keep(task, readers.asker, shared, found.given)
    _note_read(task, found.hits)
    left_out = False
    if readers.audience:
        own = _search(
            task, readers.asker, (), limit=2, suggested=suggested
        )  # the question itself may be one of them
        _keep(task, readers.asker, own)
        _note_read(task, own.hits)
        best = _without_question(task, own.hits)
        left_out = bool(best) and _place(best[0]) not in {_place(hit) for hit in listed}
    return replace(found, left_out=left_out)


def _place(hit: Hit) -> tuple[UUID, int | None, int]:
    """Return what a passage is known by, also where it was stored anew since."""
    return hit.source, hit.page, hit.span.start


def _other_words(task: Task, readers: Readers, found: SearchResult, asking: Asking) -> Rewriting:
    """Ask for other words where what was found is little, the question itself left out."""
    return rewrite(
        principal=readers.asker,
        text=task.question,
        result=replace(found, hits=_without_question(task, found.hits)),
        origin=SearchOrigin.AGENT,
        has_grammar=False,
        run_id=asking.run_id,
        check=asking.check,
        tell=asking.tell,
    )


def _search(
    task: Task,
    asker: Principal,
    audience: Sequence[UUID],
    *,
    limit: int,
    by_meaning: bool = True,
    suggested: Sequence[Suggestion] = (),
) -> SearchResult:
    return search(
        principal=asker,
        query=task.question,
        filters=Filters(exclude_generated=True),
        limit=limit,
        audience=audience,
        collapse=False,
        grammar=False,
        suggested=suggested,
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
        tokens=prompting.cost_tokens(title_of(hit), hit.text),
        score=hit.score,
        group=str(group or ""),
        age_days=(timezone.now() - hit.time).total_seconds() / 86_400,
    )


def title_of(hit: Hit) -> str:
    return hit.title or hit.author_name


def still(found: Found, readers: Readers) -> Found:
    """Return what was found without what not all readers may see any more, each passage where it is stored now."""
    now = kept(reach=readers.reach, hits=found.hits)
    left = [number for number, hit in enumerate(found.hits) if hit.chunk in now]
    new = {old: number for number, old in enumerate(left)}
    return replace(
        found,
        hits=tuple(replace(hit, chunk=now[hit.chunk]) for hit in found.hits if hit.chunk in now),
        reading=tuple(new[number] for number in found.reading if number in new),
    )


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
                "title": title_of(hit),
                "place": wording.place_of(hit),
                "snippet": " ".join(hit.snippet.split())[:_PREVIEW_CHARACTERS],
                "url": hit_address(asker, hit),
                **wording.place_in(hit, 0, len(hit.text)),
            }
            for number, hit in enumerate(hits[:_PREVIEW], 1)
        ],
    }


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
    """A question does not answer itself: leave out passages that only ask it, whoever they mention, however often."""
    asked = _said(task.question)
    return tuple(hit for hit in hits if not _only_asks(_said(hit.text), asked))


def _said(text: str) -> list[str]:
    return _WORD.findall(unaddressed(text).casefold())


def _only_asks(said: list[str], asked: list[str]) -> bool:
    """Tell whether a passage ends with the question and says nothing of it before.

    What somebody says after a question may be its answer, however it is worded; what was said before it is one only
    where it speaks of the same.
    """
    before = said
    while asked and before[-len(asked) :] == asked:
        before = before[: -len(asked)]
    return len(before) < len(said) and _stems(before).isdisjoint(_stems(asked))


def _stems(words: Sequence[str]) -> set[str]:
    """Return how the words begin that are long enough to mean something."""
    return {word[:6] for word in words if len(word) >= _MEANT}
