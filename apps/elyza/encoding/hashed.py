"""Model-free sentence vectors: hashed words and character n-grams (feature hashing,
https://arxiv.org/abs/0902.2206).

They find shared words, word parts and misspellings, not meaning. No model, no process, the same numbers on
every machine.
"""

from __future__ import annotations

import math
import re
import unicodedata
import zlib
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from apps.elyza.types import DIMENSIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from apps.elyza.types import Matrix

MODEL_VERSION = "hashed-ngram-v1"
_WORD = re.compile(r"[^\W_]+")
_GRAM_SIZES = (3, 4)
_WORD_WEIGHT, _GRAM_WEIGHT = 1.0, 0.35
_MOST_WORDS = 4000


def hash_texts(texts: Sequence[str]) -> Matrix:
    """Return float32 vectors of unit length, shape (n, 384); a text without words is hashed as it stands."""
    return np.stack([_vector(text) for text in texts]) if texts else np.zeros((0, DIMENSIONS), np.float32)


def _vector(text: str) -> Matrix:
    vector = np.zeros(DIMENSIONS, np.float64)
    for (feature, weight), count in Counter(_features(text)).items():
        code = zlib.crc32(feature.encode("utf-8", "surrogatepass"))
        vector[(code >> 1) % DIMENSIONS] += (1 if code & 1 else -1) * weight * (1 + math.log(count))
    length = float(np.linalg.norm(vector))
    if length == 0:  # the features cancelled out, each in its one cell
        vector[0] = length = 1.0
    return (vector / length).astype(np.float32)


def _features(text: str) -> Iterator[tuple[str, float]]:
    words = _WORD.findall(_plain(text))[:_MOST_WORDS]
    if not words:
        yield f"={text[:_MOST_WORDS]}", _WORD_WEIGHT
    for word in words:
        yield word, _WORD_WEIGHT
        padded = f"<{word}>"
        for size in _GRAM_SIZES:
            for start in range(len(padded) - size + 1):
                yield f"#{padded[start : start + size]}", _GRAM_WEIGHT


def _plain(text: str) -> str:
    """Lower case without accents: `Größe` and `GROSSE` are one word."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))
