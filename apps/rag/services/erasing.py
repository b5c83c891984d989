"""Take a person out of the content index: chunks that outlived their source, and words only they held."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import QuerySet

from apps.core.data_subjects import Batch, Person
from apps.rag.models import Chunk, SearchTrace
from apps.rag.selectors import personal
from apps.rag.services.embedding import refresh_terms

BATCH: Final = 1_000


def count_chunks(person: Person) -> int:
    """Return how many chunks hold texts of the person."""
    return _chunks(person).count()


def erase_chunks_of(person: Person, _cursor: Any) -> Batch:
    """Delete chunks of the person that did not go with their message or document."""
    rows = _chunks(person)
    return Batch(rows._raw_delete(rows.db))  # noqa: SLF001 - the database cascades


def erase_words_of(_person: Person, _cursor: Any) -> Batch:
    """Count the organization's words anew, so that a word only the person used is gone."""
    refresh_terms()
    return Batch(0)


def forget_who_added_synonyms(person: Person, _cursor: Any) -> Batch:
    """Let the sets that the person added be nobody's."""
    return Batch(personal.synonyms_by(person).update(created_by=None))


def erase_traces_of(person: Person, _cursor: Any) -> Batch:
    """Delete the next searches of the person, with what it said about their hits."""
    rows = list(personal.traces_of(person).order_by("pk").values_list("pk", flat=True)[:BATCH])
    SearchTrace.objects.filter(organization_id=person.organization_id, pk__in=rows).delete()
    return Batch(len(rows), "more" if rows else None)


def _chunks(person: Person) -> QuerySet[Chunk]:
    return Chunk.objects.filter(organization_id=person.organization_id, author_id=person.id)
