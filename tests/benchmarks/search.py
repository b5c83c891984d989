"""The product's search statement against the usual tutorial hybrid (OR ts_rank_cd and vectors, reciprocal ranks), in one run.

Passages are made from a fixed vocabulary; vectors are the model-free ones, so that the encoder is not what is measured.
Readers see from half of the passages to a thousandth of them: how fast, how many hits, how near to the exact answer.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, median
from typing import Any
from uuid import UUID, uuid4

import psycopg

from tests.benchmarks.figures import figure, percentile, progress
from tests.benchmarks.stack import become_part, stack

PASSAGES = {"quick": 10_000, "standard": 40_000, "full": 100_000}
QUESTIONS = {"quick": 40, "standard": 80, "full": 120}
# Audiences by their thousandths of all passages, and what share a reader of the first so many of them sees.
AUDIENCES = (1, 9, 40, 50, 100, 100, 100, 100, 100, 100, 100, 100, 100)
READERS = {"0.1 %": 1, "1 %": 2, "5 %": 3, "10 %": 4, "50 %": 8}
LIMIT = 10
_TUTORIAL = """
WITH q AS (SELECT to_tsquery('simple', %(words)s) AS words), seen AS (
  SELECT s.scope_id FROM accounts_seat s WHERE s.principal_id = %(me)s AND s.left_at IS NULL
), l AS (
  SELECT c.id, row_number() OVER (ORDER BY ts_rank_cd(c.tsv, q.words) DESC) AS place FROM rag_chunk c, q
  WHERE c.organization_id = %(organization)s AND c.tsv @@ q.words AND c.scope_id IN (SELECT scope_id FROM seen)
  ORDER BY ts_rank_cd(c.tsv, q.words) DESC LIMIT 100
), d AS (
  SELECT n.id, row_number() OVER (ORDER BY n.distance) AS place FROM (
    SELECT c.id, c.embedding <=> %(vector)s::halfvec AS distance FROM rag_chunk c
    WHERE c.organization_id = %(organization)s AND c.scope_id IN (SELECT scope_id FROM seen)
    ORDER BY c.embedding <=> %(vector)s::halfvec LIMIT 100) n
)
SELECT id, coalesce(1.0 / (60 + l.place), 0) + coalesce(1.0 / (60 + d.place), 0) AS score
FROM l FULL JOIN d USING (id) ORDER BY score DESC LIMIT 10
"""
_RECALL = "SELECT found, nearest, through_index FROM rag_recall(%s::uuid[], %s, %s, NULL, NULL)"
_SIZES = """
SELECT pg_relation_size('rag_chunk_nearest') + pg_relation_size('rag_chunk_words'), pg_relation_size('rag_chunk_exact'),
  pg_total_relation_size('rag_chunk')
"""


def run(size: str) -> None:
    """Print the figures."""
    with stack() as running, psycopg.connect(running.database_url("chat_platform"), autocommit=True) as open_:
        become_part(running)
        filled = fill(PASSAGES[size])
        with psycopg.connect(running.database_url("chat_owner"), autocommit=True) as owner:
            owner.execute("VACUUM (ANALYZE) rag_chunk, rag_termstat")  # as it would come by itself, later
        measure(size, filled, open_)


def measure(size: str, filled: Filled, open_: psycopg.Connection) -> None:
    """Ask and print; the tutorial's statement runs on `open_`, without walls."""
    from apps.core import tenancy

    source = random.Random(3)
    words = filled.words
    questions = [
        " ".join(source.sample(words[:400], 2) + source.sample(words[400:], 2))
        for _ in range(QUESTIONS[size])
    ]
    figure(bench="search", name="load", value=os.getloadavg()[0], unit="processes")
    with tenancy.use(filled.organization_id):
        _against_the_tutorial(filled, questions, open_, times=8.0 if size == "full" else 3.5)
        for share, reader in filled.readers.items():
            _selectivity(share, filled, reader, questions)
    _sizes(open_, PASSAGES[size])
    figure(bench="search", name="load after", value=os.getloadavg()[0], unit="processes")


