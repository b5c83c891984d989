"""Token vectors: written with the vector, gone with the chunk, made for older chunks, and what they do to an order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
from django.db import connection

from apps.accounts.services.scopes import create_scope
from apps.core import tenancy
from apps.elyza.services import encoder
from apps.elyza.types import TOKEN_BYTES, Embeddings, ModelHealth, QueryEmbedding
from apps.rag.models import Chunk, ChunkTokens, IndexStat
from apps.rag.selectors import ranking
from apps.rag.selectors.ranking import Reach
from apps.rag.services import embedding, scheduling, storing
from apps.rag.text.query import parse
from apps.rag.types import Filters
from tests.factories.accounts import OrganizationFactory
from tests.factories.runs import work_off
from tests.rag.library import add_document, ask, texts
from tests.walls import everywhere

VERSION = "scripted-1"


def _signs(number: int) -> np.ndarray:
    """Return a vector whose bits are its own: one of each number."""
    return np.where(np.random.default_rng(number).random(384) < 0.5, -1, 1).astype(np.float32) / 384**0.5


def _bits(*numbers: int) -> bytes:
    return b"".join(np.packbits(_signs(number) > 0).tobytes() for number in numbers)


@dataclass
class Scripted:
    """Stands where the model process would: a token's vector for each number in a text."""

    version: str = VERSION
    has_tokens: bool = True
    read: list[str] = field(default_factory=list)

    def embed_bulk(self, *, texts: list[str], tokens: bool = False) -> Embeddings:
        self.read += texts
        rows = np.tile(_signs(0), (len(texts), 1))
        bits = [_bits(*(int(word) for word in text.split() if word.isdigit())) for text in texts]
        return Embeddings(rows, self.version, bits if tokens and self.has_tokens else None)

    def query(self, *numbers: int) -> QueryEmbedding:
        states = np.stack([_signs(number) for number in numbers]).astype(np.float16) if numbers else None
        return QueryEmbedding(_signs(0), self.version, tokens=states)


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    made = Scripted()
    monkeypatch.setattr(encoder, "embed_bulk", made.embed_bulk)
    monkeypatch.setattr(encoder, "gives_tokens", lambda: made.has_tokens)
    monkeypatch.setattr(encoder, "find_health", lambda: ModelHealth("ready", model_version=made.version))
    return made


@pytest.fixture
def shelf(world, model: Scripted):
    """Maren, who sees documents of one chunk each, and a function that adds one."""
    maren = world.person("Maren")
    organization_id = world.organization.pk
    scope_id = create_scope(organization_id=organization_id, kind="collection", principals=[maren.id])

    def add(*bodies: str) -> None:
        for body in bodies:
            add_document(organization_id=organization_id, scope_id=scope_id, title="", pages=[body])

    return maren, add


def _embed() -> int:
    embedding.refresh_terms()
    return embedding.embed_pending(organization_id=tenancy.current(), most=1000, check=lambda: None)


def _complete(version: str = VERSION, most: int = 1000) -> int:
    return embedding.complete_tokens(
        organization_id=tenancy.current(), model_version=version, most=most, check=lambda: None
    )


def start_due_runs(*, model_version: str = "") -> int:
    """As the relay does: it sees every organization."""
    with everywhere():
        return scheduling.start_due_runs(model_version=model_version)


def _asks(monkeypatch: pytest.MonkeyPatch, found: QueryEmbedding) -> None:
    monkeypatch.setattr(ranking, "_embedding", lambda _: found)


def test_tokens_are_written_with_the_vector(shelf) -> None:
    _, add = shelf
    add("crane 1 2 3", "no number")
    assert _embed() == 2
    stored = dict(ChunkTokens.objects.values_list("chunk__body", "bits"))
    assert {body: bytes(bits) for body, bits in stored.items()} == {
        "crane 1 2 3": _bits(1, 2, 3),
        "no number": b"",
    }
    assert len(stored["crane 1 2 3"]) == 3 * TOKEN_BYTES


def test_tokens_go_with_their_chunk(shelf) -> None:
    _, add = shelf
    add("crane 1", "crane 2")
    _embed()
    gone = Chunk.objects.get(body="crane 1")
    storing.remove_document(organization_id=tenancy.current(), document_id=gone.source_id)
    assert list(ChunkTokens.objects.values_list("chunk__body", flat=True)) == ["crane 2"]


