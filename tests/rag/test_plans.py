"""The hot statement uses its indexes under the runtime role, and the index path finds what sorting everything finds."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest
from django.db import connection, transaction

from apps.accounts.models import Member
from apps.accounts.services.scopes import create_scope
from apps.core import tenancy
from apps.elyza.services import encoder
from apps.elyza.types import QueryEmbedding
from apps.rag.models import Chunk
from apps.rag.selectors import ranking
from apps.rag.selectors.ranking import Reach
from apps.rag.selectors.search import search as find
from apps.rag.services.embedding import refresh_terms, vector_text
from apps.rag.services.recall import check_recall
from apps.rag.services.traces import keep_trace
from apps.rag.text.query import parse
from apps.rag.types import Filters, SearchOrigin
from tests.chat.world import World, make_world
from tests.conftest import owner_connection
from tests.factories.accounts import principal_of

MANY = 5200  # visible rows: above the least number for which the index of vectors is used
_FILL = """
INSERT INTO rag_chunk (organization_id, scope_id, source_type, source_id, is_generated, has_file, media_type,
  ordinal, char_start, char_end, boxes, language, title, heading, body, tsv, embedding, model_version, content_hash,
  content_time)
SELECT %s, x.scope::uuid, 'document', gen_random_uuid(), false, false, '', 0, 0, length(x.body), '[]', 'en', '', '',
  x.body, to_tsvector('english', x.body), x.vector::halfvec(384), 'test-1', '\\x00', now()
FROM unnest(%s::text[], %s::text[], %s::text[]) x (scope, body, vector)
"""


def _vectors(count: int) -> np.ndarray:
    made = np.random.default_rng(3)
    centres = made.standard_normal((40, 384))
    rows = centres[made.integers(0, 40, count)] + 0.9 * made.standard_normal((count, 384))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def _scans(index: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_get_xact_numscans(%s::regclass)", [index])
        return int(cursor.fetchone()[0])


@pytest.fixture
def committed_world(transactional_db: None) -> Iterator[World]:
    """An organization whose rows are committed, so that the owner can analyze the table."""
    made = make_world()
    with tenancy.use(made.organization.pk):
        yield made


@pytest.fixture
def many(committed_world: World, monkeypatch: pytest.MonkeyPatch):
    world = committed_world
    maren = world.person("Maren")
    organization_id = world.organization.pk
    shown = create_scope(organization_id=organization_id, kind="collection", principals=[maren.id])
    hidden = create_scope(organization_id=organization_id, kind="collection")
    chance = random.Random(2)
    vocabulary = [f"word{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(300)]
    vectors = _vectors(MANY + 800)
    rows = [
        (
            str(hidden if number % 8 == 7 else shown),
            " ".join(chance.choices(vocabulary, k=8)),
            vector_text(row),
        )
        for number, row in enumerate(vectors.tolist())
    ]
    with connection.cursor() as cursor:
        for start in range(0, len(rows), 500):
            cursor.execute(_FILL, [organization_id, *map(list, zip(*rows[start : start + 500], strict=True))])
    refresh_terms()
    with owner_connection() as owner:
        owner.execute("ANALYZE rag_chunk")

    def search(words: str, vector: np.ndarray | None) -> list[int]:
        monkeypatch.setattr(
            ranking, "_embedding", lambda _: QueryEmbedding(vector, "test-1" if vector is not None else "")
        )
        found = ranking.rank(reach=Reach((maren.id,)), query=parse(words), filters=Filters())
        return [one.chunk for one in found.ranked]

    return search, shown


def test_both_legs_use_their_index(many) -> None:
    search, shown = many
    visible = set(Chunk.objects.filter(scope_id=shown).values_list("pk", flat=True))
    assert len(visible) > 5000
    with transaction.atomic():
        found = search("wordaa wordab", _vectors(1)[0])
        # The planner looks a word up once or for each language and audience, as its sample of the table falls.
        assert 1 <= _scans("rag_chunk_words") <= 4
        assert _scans("rag_chunk_nearest") == 1
    assert len(found) == 200
    assert set(found) <= visible


def test_words_of_what_is_found_by_meaning_alone_count(many, monkeypatch: pytest.MonkeyPatch) -> None:
    search, _shown = many
    by_words = search("wordaa", None)
    assert len(by_words) > 100
    last = Chunk.objects.get(pk=by_words[-1])
    near = np.array(last.embedding, np.float32)
    monkeypatch.setattr(ranking, "_embedding", lambda _: QueryEmbedding(near, "test-1"))
    maren = principal_of(Member.objects.get(name="Maren"))
    found = ranking.rank(reach=Reach((maren.id,)), query=parse("wordaa"), filters=Filters(), limit=10)
    (hit,) = [one for one in found.ranked if one.chunk == last.pk]
    assert (hit.words_rank, hit.meaning_rank) == (None, 1)
    assert 0 < hit.words < 1


def test_the_words_of_a_long_chunk_stand_in_its_row(many) -> None:
    _search, shown = many
    body = " ".join(f"word{number} of {number * 7919}" for number in range(90))
    vector = vector_text(_vectors(1)[0].tolist())
    with connection.cursor() as cursor:
        cursor.execute(_FILL, [tenancy.current(), [str(shown)], [body], [vector]])
        cursor.execute(
            "SELECT pg_column_toast_chunk_id(tsv) IS NULL, pg_column_toast_chunk_id(body) IS NULL "
            "FROM rag_chunk WHERE body = %s",
            [body],
        )
        assert cursor.fetchall() == [(True, False)]


def test_the_index_of_vectors_finds_the_nearest_visible_rows(many) -> None:
    search, shown = many
    rows = Chunk.objects.filter(scope_id=shown).values_list("pk", "embedding")
    ids = np.array([pk for pk, _ in rows])
    stored = np.array([vector for _, vector in rows], np.float32)
    recalls = []
    for query in _vectors(MANY)[5:4000:200]:
        exact = ids[np.argsort(-(stored @ query))[:10]]
        recalls.append(len(set(search("unwritten", query)[:10]) & set(exact.tolist())) / 10)
    assert len(recalls) == 20
    assert np.mean(recalls) >= 0.95


def test_searches_through_the_index_are_traced_and_checked_as_such(
    many, committed_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    search, _shown = many
    query = _vectors(MANY)[77]
    assert search("wordaa", query)
    monkeypatch.setattr(ranking, "_embedding", lambda _: QueryEmbedding(query, "test-1"))
    monkeypatch.setattr(encoder, "embed_query", lambda **_: QueryEmbedding(query, "test-1"))
    maren = principal_of(Member.objects.get(name="Maren"))
    result = find(principal=maren, query="wordaa")
    assert (result.trace.path, result.trace.near, result.trace.is_more) == ("index", 100, True)
    keep_trace(principal=maren, origin=SearchOrigin.PAGE, query="wordaa", result=result)
    with transaction.atomic():
        before = _scans("rag_chunk_nearest")
        done = check_recall(organization_id=committed_world.organization.pk)
        assert _scans("rag_chunk_nearest") == before + 1
    assert (done.queries, done.through_index) == (1, 1)
    assert done.recall is not None
    assert done.recall >= 0.9
