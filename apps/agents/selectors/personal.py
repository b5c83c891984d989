"""What a person asked, and which answers took something from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from apps.agents.models import Answer
from apps.chat.selectors import personal as chat_personal
from apps.core.data_subjects import Person
from apps.documents.selectors import personal as document_personal


def answers_of(person: Person) -> QuerySet[Answer]:
    """Return the person's questions with their answers."""
    return Answer.objects.filter(organization_id=person.organization_id, asker_id=person.id)


def export_answers(person: Person) -> Iterator[Mapping[str, Any]]:
    """Yield the person's questions. An answer's text is theirs only where nothing of others was read for it.

    Otherwise the sources are named by id: the person reads them in the product, with the rights of the moment.
    """
    for row in answers_of(person).order_by("pk").iterator():
        own = quoting(person, [row])
        read = source_ids(row)
        is_own = not read or (row.pk in own and read == _own(person, read))
        yield {
            "id": row.pk,
            "question": row.question,
            "answer": row.body if is_own else "",
            "withheld": "" if is_own else "It quotes other people's texts; `sources` names them.",
            "sources": sorted(read),
            "state": row.state,
            "conversation_id": row.conversation_id,
            "asked_at": row.created_at,
        }


def count_quoting(person: Person) -> int:
    """Return how many answers to others took something from the person."""
    rows = Answer.objects.filter(organization_id=person.organization_id).exclude(asker_id=person.id)
    return len(quoting(person, list(rows.only("pk", "read", "sources"))))


def quoting(person: Person, rows: Sequence[Answer]) -> set[UUID]:
    """Return those answers that read or show something of the person. Two queries."""
    by_row = {row.pk: source_ids(row) for row in rows}
    wanted = set().union(*by_row.values()) if by_row else set()
    own = _own(person, wanted)
    return {pk for pk, ids in by_row.items() if ids & own}


def source_ids(row: Answer) -> set[UUID]:
    """Return the messages and documents an answer read or shows."""
    shown = [source["citation"] for source in row.sources if source.get("citation")]
    return {UUID(str(one["source"])) for one in [*row.read, *shown] if one.get("source")}


def _own(person: Person, wanted: set[UUID]) -> set[UUID]:
    if not wanted:
        return set()
    return chat_personal.written_by(person=person, among=wanted) | document_personal.added_by(
        person=person, among=wanted
    )
