"""The product's search statement against the usual tutorial hybrid (OR ts_rank_cd and vectors, reciprocal ranks), in one run.

Passages are made from a fixed vocabulary; vectors are the model-free ones, so that the encoder is not what is measured.
Readers see from half of the passages to a thousandth of them: how fast, how many hits, how near to the exact answer.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import mean, median
from typing import Any
from uuid import UUID

import psycopg

from tests.benchmarks import straight
from tests.benchmarks.figures import figure, percentile
from tests.benchmarks.nearest import RECALL, beside_flat
from tests.benchmarks.passages import Filled, fill, make_readers
from tests.benchmarks.stack import Stack, become_part, stack

PASSAGES = {"quick": 10_000, "standard": 40_000}
STRAIGHT = {"full": 1_000_000}  # too many for the product's own way of storing
QUESTIONS = {"quick": 40, "standard": 80, "full": 120}
LIMIT = 10
_LARGE = 100_000
_ALL = "100 %"
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
_SIZES = """
SELECT pg_relation_size('rag_chunk_nearest') + pg_relation_size('rag_chunk_words'), pg_relation_size('rag_chunk_exact'),
  pg_total_relation_size('rag_chunk')
"""


def run(size: str, *, most: int | None, theirs: Path | None) -> None:
    """Print the figures.

    Args:
        most: so many passages, and nothing else: a tenth of them first, written straight into the table. None leaves it
            to the size.
        theirs: Python of the environment with faiss, None where there is none.
    """
    straight_to = most or STRAIGHT.get(size)
    with stack(CHATSYSTEM_STATEMENT_TIMEOUT_SECONDS="600") as running, ExitStack() as left:
        become_part(running)
        open_, owner = (
            left.enter_context(psycopg.connect(running.database_url(role), autocommit=True))
            for role in ("chat_platform", "chat_owner")
        )
        if straight_to is None:
            filled = fill(PASSAGES[size])
            owner.execute("VACUUM (ANALYZE) rag_chunk, rag_termstat")  # as it would come by itself, later
            measure(size, filled, open_, theirs, count=PASSAGES[size])
        else:
            _straight(size, straight_to, running, open_, owner, theirs)


def _straight(
    size: str,
    most: int,
    running: Stack,
    open_: psycopg.Connection,
    owner: psycopg.Connection,
    theirs: Path | None,
) -> None:
    """Measure among a tenth of the passages, then among all of them."""
    if not straight.has_room(running.directory, most):
        return
    filled, stored, p95 = make_readers(), 0, []
    for count in (most // 10, most):
        straight.add(owner, filled, already=stored, count=count)
        p95.append(measure(size, filled, open_, theirs, count=count))
        stored = count
    figure(bench="search", name=f"p95 of {most} passages against {most // 10}", value=p95[1] / p95[0], unit="x", goal=3)  # fmt: skip


def measure(
    size: str, filled: Filled, open_: psycopg.Connection, theirs: Path | None, *, count: int
) -> float:
    """Ask and print; return p95 of somebody who sees a tenth. The tutorial's statement runs on `open_`, without walls."""
    from apps.core import tenancy

    questions = filled.questions(QUESTIONS[size])
    figure(bench="search", name=f"{count} passages: load", value=os.getloadavg()[0], unit="processes")
    with tenancy.use(filled.organization_id):
        p95 = _against_the_tutorial(filled, questions, open_, count=count)
        for share, reader in filled.readers.items():
            if share != _ALL:
                _selectivity(share, filled, reader, questions)
        if theirs is not None:
            beside_flat(open_, filled, questions, theirs, count=count)
    _sizes(open_, count)
    figure(bench="search", name=f"{count} passages: load after", value=os.getloadavg()[0], unit="processes")
    return p95


def _against_the_tutorial(
    filled: Filled, questions: Sequence[str], open_: psycopg.Connection, *, count: int
) -> float:
    times = 8.0 if count >= _LARGE else 3.5
    ours, theirs = statements(filled.organization_id, filled.readers["10 %"], open_)
    mine, tutorial = timed_in_turns((ours, theirs), questions)
    name, goals = f"{count} passages, 10 % visible", (60, 95) if count <= _LARGE else (None, None)
    for share, goal in zip((0.5, 0.95), goals, strict=True):
        quantile = f"p{share * 100:.0f}"
        figure(bench="search", name=f"{name}: {quantile}", value=percentile(mine, share), unit="ms", goal=goal)  # fmt: skip
        figure(bench="search", name=f"{name}: tutorial's hybrid, {quantile}", value=percentile(tutorial, share), unit="ms")  # fmt: skip
    ratio = median(tutorial) / median(mine)
    figure(bench="search", name=f"{name}: faster than the tutorial", value=ratio, unit="x", goal=times, better="higher")  # fmt: skip
    return percentile(mine, 0.95)


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
                RECALL, [[reader], vector_text(embedding.vector.tolist()), embedding.model_version]
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
