"""The encoder itself: ONNX Runtime and tokenizers around one fused graph. Imported only once a model is
wanted.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as errors
from tokenizers import Tokenizer

from apps.elyza.encoding.package import exported_graph

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from apps.elyza.encoding.package import ModelPackage
    from apps.elyza.types import Matrix, Span, SplitPassage, Vector

    Positions = NDArray[np.intp]

WINDOW_TOKENS = 510  # the model has 512 positions, two of them for the marks at both ends
_BROKEN_GRAPH = (errors.InvalidProtobuf, errors.InvalidGraph, errors.Fail)  # what a damaged file raises


@dataclass(frozen=True, slots=True)
class TokenStates:
    """Last layer of one window: unit-length states (tokens, 384) and each token's range of code points."""

    states: Matrix
    offsets: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class ReadQuestion:
    """The question's token states, and which of them belong to each of its terms."""

    states: Matrix
    groups: list[Positions]


@dataclass(frozen=True, slots=True)
class ReadPassage:
    """Token states of each window of a passage, with the sentences in it: their numbers and tokens."""

    windows: list[tuple[Matrix, list[tuple[int, Positions]]]]
    sentences: int


class Encoder:
    """One session for all threads, one computing thread a call: calls run side by side on one copy of the
    weights.

    Measured on two cores with passages of 180 tokens: two callers reach 35 passages a second, as many as one
    call with two threads, and a query in between takes 6 ms when the callers have a lower priority.
    """

    def __init__(self, package: ModelPackage, graph: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        options.enable_cpu_mem_arena = False  # it would keep the largest batch for ever and is no faster here
        self.version = package.version
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self._tokenizer = Tokenizer.from_file(str(package.directory / "tokenizer.json"))
        self._tokenizer.no_padding()  # the file asks for 128 and padding; the model card for 256
        self._tokenizer.no_truncation()
        limits = json.loads((package.directory / "sentence_bert_config.json").read_text())
        self._max_tokens = int(limits["max_seq_length"])
        special = self._tokenizer.encode("").ids
        self._first, self._last = special[0], special[-1]

    @classmethod
    def load(cls, package: ModelPackage, cache: Path) -> Encoder:
        """Return the encoder of the packaged model; a damaged file in the cache is written anew, once."""
        graph = exported_graph(package, cache)
        try:
            return cls(package, graph)
        except _BROKEN_GRAPH:
            graph.unlink(missing_ok=True)
            return cls(package, exported_graph(package, cache))

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        """Return token ids, at most 256 a text with the marks at both ends; what is longer is cut, as in
        training.
        """
        kept = self._max_tokens - 2
        rows = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [[self._first, *row.ids[:kept], self._last] for row in rows]

    def embed(self, rows: Sequence[Sequence[int]]) -> Matrix:
        """Return float32 vectors of unit length, shape (rows, 384), of one batch of token ids."""
        vectors: Matrix = self._run(["embedding"], rows)[0]
        return vectors

    def embed_tokens(self, rows: Sequence[Sequence[int]]) -> tuple[Matrix, list[Matrix]]:
        """As `embed`, and for each row the unit vectors of its tokens without the marks at both ends."""
        vectors, states = self._run(["embedding", "token_states"], rows)
        inner = [states[place, 1 : len(row) - 1] for place, row in enumerate(rows)]
        return vectors, [part / np.linalg.norm(part, axis=-1, keepdims=True) for part in inner]

    def read_question(self, text: str, terms: Sequence[Span]) -> ReadQuestion:
        """Read the question once for all passages; its tokens beyond a window do not count."""
        read = self._windows(text, [(0, len(text))])[0]
        groups = [_inside(read.offsets, term.start, term.end) for term in terms]
        return ReadQuestion(read.states, groups)

    def read_passage(self, passage: SplitPassage) -> ReadPassage:
        """Read a passage; one longer than a window in several, cut between sentences.

        A sentence longer than a window counts with its first 510 tokens.
        """
        spans = [(sentence.start, sentence.end) for sentence in passage.sentences]
        read = []
        for window in self._windows(passage.text, spans):
            rows = ((row, _inside(window.offsets, *span)) for row, span in enumerate(spans))
            read.append((window.states, [(row, inside) for row, inside in rows if len(inside)]))
        return ReadPassage(read, len(spans))

    def score(self, question: ReadQuestion, passage: SplitPassage) -> tuple[Vector, Matrix]:
        """Read the passage and score its sentences, see `score_read`."""
        return score_read(question, self.read_passage(passage))

    def _windows(self, text: str, spans: Sequence[tuple[int, int]]) -> list[TokenStates]:
        """Read the text in windows of at most 510 tokens that end between spans."""
        encoded = self._tokenizer.encode(text, add_special_tokens=False)
        windows: list[list[int]] = [[]]
        for start, end in spans:
            tokens = _inside(encoded.offsets, start, end)[:WINDOW_TOKENS].tolist()
            if windows[-1] and len(windows[-1]) + len(tokens) > WINDOW_TOKENS:
                windows.append([])
            windows[-1].extend(tokens)
        return [self._states([encoded.ids[t] for t in w], [encoded.offsets[t] for t in w]) for w in windows]

    def _states(self, ids: list[int], offsets: list[tuple[int, int]]) -> TokenStates:
        states = self._run(["token_states"], [[self._first, *ids, self._last]])[0][0][1:-1]
        return TokenStates(states / np.linalg.norm(states, axis=-1, keepdims=True), offsets)

    def _run(self, outputs: list[str], rows: Sequence[Sequence[int]]) -> list[Matrix]:
        width = max(len(row) for row in rows)
        ids = np.zeros((len(rows), width), np.int32)
        mask = np.zeros_like(ids)
        for position, row in enumerate(rows):
            ids[position, : len(row)] = row
            mask[position, : len(row)] = 1
        results: list[Matrix] = self._session.run(outputs, {"input_ids": ids, "attention_mask": mask})
        return results


def score_read(question: ReadQuestion, passage: ReadPassage) -> tuple[Vector, Matrix]:
    """Return for each sentence its cosine with the question and its best match for each term.

    Shapes (sentences,) and (sentences, terms); 0 for a sentence or a term without tokens.
    """
    cosine = np.zeros(passage.sentences, np.float32)
    best = np.zeros((passage.sentences, len(question.groups)), np.float32)
    if not len(question.states):
        return cosine, best
    asked = _unit(question.states.mean(axis=0))
    for states, sentences in passage.windows:
        near = question.states @ states.T
        for row, inside in sentences:
            cosine[row] = float(_unit(states[inside].mean(axis=0)) @ asked)
            nearest = near[:, inside].max(axis=1)
            best[row] = [nearest[group].mean() if len(group) else 0.0 for group in question.groups]
    return cosine, best


def _inside(offsets: Sequence[tuple[int, int]], start: int, end: int) -> Positions:
    """Positions of the tokens that begin in the range."""
    if not offsets:
        return np.zeros(0, np.intp)
    begins = np.fromiter((begin for begin, _ in offsets), np.intp, len(offsets))
    return np.flatnonzero((begins >= start) & (begins < end))


def _unit(vector: Vector) -> Vector:
    return vector / max(float(np.linalg.norm(vector)), 1e-12)
