"""The text of an answer as it comes, then each of its sentences held against its sources."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from apps.agents import presenting
from apps.agents.services import finding, prompting, wording
from apps.agents.services.finding import ANSWER_TOKENS, Found, Task
from apps.agents.types import Outcome, SourceRef
from apps.elyza.services.verifying import verify
from apps.elyza.types import Statement, Support
from apps.llm.services.ladder import answer_stream
from apps.llm.types import Answered, AnswerPassage, Caller, Completion, Finished, TextDelta
from apps.rag.types import Hit

MODEL_SECONDS = 120.0


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


def write(
    task: Task, found: Found, *, run_id: UUID, check: Callable[[], object]
) -> Generator[str | Written, None, None]:
    """Yield the text as it comes, then the whole; the model if there is one, else sentences of the sources.

    Passages that were lost since they were found are not given to it. Where nothing is left no model is asked: it
    could only make something up. While the model is silent `check` is called; what it raises ends the call and comes
    out here.
    """
    readers = finding.readers_of(task)
    found = finding.still(found, readers)
    if not found.hits:
        yield Written(wording.nothing(), (), Outcome.NOTHING, is_broken=False, found=found)
        return
    passages = _passages(found)
    completion = Completion(
        messages=prompting.messages(
            instructions=task.instructions,
            question=task.question,
            passages=[
                (number + 1, finding.title_of(found.hits[number]), found.hits[number].text)
                for number in found.reading
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


def _passages(found: Found) -> list[AnswerPassage]:
    return [AnswerPassage(str(hit.chunk), _in_messages(hit), hit.language) for hit in found.hits]


def _in_messages(hit: Hit) -> str:
    """Return the text of a hit, as long as it is, with a border of sentences where one of its messages ends."""
    letters = list(hit.text)
    for part in hit.messages:
        if part.start:
            letters[part.start - 1] = "\u2029"
    return "".join(letters)


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