@dataclass(frozen=True)
class Filled:
    """An organization with passages.

    Attributes:
        readers: by the share of the passages that they see.
        seen: the audiences of each reader.
        words: the vocabulary, common words first.
    """

    organization_id: UUID
    readers: Mapping[str, UUID]
    seen: Mapping[UUID, tuple[UUID, ...]]
    words: list[str]


def _against_the_tutorial(
    filled: Filled, questions: Sequence[str], open_: psycopg.Connection, *, times: float
) -> None:
    ours, theirs = statements(filled.organization_id, filled.readers["10 %"], open_)
    mine, tutorial = timed_in_turns((ours, theirs), questions)
    figure(bench="search", name="p50", value=percentile(mine, 0.5), unit="ms", goal=60)
    figure(bench="search", name="p95", value=percentile(mine, 0.95), unit="ms", goal=95)
    figure(bench="search", name="tutorial_hybrid_p50", value=percentile(tutorial, 0.5), unit="ms")
    figure(bench="search", name="tutorial_hybrid_p95", value=percentile(tutorial, 0.95), unit="ms")
    ratio = median(tutorial) / median(mine)
    figure(bench="search", name="faster_than_tutorial", value=ratio, unit="x", goal=times, better="higher")


def _selectivity(share: str, filled: Filled, reader: UUID, questions: Sequence[str]) -> None:
    """Print how fast a reader's searches are, rows that are missing or foreign, and how many of the ten nearest the
    path that the statement takes finds.
    """
    from django.db import connection

    from apps.elyza.services import encoder
    from apps.rag.models import Chunk
    from apps.rag.selectors.ranking import Reach, rank
    from apps.rag.services.embedding import vector_text
    from apps.rag.text.query import parse
    from apps.rag.types import Filters

    permitted = set(Chunk.objects.filter(scope_id__in=filled.seen[reader]).values_list("pk", flat=True))
    missing = foreign = 0
    recalls, paths = [], set()
    stages: dict[str, list[float]] = {}
    (times,) = timed_in_turns(
        (
            lambda question: rank(
                reach=Reach((reader,)), query=parse(question), filters=Filters(), limit=LIMIT
            ),
        ),
        questions,
    )
    for question in questions:
        found = rank(reach=Reach((reader,)), query=parse(question), filters=Filters(), limit=LIMIT)
        shown = {one.chunk for one in found.ranked}
        missing += max(0, min(LIMIT, len(permitted)) - len(shown))
        foreign += len(shown - permitted)
        paths.add(str(found.trace.path))
        for stage, one in found.trace.stages:
            stages.setdefault(stage, []).append(one)
        embedding = encoder.embed_query(text=question)
        assert embedding.vector is not None
        with connection.cursor() as cursor:
            cursor.execute(
                _RECALL, [[reader], vector_text(embedding.vector.tolist()), embedding.model_version]
            )
            near, nearest, is_through_index = cursor.fetchone()
        recalls.append(len(set(near) & set(nearest)) / len(nearest) if is_through_index else 1.0)
    name = f"{share} visible ({len(permitted)}, {', '.join(sorted(paths))})"
    figure(bench="search", name=f"{name}: p50", value=percentile(times, 0.5), unit="ms")
    figure(bench="search", name=f"{name}: p95", value=percentile(times, 0.95), unit="ms", goal=50)
    for stage, took in stages.items():
        figure(bench="search", name=f"{name}: {stage}, p50", value=median(took), unit="ms")
    figure(bench="search", name=f"{name}: rows missing", value=missing, unit="rows", goal=0)
    figure(bench="search", name=f"{name}: rows of others", value=foreign, unit="rows", goal=0)
    figure(
        bench="search", name=f"{name}: recall@10", value=mean(recalls), unit="share", goal=0.95, better="higher"
    )  # fmt: skip


