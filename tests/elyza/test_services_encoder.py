"""What callers of the encoder get: a vector in time, or the reason why not."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from apps.elyza.errors import EncoderUnavailable
from apps.elyza.protocol import Frame
from apps.elyza.services import encoder
from apps.elyza.services.query_cache import LIFE_SECONDS, QueryCache
from apps.elyza.services.tokens import best_matches
from apps.elyza.types import Missing, Span, SplitPassage
from tests.elyza.conftest import ModelProcess, needs_model

GOLDEN = json.loads(Path(__file__).with_name("golden.json").read_text(encoding="utf-8"))
UseModel = Callable[..., None]


@contextmanager
def listener(directory: Path, answers: list[bytes | None]) -> Iterator[tuple[str, list[bytes]]]:
    """A socket that takes one connection per answer; None keeps silent until the caller hangs up."""
    received: list[bytes] = []

    def serve(server: socket.socket) -> None:
        for answer in answers:
            taken, _ = server.accept()
            with taken:
                received.append(taken.recv(1 << 20))
                if answer is None:
                    taken.recv(1)
                else:
                    taken.sendall(answer)

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(directory / "model.sock"))
        server.listen()
        thread = threading.Thread(target=serve, args=(server,), daemon=True)
        thread.start()
        yield f"unix://{directory}/model.sock", received
        thread.join(5)


def vectors(rows: int, version: str = "v1") -> bytes:
    payload = np.full((rows, 384), 384**-0.5, "<f4").tobytes()
    return Frame({"ok": True, "model_version": version, "rows": rows, "columns": 384}, payload).encode()


def joined(sentences: list[str]) -> SplitPassage:
    starts = [sum(len(earlier) + 1 for earlier in sentences[:index]) for index in range(len(sentences))]
    spans = (Span(start, start + len(text)) for start, text in zip(starts, sentences, strict=True))
    return SplitPassage(" ".join(sentences), tuple(spans))


@needs_model
def test_a_query_gets_the_models_vector(model_process: ModelProcess, use_model: UseModel) -> None:
    use_model(model_process.url)
    assert encoder.warm().state == "ready"
    found = encoder.embed_query(text=GOLDEN[2]["text"], timeout_seconds=5)
    assert found.vector is not None
    assert found.model_version == "minilm-l6-v2-53aa5117"
    assert float(found.vector @ np.array(GOLDEN[2]["vector"])) >= 0.9999


@needs_model
def test_bulk_keeps_the_order_over_several_requests(
    model_process: ModelProcess, use_model: UseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_model(model_process.url)
    monkeypatch.setattr(encoder, "BULK_TEXTS", 4)
    made = encoder.embed_bulk(texts=[row["text"] for row in GOLDEN])
    cosine = (made.vectors * np.array([row["vector"] for row in GOLDEN])).sum(axis=1)
    assert cosine.min() >= 0.9999
    assert made.model_version == "minilm-l6-v2-53aa5117"


@pytest.fixture
def tokens_unwanted(settings: object) -> None:
    configuration = settings.CONFIGURATION  # type: ignore[attr-defined]
    group = configuration.model.model_copy(update={"token_vectors": False})
    settings.CONFIGURATION = replace(configuration, model=group)  # type: ignore[attr-defined]


@needs_model
def test_token_vectors_tell_the_passage_that_answers(
    model_process: ModelProcess, use_model: UseModel
) -> None:
    use_model(model_process.url)
    encoder.warm()
    texts = [
        "The cafeteria opens at eight.", "Guest passwords are reset at the service desk.", "Parking is free."
    ]  # fmt: skip
    made = encoder.embed_bulk(texts=[*texts, ""], tokens=True)
    assert made.tokens is not None
    assert [len(bits) // 48 for bits in made.tokens] == [2, 3, 1, 0]
    asked = encoder.embed_query(text="Where do I reset a guest password?", timeout_seconds=5)
    assert asked.tokens is not None
    assert asked.tokens.shape == (8, 384)
    assert best_matches(asked.tokens.astype(np.float32), made.tokens[:3]).argmax() == 1


@needs_model
def test_sentences_are_scored_in_their_passage(model_process: ModelProcess, use_model: UseModel) -> None:
    use_model(model_process.url)
    encoder.warm()
    passage = joined(
        ["The cafeteria opens at eight.", "Guest passwords are reset at the desk.", "Parking is free."]
    )
    scores = encoder.score_sentences(
        question="Where do I reset a guest password?",
        terms=[Span(11, 16), Span(19, 24), Span(25, 33)],
        passages=[passage, passage],
        timeout_seconds=10,
    )
    assert scores is not None
    assert scores.best_match.shape == (6, 3)
    assert scores.cosine.argmax() % 3 == 1
    assert (scores.best_match.argmax(axis=0) % 3).tolist() == [1, 1, 1]
    assert scores.cosine[:3] == pytest.approx(scores.cosine[3:], abs=1e-5)


@needs_model
def test_a_passage_beyond_the_window_is_read_to_its_end(
    model_process: ModelProcess, use_model: UseModel
) -> None:
    use_model(model_process.url)
    encoder.warm()
    filler = "The printer on the third floor was repaired by the technician in the early morning."
    passage = joined([filler] * 60 + ["Guest passwords are reset at the service desk."])
    scores = encoder.score_sentences(
        question="Where do I reset a guest password?", terms=[], passages=[passage], timeout_seconds=20
    )
    assert scores is not None
    assert int(scores.cosine.argmax()) == 60


def test_a_late_answer_is_no_answer(short_directory: Path, use_model: UseModel) -> None:
    with listener(short_directory, [None]) as (url, _):
        use_model(url)
        found = encoder.embed_query(text="slow", timeout_seconds=0.05)
    assert (found.vector, found.missing) == (None, Missing.LATE)


async def test_a_late_answer_is_no_answer_for_async_callers(
    short_directory: Path, use_model: UseModel
) -> None:
    with listener(short_directory, [None]) as (url, _):
        use_model(url)
        found = await encoder.aembed_query(text="slow", timeout_seconds=0.05)
        await asyncio.to_thread(lambda: None)
    assert (found.vector, found.missing) == (None, Missing.LATE)


@pytest.mark.parametrize("url", ["", "unix:///nonexistent/model.sock", "http://127.0.0.1:9"])
async def test_no_model_process_is_a_reason_not_an_error(use_model: UseModel, url: str) -> None:
    use_model(url)
    assert encoder.embed_query(text="a").missing is Missing.UNREACHABLE
    assert (await encoder.aembed_query(text="a")).missing is Missing.UNREACHABLE
    assert (
        encoder.score_sentences(question="a", terms=[], passages=[SplitPassage("a", (Span(0, 1),))]) is None
    )
    assert encoder.find_health().state == "absent"
    with pytest.raises(EncoderUnavailable):
        encoder.embed_bulk(texts=["a"])


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Frame({"ok": False, "code": "loading", "detail": ""}).encode(), Missing.LOADING),
        (Frame({"ok": False, "code": "not_installed", "detail": ""}).encode(), Missing.NOT_INSTALLED),
        (Frame({"ok": False, "code": "bad_request", "detail": ""}).encode(), Missing.FAILED),
        (Frame({"ok": True, "rows": 1, "columns": 384}, b"short").encode(), Missing.FAILED),
        (Frame({"ok": True}, b"").encode(), Missing.FAILED),
        (vectors(2), Missing.FAILED),
        (b"\xff" * 64, Missing.FAILED),
        (b"", Missing.UNREACHABLE),
        (vectors(1)[:100], Missing.UNREACHABLE),
    ],
)
async def test_a_broken_answer_is_a_reason_not_an_error(
    short_directory: Path, use_model: UseModel, answer: bytes, reason: Missing
) -> None:
    with listener(short_directory, [answer, answer]) as (url, _):
        use_model(url)
        assert encoder.embed_query(text="a", timeout_seconds=2).missing is reason
        assert (await encoder.aembed_query(text="a", timeout_seconds=2)).missing is reason


@pytest.mark.parametrize(
    ("counts", "payload"),
    [
        ([2], b"\0" * 48),
        ([-1], b""),
        (["1"], b"\0" * 48),
        ([1, 1], b"\0" * 96),
        (1, b"\0" * 48),
        ([10**9], b"\0" * 48),
        ([], b"\0"),
    ],
)
def test_tokens_that_do_not_fit_their_counts_are_no_answer(
    short_directory: Path, use_model: UseModel, counts: object, payload: bytes
) -> None:
    header = {"ok": True, "model_version": "v1", "rows": 1, "columns": 384, "tokens": counts}
    answer = Frame(header, np.zeros(384, "<f4").tobytes() + payload).encode()
    with listener(short_directory, [answer]) as (url, _):
        use_model(url)
        with pytest.raises(EncoderUnavailable):
            encoder.embed_bulk(texts=["a"], tokens=True, timeout_seconds=2)


def test_a_model_process_without_tokens_still_gives_vectors(
    short_directory: Path, use_model: UseModel
) -> None:
    with listener(short_directory, [vectors(1), vectors(1)]) as (url, received):
        use_model(url)
        found = encoder.embed_query(text="a", timeout_seconds=2)
        made = encoder.embed_bulk(texts=["a"], tokens=True, timeout_seconds=2)
    assert (found.tokens, made.tokens) == (None, None)
    assert found.vector is not None
    assert all(b'"tokens": true' in header for header in received)


@pytest.mark.usefixtures("tokens_unwanted")
def test_no_tokens_are_asked_for_where_the_operator_wants_none(
    short_directory: Path, use_model: UseModel
) -> None:
    with listener(short_directory, [vectors(1), vectors(1)]) as (url, received):
        use_model(url)
        encoder.embed_query(text="a", timeout_seconds=2)
        encoder.embed_bulk(texts=["a"], tokens=True, timeout_seconds=2)
    assert all(b'"tokens": false' in header for header in received)


def test_a_repeated_query_is_not_asked_again(short_directory: Path, use_model: UseModel) -> None:
    with listener(short_directory, [vectors(1)]) as (url, received):
        use_model(url)
        first = encoder.embed_query(text="again", timeout_seconds=2)
        assert encoder.embed_query(text="again") is first
    assert len(received) == 1


def test_a_kept_vector_grows_old(
    short_directory: Path, use_model: UseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(encoder, "_cache", QueryCache(clock=lambda: now[0]))
    with listener(short_directory, [vectors(1), vectors(1, "v2")]) as (url, _):
        use_model(url)
        assert encoder.embed_query(text="again", timeout_seconds=2).model_version == "v1"
        now[0] = LIFE_SECONDS + 1
        assert encoder.embed_query(text="again", timeout_seconds=2).model_version == "v2"


def test_vectors_of_two_models_are_never_mixed(short_directory: Path, use_model: UseModel) -> None:
    with listener(short_directory, [vectors(64), vectors(1, "v2")]) as (url, _):
        use_model(url)
        with pytest.raises(EncoderUnavailable):
            encoder.embed_bulk(texts=["a"] * 65, timeout_seconds=2)


def test_half_a_surrogate_pair_is_sent_as_a_question_mark(short_directory: Path, use_model: UseModel) -> None:
    with listener(short_directory, [vectors(1)]) as (url, received):
        use_model(url)
        assert encoder.embed_query(text="a\ud800b", timeout_seconds=2).vector is not None
    assert b'"a?b"' in received[0]


def test_without_a_model_words_are_hashed_in_this_process(use_model: UseModel) -> None:
    use_model("", embedding="hashed")
    query = encoder.embed_query(text="Reisekosten")
    made = encoder.embed_bulk(texts=["Reisekosten", "Server"])
    assert query.vector is not None
    assert query.model_version == made.model_version == "hashed-ngram-v1"
    assert query.vector @ made.vectors[0] == pytest.approx(1, abs=1e-5)
    assert (query.tokens, encoder.embed_bulk(texts=["a"], tokens=True).tokens) == (None, None)
    assert (
        encoder.score_sentences(question="a", terms=[], passages=[SplitPassage("a", (Span(0, 1),))]) is None
    )
    assert encoder.find_health().state == "ready"


def test_auto_means_hashed_words_where_no_model_process_is_configured(use_model: UseModel) -> None:
    use_model("", embedding="auto")
    assert encoder.provider() == "hashed"


@needs_model
def test_auto_means_the_model_where_one_is_installed_and_configured(use_model: UseModel) -> None:
    use_model("unix:///run/model.sock", embedding="auto")
    assert encoder.provider() == "minilm"


def test_no_texts_cost_nothing(use_model: UseModel) -> None:
    use_model("")
    assert encoder.embed_bulk(texts=[]).vectors.shape == (0, 384)
