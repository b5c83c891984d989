"""Made-up passages for the bench of search: who may read them, and storing them as the product does."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from tests.benchmarks.figures import progress

# Audiences by their thousandths of all passages, and what share a reader of the first so many of them sees.
AUDIENCES = (1, 9, 40, 50, 100, 100, 100, 100, 100, 100, 100, 100, 100)
READERS = {"0.1 %": 1, "1 %": 2, "5 %": 3, "10 %": 4, "50 %": 8, "100 %": 13}
WORDS = [f"{a}{b}{c}" for a in ("tur", "wel", "kran", "bo", "ge", "sen") for b in ("ba", "do", "fi", "ku", "me") for c in ("l", "n", "r", "s", "t", "m", "x", "k", "p", "d", "g", "f", "z", "w", "b", "ch", "ng", "st", "rt", "lk")]  # fmt: skip
WEIGHTS = [1 / (rank + 3) for rank in range(len(WORDS))]  # common words first
LENGTH = 90
_COMMON = 400
_OF_A_SUBJECT = 50
_OTHER_WORDS = 10  # of a passage, beside those of its subject


@dataclass(frozen=True)
class Filled:
    """An organization with passages.

    Attributes:
        readers: by the share of the passages that they see.
        seen: the audiences of each reader.
        audiences: of each of a thousand passages in turn.
        subjects: texts that about fifty passages each are written after, so that vectors have neighbourhoods.
    """

    organization_id: UUID
    readers: Mapping[str, UUID]
    seen: Mapping[UUID, tuple[UUID, ...]]
    audiences: Sequence[UUID]
    subjects: list[str]

    def audience(self, number: int) -> UUID:
        """Return who reads the passage with a number."""
        return self.audiences[number * 617 % 1000]

    def questions(self, count: int) -> list[str]:
        """Return questions of two common and two rarer words of one subject each."""
        source = random.Random(3)
        common, rare = set(WORDS[:_COMMON]), set(WORDS[_COMMON:])
        asked = []
        for _ in range(count):
            known = set(source.choice(self.subjects).split())
            both = [sorted(known & some) for some in (common, rare)]
            asked.append(" ".join(word for some in both for word in source.sample(some, min(2, len(some)))))
        return asked

    def extracts(self, count: int) -> list[str]:
        """Return a third of the words of subjects: nearer to the passages of one than to others, as questions are."""
        source = random.Random(4)
        return [
            " ".join(source.sample(subject.split(), LENGTH // 3))
            for subject in source.choices(self.subjects, k=count)
        ]

    def more_subjects(self, source: random.Random, passages: int) -> list[list[str]]:
        """Return words of the subjects of so many more passages."""
        made = [source.choices(WORDS, WEIGHTS, k=LENGTH) for _ in range(max(1, passages // _OF_A_SUBJECT))]
        self.subjects.extend(" ".join(words) for words in made)
        return made


def body(source: random.Random, subject: list[str]) -> str:
    """Return a passage on a subject."""
    return " ".join(source.choices(WORDS, WEIGHTS, k=_OTHER_WORDS) + subject[_OTHER_WORDS:])


def make_readers() -> Filled:
    """Make an organization without passages: audiences of very different sizes, readers of the smallest ones first."""
    from apps.accounts.services.members import create_principal
    from apps.accounts.services.organizations import create_organization
    from apps.accounts.services.scopes import add_seats, create_scope
    from apps.core import tenancy

    organization_id = create_organization(slug=f"bench-{uuid4().hex[:8]}", name="Bench")
    with tenancy.use(organization_id):
        scopes = [create_scope(organization_id=organization_id, kind="collection") for _ in AUDIENCES]
        readers = {
            share: create_principal(organization_id=organization_id, kind="service", name=f"Bench {share}")
            for share in READERS
        }
        seen = {readers[share]: tuple(scopes[:audiences]) for share, audiences in READERS.items()}
        for reader, audiences in seen.items():
            for scope_id in audiences:
                add_seats(scope_id=scope_id, principals=[reader])
    audience_of = [scope for scope, size in zip(scopes, AUDIENCES, strict=True) for _ in range(size)]
    return Filled(organization_id, readers, seen, audience_of, [])


def fill(count: int) -> Filled:
    """Store passages with the product's own code."""
    from django.utils import timezone

    from apps.core import tenancy
    from apps.rag.services import embedding, storing
    from apps.rag.types import ChunkDraft, SourceType

    source = random.Random(1)
    filled = make_readers()
    subjects = filled.more_subjects(source, count)
    with tenancy.use(filled.organization_id):
        for start in range(0, count, 2000):
            storing.store_chunks(
                [
                    ChunkDraft(
                        organization_id=filled.organization_id, scope_id=filled.audience(number),
                        source_type=SourceType.DOCUMENT, source_id=uuid4(), start=0, end=len(text), body=text,
                        language="simple", time=timezone.now(),
                    )
                    for number in range(start, min(count, start + 2000))
                    for text in [body(source, subjects[number % len(subjects)])]
                ]
            )  # fmt: skip
        embedding.embed_pending(organization_id=filled.organization_id, most=count, check=lambda: None)
        embedding.refresh_terms()
    progress(f"{count} passages stored")
    return filled
