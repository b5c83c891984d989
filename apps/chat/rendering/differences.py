"""What changed between two texts, word by word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

_WORD = re.compile(r"\w+|\s+|[^\w\s]")
# Comparing words takes the product of both lengths at worst; longer pairs are compared line by line.
_MOST_COMPARISONS = 4_000_000


@dataclass(frozen=True)
class Change:
    """A stretch of text and what became of it, in reading order."""

    kind: Literal["same", "removed", "added"]
    text: str


def differences(old: str, new: str) -> list[Change]:
    """Return the stretches that lead from one text to the other; what is removed stands before what is added."""
    before, after = _parts(old, new)
    found: list[Change] = []
    for kind, start, end, from_new, to_new in SequenceMatcher(
        None, before, after, autojunk=False
    ).get_opcodes():
        if kind == "equal":
            found.append(Change("same", "".join(before[start:end])))
            continue
        if start < end:
            found.append(Change("removed", "".join(before[start:end])))
        if from_new < to_new:
            found.append(Change("added", "".join(after[from_new:to_new])))
    return found


def _parts(old: str, new: str) -> tuple[list[str], list[str]]:
    before, after = _WORD.findall(old), _WORD.findall(new)
    if len(before) * len(after) > _MOST_COMPARISONS:
        return old.splitlines(keepends=True), new.splitlines(keepends=True)
    return before, after
