"""What lower rungs and local models register with at start: the gateway knows no app above it."""

from __future__ import annotations

from apps.llm.errors import NothingRegistered
from apps.llm.types import Embedder, Extractor

_extractors: list[Extractor] = []
_embedders: list[Embedder] = []


def register_extractor(extractor: Extractor) -> None:
    """Make this the rung below the model; the last one registered counts."""
    _extractors.append(extractor)


def register_embedder(embedder: Embedder) -> None:
    """Make this the source of vectors; the last one registered counts."""
    _embedders.append(embedder)


def extractor() -> Extractor:
    """Return the registered extractor.

    Raises:
        NothingRegistered.
    """
    if not _extractors:
        raise NothingRegistered("no app registered an extractor")
    return _extractors[-1]


def embedder() -> Embedder:
    """Return the registered embedder.

    Raises:
        NothingRegistered.
    """
    if not _embedders:
        raise NothingRegistered("no app registered an embedder")
    return _embedders[-1]
