"""Which paths of a repository or bucket are read: those a document can be made of, and that a pattern names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Final

from django.utils.translation import gettext_lazy as _

from apps.documents.connectors.contract import LONGEST_ID
from apps.documents.connectors.secrets import invalid
from apps.documents.parsing import sniff

MOST_PATTERNS: Final = 50
LONGEST_PATTERN: Final = 200
ANY_DEPTH: Final = "**"
_MOST_PARTS: Final = 100


@dataclass(frozen=True)
class Patterns:
    """`*.md` is every file of that ending, `docs/*.md` those right in a folder, `docs/**` all below it; none is all."""

    texts: tuple[str, ...] = ()

    def match(self, path: str) -> bool:
        """Return whether a path is wanted."""
        return not self.texts or any(_matches(path, text) for text in self.texts)


def clean_patterns(given: Iterable[str]) -> list[str]:
    """Return patterns as they are kept.

    Raises:
        SourceSettingsInvalid.
    """
    texts = list(dict.fromkeys(text.strip().removeprefix("/") for text in given if text.strip()))
    if len(texts) > MOST_PATTERNS or any(
        len(text) > LONGEST_PATTERN or not text.isprintable() or text.count(ANY_DEPTH) > 2 for text in texts
    ):
        raise invalid(
            "include",
            "documents.source_patterns_invalid",
            _("Name at most 50 patterns such as docs/** or *.md."),
        )
    return texts


def is_readable(path: str) -> bool:
    """Return whether a document can be made of a path: of a known kind, and no part of it hidden or a way up."""
    parts = path.split("/")
    if len(parts) > _MOST_PARTS or any(not part or part.startswith(".") for part in parts):
        return False
    return PurePosixPath(parts[-1]).suffix.lower() in sniff.MEDIA_TYPES


def is_showable(path: str) -> bool:
    """Return whether people can be shown a path, and the database can keep it."""
    return len(path) <= LONGEST_ID and path.isprintable()


def _matches(path: str, pattern: str) -> bool:
    if "/" not in pattern:
        return fnmatchcase(path.rpartition("/")[2], pattern)
    return _fits(path.split("/"), pattern.split("/"))


def _fits(parts: Sequence[str], patterns: Sequence[str]) -> bool:
    """Compare part by part; at most two parts of a pattern stand for any depth."""
    if not patterns:
        return not parts
    if patterns[0] == ANY_DEPTH:
        return any(_fits(parts[at:], patterns[1:]) for at in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], patterns[0]) and _fits(parts[1:], patterns[1:])
