"""The product's search statement against the usual tutorial hybrid (OR ts_rank_cd and vectors, reciprocal ranks), in one run.

Passages are made from a fixed vocabulary; vectors are the model-free ones, so that the encoder is not what is measured.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from statistics import median
from typing import Any
from uuid import UUID, uuid4

import psycopg

from tests.benchmarks.figures import figure, percentile, progress
from tests.benchmarks.stack import become_part, stack

PASSAGES = {"quick": 10_000, "standard": 40_000, "full": 100_000}
QUESTIONS = {"quick": 40, "standard": 80, "full": 120}
CONVERSATIONS, VISIBLE = 20, 2  # 10 %
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


def run(size: str) -> None:
    """Print the figures."""
    with stack() as running, psycopg.connect(running.database_url("chat_platform"), autocommit=True) as open_:
        become_part(running)
        measure(size, open_)


def measure(size: str, open_: psycopg.Connection) -> None:
    """Fill an organization of its own, ask, print; the tutorial's statement runs on `open_`, without walls."""
    from apps.core import tenancy

    organization_id, person_id, words = fill(PASSAGES[size])
    source = random.Random(3)
    questions = [
        " ".join(source.sample(words[:400], 2) + source.sample(words[400:], 2))
        for _ in range(QUESTIONS[size])
    ]
    with tenancy.use(organization_id):
        ours, theirs = statements(organization_id, person_id, open_)
        mine, tutorial = timed(ours, questions), timed(theirs, questions)
    figure(bench="search", name="p50", value=percentile(mine, 0.5), unit="ms", goal=60)
    figure(bench="search", name="p95", value=percentile(mine, 0.95), unit="ms", goal=95)
    figure(bench="search", name="tutorial_hybrid_p50", value=percentile(tutorial, 0.5), unit="ms")
    figure(bench="search", name="tutorial_hybrid_p95", value=percentile(tutorial, 0.95), unit="ms")
    ratio = median(tutorial) / median(mine)
    figure(bench="search", name="faster_than_tutorial", value=ratio, unit="x", goal=3.5, better="higher")


def fill(count: int) -> tuple[UUID, UUID, list[str]]:
    """Store passages in 20 audiences of which the person sees two; return organization, person and vocabulary."""
    from django.db import connection
    from django.utils import timezone

    from apps.accounts.services.members import create_principal
    from apps.accounts.services.organizations import create_organization
    from apps.accounts.services.scopes import create_scope
    from apps.core import tenancy
    from apps.rag.services import embedding, storing
    from apps.rag.types import ChunkDraft, SourceType

    source = random.Random(1)
    words = [f"{a}{b}{c}" for a in ("tur", "wel", "kran", "bo", "ge", "sen") for b in ("ba", "do", "fi", "ku", "me") for c in ("l", "n", "r", "s", "t", "m", "x", "k", "p", "d", "g", "f", "z", "w", "b", "ch", "ng", "st", "rt", "lk")]  # fmt: skip
    weights = [1 / (rank + 3) for rank in range(len(words))]
    organization_id = create_organization(slug=f"bench-{uuid4().hex[:8]}", name="Bench")
    with tenancy.use(organization_id):
        person_id = create_principal(organization_id=organization_id, kind="service", name="Bench")
        scopes = [
            create_scope(
                organization_id=organization_id,
                kind="collection",
                principals=[person_id] if number < VISIBLE else [],
            )
            for number in range(CONVERSATIONS)
        ]
        for start in range(0, count, 2000):
            storing.store_chunks(
                [
                    ChunkDraft(
                        organization_id=organization_id, scope_id=scopes[number % CONVERSATIONS],
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
    return organization_id, person_id, words


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
        return rank(reach=Reach((person_id,)), query=parse(question), filters=Filters(), limit=10)

    def theirs(question: str) -> Any:
        vector = encoder.embed_query(text=question).vector
        values = {
            "words": " | ".join(question.split()), "me": person_id, "organization": organization_id,
            "vector": vector_text([] if vector is None else vector.tolist()),
        }  # fmt: skip
        return open_.execute(_TUTORIAL, values).fetchall()

    return ours, theirs


def timed(search: Callable[[str], Any], questions: list[str]) -> list[float]:
    """Return milliseconds of each question, after a warm-up."""
    for question in questions[:5]:
        search(question)
    found = []
    for question in questions:
        begun = time.perf_counter()
        search(question)
        found.append((time.perf_counter() - begun) * 1000)
    return found