def _sizes(open_: psycopg.Connection, count: int) -> None:
    """Print what 100,000 passages take: the indexes of vectors and words; the table with all of its indexes."""
    row = open_.execute(_SIZES).fetchone()
    assert row is not None
    both, beside, whole = (float(size) * 100_000 / count / 1e6 for size in row)
    figure(
        bench="search",
        name="indexes of vectors and words of 100,000 passages",
        value=both,
        unit="MB",
        goal=150,
    )
    figure(bench="search", name="index of vectors by audience, which can be dropped", value=beside, unit="MB")
    figure(bench="search", name="table and all indexes of 100,000", value=whole, unit="MB")


def fill(count: int) -> Filled:
    """Store passages for audiences of very different sizes, with readers of the smallest ones first."""
    from django.db import connection
    from django.utils import timezone

    from apps.accounts.services.members import create_principal
    from apps.accounts.services.organizations import create_organization
    from apps.accounts.services.scopes import add_seats, create_scope
    from apps.core import tenancy
    from apps.rag.services import embedding, storing
    from apps.rag.types import ChunkDraft, SourceType

    source = random.Random(1)
    words = [f"{a}{b}{c}" for a in ("tur", "wel", "kran", "bo", "ge", "sen") for b in ("ba", "do", "fi", "ku", "me") for c in ("l", "n", "r", "s", "t", "m", "x", "k", "p", "d", "g", "f", "z", "w", "b", "ch", "ng", "st", "rt", "lk")]  # fmt: skip
    weights = [1 / (rank + 3) for rank in range(len(words))]
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
        for start in range(0, count, 2000):
            storing.store_chunks(
                [
                    ChunkDraft(
                        organization_id=organization_id, scope_id=audience_of[number * 617 % 1000],
                        source_type=SourceType.DOCUMENT, source_id=uuid4(), start=0, end=len(body), body=body,
                        language="simple", time=timezone.now(),
                    )
                    for number in range(start, min(count, start + 2000))
                    for body in [" ".join(source.choices(words, weights, k=90))]
                ]
            )  # fmt: skip
        embedding.embed_pending(organization_id=organization_id, most=count, check=lambda: None)
        embedding.refresh_terms()
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM rag_chunk WHERE organization_id = %s", [organization_id])
            progress(f"{cursor.fetchone()[0]} passages stored")
    return Filled(organization_id, readers, seen, words)


def statements(
    organization_id: UUID, person_id: UUID, open_: psycopg.Connection
) -> tuple[Callable[[str], Any], Callable[[str], Any]]:
    """Return the two searches, both inside the person's audiences."""
    from apps.elyza.services import encoder
    from apps.rag.selectors.ranking import Reach, rank
    from apps.rag.services.embedding import vector_text
    from apps.rag.text.query import parse
    from apps.rag.types import Filters

    def ours(question: str) -> Any:
        return rank(reach=Reach((person_id,)), query=parse(question), filters=Filters(), limit=LIMIT)

    def theirs(question: str) -> Any:
        vector = encoder.embed_query(text=question).vector
        values = {
            "words": " | ".join(question.split()), "me": person_id, "organization": organization_id,
            "vector": vector_text([] if vector is None else vector.tolist()),
        }  # fmt: skip
        return open_.execute(_TUTORIAL, values).fetchall()

    return ours, theirs


def timed_in_turns(
    searches: Sequence[Callable[[str], Any]], questions: Sequence[str]
) -> tuple[list[float], ...]:
    """Return milliseconds of each question for each search, after a warm-up; in turns, so that both have one machine."""
    for question in questions[:5]:
        for search in searches:
            search(question)
    found: tuple[list[float], ...] = tuple([] for _ in searches)
    for question in questions:
        for search, times in zip(searches, found, strict=True):
            begun = time.perf_counter()
            search(question)
            times.append((time.perf_counter() - begun) * 1000)
    return found