def test_a_chunk_that_went_meanwhile_gets_no_tokens(
    shelf, model: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, add = shelf
    add("crane 1")

    def slow(**given: object) -> Embeddings:
        Chunk.objects.all().delete()
        return model.embed_bulk(**given)  # type: ignore[arg-type]

    monkeypatch.setattr(encoder, "embed_bulk", slow)
    _embed()
    assert not ChunkTokens.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_another_organization_sees_no_tokens(shelf) -> None:
    _, add = shelf
    add("crane 1")
    _embed()
    with tenancy.use(OrganizationFactory().pk):
        assert not ChunkTokens.objects.exists()
    with everywhere():
        assert ChunkTokens.objects.count() == 1


def test_chunks_that_are_older_than_token_vectors_are_completed(shelf, model: Scripted) -> None:
    _, add = shelf
    add("crane 1", "crane 2", "crane 3")
    model.has_tokens = False
    _embed()
    assert not ChunkTokens.objects.exists()
    before = list(Chunk.objects.order_by("pk").values_list("embedding", "model_version"))
    model.has_tokens = True
    assert start_due_runs() == 0
    assert start_due_runs(model_version=VERSION) == 1
    work_off()
    assert {bytes(bits) for bits in ChunkTokens.objects.values_list("bits", flat=True)} == {
        _bits(1), _bits(2), _bits(3)
    }  # fmt: skip
    assert list(Chunk.objects.order_by("pk").values_list("embedding", "model_version")) == before
    assert IndexStat.objects.get().tokens_version == VERSION
    assert start_due_runs(model_version=VERSION) == 0


def test_they_are_completed_in_parts_and_each_is_read_once(
    shelf, model: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, add = shelf
    add(*(f"crane {number}" for number in range(1, 8)))
    model.has_tokens = False
    _embed()
    model.has_tokens, model.read = True, []
    monkeypatch.setattr(embedding, "BATCH", 2)
    assert [_complete(most=3) for _ in range(4)] == [3, 3, 1, 0]
    assert sorted(model.read) == [f"crane {number}" for number in range(1, 8)]
    assert IndexStat.objects.get().tokens_version == VERSION


def test_chunks_made_without_tokens_are_looked_for_again(shelf, model: Scripted) -> None:
    _, add = shelf
    add("crane 1")
    _embed()
    assert (_complete(), IndexStat.objects.get().tokens_version) == (0, VERSION)
    add("crane 2")
    model.has_tokens = False  # the operator turned them off, and on again
    _embed()
    assert IndexStat.objects.get().tokens_version == ""
    model.has_tokens = True
    assert _complete() == 1
    assert ChunkTokens.objects.count() == 2


def test_tokens_of_a_model_that_was_replaced_are_dropped(shelf, model: Scripted) -> None:
    _, add = shelf
    add("crane 1")
    _embed()
    model.version = "scripted-2"
    assert _complete("scripted-2") == 0  # its vector is not of this model: the next test of versions takes it
    embedding.forget_other_versions(organization_id=tenancy.current(), model_version="scripted-2")
    assert not ChunkTokens.objects.exists()
    _embed()
    assert ChunkTokens.objects.count() == 1


def test_the_passage_with_the_nearest_tokens_comes_first(
    shelf, model: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    maren, add = shelf
    add("crane 5", "crane 6", "crane 7 8")
    _embed()
    plain = _order(maren, monkeypatch, model.query())
    for nearest in ("crane 5", "crane 6"):
        number = int(nearest.split()[1])
        assert _order(maren, monkeypatch, model.query(number))[0] == nearest
    assert _order(maren, monkeypatch, model.query(7, 8))[0] == "crane 7 8"
    assert _order(maren, monkeypatch, model.query()) == plain


def test_a_german_question_keeps_the_order_of_words_and_meaning(
    shelf, model: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    maren, add = shelf
    add("Kran 5", "Kran 6")
    _embed()
    for number in (5, 6):
        _asks(monkeypatch, model.query(number))
        assert texts(ask(maren, "Wo ist der Kran und warum nicht hier?")) == ["Kran 6", "Kran 5"]


def test_a_passage_without_tokens_keeps_its_place(
    shelf, model: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    maren, add = shelf
    add("crane 5", "crane 6", "crane 7", "crane 8")
    _embed()
    plain = _order(maren, monkeypatch, model.query())
    ChunkTokens.objects.filter(chunk__body__in=[plain[0], plain[2]]).delete()
    last = int(plain[3].split()[1])
    assert _order(maren, monkeypatch, model.query(last)) == [plain[0], plain[3], plain[2], plain[1]]
    ChunkTokens.objects.filter(chunk__body=plain[1]).delete()
    assert _order(maren, monkeypatch, model.query(last)) == plain


def test_scores_fall_down_the_list(shelf, model: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    maren, add = shelf
    add(*(f"crane number {number}" for number in range(60)))
    _embed()
    _asks(monkeypatch, model.query(3, 9))
    ranked = ranking.rank(
        reach=Reach((maren.id,)),
        query=parse("crane"),
        filters=Filters(),
    ).ranked
    assert len(ranked) == 60
    scores = [one.score for one in ranked]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


def test_bits_are_read_in_one_statement(
    shelf, model: Scripted, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Callable
) -> None:
    maren, add = shelf
    add(*(f"crane {number}" for number in range(20)))
    _embed()
    _asks(monkeypatch, model.query(3))
    query = parse("crane")
    with django_assert_num_queries(2):  # the ranking, the bits
        ranking.rank(reach=Reach((maren.id,)), query=query, filters=Filters())


def _order(maren, monkeypatch: pytest.MonkeyPatch, found: QueryEmbedding) -> list[str]:
    _asks(monkeypatch, found)
    return texts(ask(maren, "crane"))
