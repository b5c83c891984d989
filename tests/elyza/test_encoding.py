"""Vectors: the exported graph against the reference implementation, batching, and the model-free vectors."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from apps.elyza.encoding import package
from apps.elyza.encoding.batching import token_batches
from apps.elyza.encoding.hashed import hash_texts
from apps.elyza.encoding.tokens import pooled_bits
from apps.elyza.services.tokens import best_matches
from tests.elyza.conftest import PROJECT, needs_model

GOLDEN = json.loads(Path(__file__).with_name("golden.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory):
    from apps.elyza.encoding.runtime import Encoder

    return Encoder.load(package.find_package(), tmp_path_factory.mktemp("models"))


@needs_model
@pytest.mark.parametrize("row", GOLDEN, ids=lambda row: row["text"][:24])
def test_the_graph_gives_the_reference_vectors(encoder, row) -> None:
    """golden.json holds what transformers 5.23 and torch 2.13 give for the same weights (make_golden.py)."""
    ids = encoder.tokenize([row["text"]])
    vector = encoder.embed(ids)[0]
    assert len(ids[0]) == row["tokens"]
    assert float(vector @ np.array(row["vector"])) >= 0.9999
    assert float(np.linalg.norm(vector)) == pytest.approx(1, abs=1e-5)


@needs_model
def test_a_batch_gives_the_same_vectors_as_single_texts(encoder) -> None:
    rows = encoder.tokenize([row["text"] for row in GOLDEN])
    together = encoder.embed(rows)
    alone = np.concatenate([encoder.embed([row]) for row in rows])
    assert np.abs(together - alone).max() < 1e-5


@needs_model
def test_token_vectors_are_those_of_the_text_alone(encoder) -> None:
    rows = encoder.tokenize([row["text"] for row in GOLDEN])
    vectors, tokens = encoder.embed_tokens(rows)
    assert np.array_equal(vectors, encoder.embed(rows))
    assert [len(part) for part in tokens] == [len(row) - 2 for row in rows]
    assert np.abs(np.linalg.norm(np.concatenate(tokens), axis=1) - 1).max() < 1e-5
    alone = encoder.embed_tokens(rows[2:3])[1][0]
    assert np.abs(tokens[2] - alone).max() < 1e-4


@needs_model
def test_the_version_names_the_weights(encoder) -> None:
    assert encoder.version == "minilm-l6-v2-53aa5117"


@needs_model
def test_an_empty_text_has_a_vector(encoder) -> None:
    assert np.isfinite(encoder.embed(encoder.tokenize([""]))).all()


@needs_model
def test_a_damaged_graph_is_written_anew(tmp_path: Path) -> None:
    from apps.elyza.encoding.runtime import Encoder

    found = package.find_package()
    graph = tmp_path / found.graph_name
    graph.write_bytes(b"half a file")
    loaded = Encoder.load(found, tmp_path)
    assert loaded.embed(loaded.tokenize(["a"])).shape == (1, 384)
    assert [entry.name for entry in tmp_path.iterdir()] == [found.graph_name]


@needs_model
def test_a_failed_export_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    broken = package.ModelPackage(tmp_path / "nothing", "0" * 64)
    with pytest.raises(package.ExportFailed, match=r"config\.json"):
        package.exported_graph(broken, tmp_path / "models")
    assert list(tmp_path.glob("models/*")) == []


def test_four_tokens_make_one_row_of_bits() -> None:
    signs = np.where(np.random.default_rng(5).random((2, 384)) < 0.5, -1, 1).astype(np.float32)
    tokens = np.concatenate([np.repeat(signs[:1], 4, axis=0), signs[1:]]) / 384**0.5
    bits = pooled_bits(tokens)
    assert bits == np.packbits(signs > 0, axis=1).tobytes()
    assert len(bits) == 2 * 48
    assert pooled_bits(tokens[:0]) == b""


def test_the_nearest_row_of_each_token_counts() -> None:
    made = np.random.default_rng(7)
    tokens = made.standard_normal((3, 384)).astype(np.float32)
    tokens /= np.linalg.norm(tokens, axis=1, keepdims=True)
    passages = [made.standard_normal((rows, 384)).astype(np.float32) for rows in (1, 9, 64)]
    bits = [np.packbits(rows > 0, axis=1).tobytes() for rows in passages]
    expected = [(tokens @ np.where(rows > 0, 1, -1).T / 384**0.5).max(axis=1).mean() for rows in passages]
    assert best_matches(tokens, bits) == pytest.approx(expected, abs=1e-5)


def test_batches_keep_the_budget_and_every_text() -> None:
    lengths = [3, 200, 7, 256, 1, 90, 90, 90, 12, 600]
    groups = list(token_batches(lengths, budget_tokens=256))
    assert sorted(index for group in groups for index in group) == list(range(len(lengths)))
    assert all(
        len(group) == 1 or len(group) * max(lengths[index] for index in group) <= 256 for group in groups
    )
    assert [len(group) for group in groups] == [1, 1, 1, 2, 2, 3]


def test_no_texts_make_no_batch() -> None:
    assert list(token_batches([], budget_tokens=256)) == []


def test_hashed_vectors_do_not_change() -> None:
    """Rows in the database were made with them: another number here needs another version."""
    vector = hash_texts(["Die Rechnung 4711 wurde bezahlt."])[0]
    large = {int(cell): round(float(vector[cell]), 4) for cell in np.flatnonzero(np.abs(vector) > 0.15)}
    assert large == {107: 0.2893, 260: 0.2025, 275: -0.2893, 290: 0.3906, 315: 0.2893, 371: 0.2893}


@pytest.mark.parametrize("text", ["", "   ", "!?", "a", "\udcff broken", "wort " * 10_000])
def test_hashed_vectors_have_unit_length(text: str) -> None:
    assert float(np.linalg.norm(hash_texts([text])[0])) == pytest.approx(1, abs=1e-5)


def test_hashed_vectors_find_shared_word_parts() -> None:
    query, near, far = hash_texts(
        ["Reisekosten abrechnen", "Die Reisekostenabrechnung ist fällig", "Server restarted at noon"]
    )
    assert query @ near > 0.3
    assert abs(query @ far) < 0.15


def test_hashed_vectors_ignore_case_and_accents() -> None:
    one, other = hash_texts(["Größe ändern", "GROSSE ANDERN"])
    assert one @ other == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("module", ["chatsystem.asgi", "chatsystem.celery", "apps.elyza.services.answers"])
def test_web_and_worker_load_no_model_library(module: str) -> None:
    """The memory of ONNX Runtime belongs to the model process alone; `openai` is for installations with a
    model.
    """
    code = (
        f"import django, importlib, sys; django.setup(); importlib.import_module({module!r});"
        "heavy = {'onnxruntime', 'onnx', 'tokenizers', 'torch', 'transformers', 'openai'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_model_process_starts_without_django_and_without_the_model() -> None:
    code = (
        "import sys, apps.elyza.server.__main__;"
        "print(sorted({'django', 'onnxruntime', 'onnx', 'tokenizers', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.strip() == "[]"
