"""Random libraries that change, against a plain computation: the same rows visible, the same weights of words."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from apps.accounts.models import Member
from apps.accounts.services.scopes import add_seats, create_scope, remove_seat
from apps.accounts.types import Principal
from apps.documents.models import Document
from apps.rag.selectors.ranking import Reach, rank
from apps.rag.services import embedding, storing
from apps.rag.text.query import parse
from apps.rag.types import ChunkDraft, Filters, SourceType
from tests.chat.world import World
from tests.factories.documents import document
from tests.rag.library import embed_all

# No stemmer changes them, none is a part of another, and no language has them as stop words.
WORDS = [
    "gabrok",
    "tilvup",
    "mornak",
    "sedrip",
    "wulgok",
    "pintak",
    "hobrup",
    "lagvix",
    "dumzok",
    "felbap",
    "krontik",
    "zastup",
    "nelvok",
    "jubrik",
]
BEGUN = datetime(2026, 1, 1, tzinfo=timezone.get_fixed_timezone(0))
LEAST_CHUNKS, LEAST_MEAN = 1000, 10  # what small indexes are weighed as


@dataclass(frozen=True)
class Text:
    """What a chunk says, where and since when."""

    document: UUID
    language: str
    words: tuple[str, ...]
    time: datetime


@dataclass
class Library:
    """A library, and beside it what should be in it.

    Attributes:
        places: the audience of each document.
        seats: since when a person sees an audience.
    """

    world: World
    people: list[Principal]
    scopes: list[UUID]
    chance: random.Random
    texts: dict[int, Text] = field(default_factory=dict)
    places: dict[UUID, UUID] = field(default_factory=dict)
    seats: dict[tuple[UUID, UUID], datetime] = field(default_factory=dict)

    def add(self) -> None:
        """Store a chunk of a random document."""
        document_id = self.chance.choice(list(self.places))
        language = self.chance.choice(("de", "en", "simple"))
        self._store(document_id, language, self._words(), self._moment())

    def edit(self) -> None:
        """Replace a chunk by one that says something else."""
        pk = self.chance.choice(list(self.texts))
        before = self.texts[pk]
        self._remove(pk)
        self._store(before.document, before.language, self._words(), before.time)

    def delete(self) -> None:
        """Take a chunk out."""
        self._remove(self.chance.choice(list(self.texts)))

    def move(self) -> None:
        """Give a document another audience."""
        document_id, scope_id = self.chance.choice(list(self.places)), self.chance.choice(self.scopes)
        Document.objects.filter(pk=document_id).update(scope_id=scope_id)
        storing.move_documents(
            organization_id=self.world.organization.pk,
            document_ids=[document_id],
            scope_id=scope_id,
            conversation_id=None,
        )
        self.places[document_id] = scope_id

    def sit_or_leave(self) -> None:
        """Give a person a seat, from the beginning or later on, or take it."""
        person, scope_id = self.chance.choice(self.people).id, self.chance.choice(self.scopes)
        if self.seats.pop((person, scope_id), None) is not None:
            remove_seat(scope_id=scope_id, principal_id=person)
            return
        since = self.chance.choice((None, self._moment()))
        add_seats(scope_id=scope_id, principals=[person], visible_from=since)
        self.seats[person, scope_id] = since or BEGUN

    def visible(self, person: Principal) -> set[int]:
        """Return the chunks that a person may see."""
        return {
            pk
            for pk, text in self.texts.items()
            if self.seats.get((person.id, self.places[text.document]), timezone.now()) <= text.time
        }

    def weights(self, person: Principal, query: list[str]) -> dict[int, float]:
        """Return how well the words of each visible chunk fit, as a share of the best: ts_rank of each, by idf."""
        total = max(len(self.texts), LEAST_CHUNKS)
        different = [len(set(text.words)) for text in self.texts.values()]
        mean = max(sum(different) / len(different), LEAST_MEAN)
        found = {}
        for pk in self.visible(person):
            counts = Counter(self.texts[pk].words)
            rank_of = {
                word: 0.1 * sum(n**-2 for n in range(1, counts[word] + 1)) / 1.64493406685 for word in query
            }
            weight = sum(self._idf(word, total) * rank_of[word] for word in query)
            found[pk] = weight / (0.6 + 0.4 * len(counts) / mean)
        best = max(found.values(), default=0) or 1
        return {pk: weight / best for pk, weight in found.items()}

    def _idf(self, word: str, total: int) -> float:
        chunks = sum(word in text.words for text in self.texts.values())
        return math.log(1 + (total - chunks + 0.5) / (max(chunks, 1) + 0.5))

    def _words(self) -> tuple[str, ...]:
        return tuple(self.chance.choices(WORDS, range(len(WORDS), 0, -1), k=self.chance.randint(1, 30)))

    def _moment(self) -> datetime:
        return BEGUN + timedelta(hours=self.chance.randint(1, 1000))

    def _store(self, document_id: UUID, language: str, words: tuple[str, ...], time: datetime) -> None:
        body = " ".join(words)
        (pk,) = storing.store_chunks(
            [
                ChunkDraft(
                    organization_id=self.world.organization.pk,
                    scope_id=self.places[document_id],
                    source_type=SourceType.DOCUMENT,
                    source_id=document_id,
                    document_id=document_id,
                    start=0,
                    end=len(body),
                    body=body,
                    language=language,
                    time=time,
                )
            ]
        )
        self.texts[pk] = Text(document_id, language, words, time)

    def _remove(self, pk: int) -> None:
        storing.remove_chunks(organization_id=self.world.organization.pk, chunk_ids=[pk])
        del self.texts[pk]


def _library(world: World, seed: int) -> Library:
    chance = random.Random(seed)
    people = [world.person(f"Person {number}") for number in range(3)]
    scopes = [create_scope(organization_id=world.organization.pk, kind="collection") for _ in range(6)]
    member = Member.objects.get(name="Person 0")
    library = Library(world, people, scopes, chance)
    for number in range(8):
        made = document(member, f"{number}.txt", f"Document {number}".encode())
        Document.objects.filter(pk=made.id).update(scope_id=scopes[0])
        library.places[made.id] = scopes[0]
    for _ in range(20):
        library.move()
    for _ in range(40):
        library.add()
    for _ in range(8):
        library.sit_or_leave()
    return library


@pytest.mark.parametrize("seed", range(4))
def test_search_follows_every_change(world: World, seed: int) -> None:
    library = _library(world, seed)
    chance = library.chance
    changes = (library.add, library.add, library.edit, library.delete, library.move, library.sit_or_leave)
    seen = 0
    for _ in range(12):
        for _ in range(6):
            chance.choice(changes)()
        if chance.random() < 0.7:
            embed_all(world.organization.pk)
        else:
            embedding.refresh_terms()
        for person in library.people:
            query = chance.sample(WORDS, chance.randint(1, 4))
            reach, expected = Reach((person.id,)), library.weights(person, query)
            by_words = rank(
                reach=reach, query=parse(" ".join(query)), filters=Filters(), by_meaning=False
            ).ranked
            assert {one.chunk: one.words for one in by_words} == pytest.approx(
                {pk: weight for pk, weight in expected.items() if weight > 0}, rel=1e-4
            )
            assert [one.score for one in by_words] == sorted((one.words for one in by_words), reverse=True)
            by_both = rank(reach=reach, query=parse(" ".join(query)), filters=Filters()).ranked
            assert {one.chunk for one in by_both} <= set(expected)
            assert {one.chunk: one.words for one in by_both} == pytest.approx(
                {one.chunk: expected[one.chunk] for one in by_both}, rel=1e-4
            )
            seen += len(by_both)
    assert seen > 100
