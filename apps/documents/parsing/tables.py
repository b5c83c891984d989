"""Comma separated values: the separator is found, the rows become one table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Final

from apps.documents.parsing.building import table_text
from apps.documents.parsing.errors import ErrorCode, ParseError
from apps.documents.parsing.types import Limits, RawBlock

_SEPARATORS: Final = ",;\t|"
_FIELD_CHARACTERS: Final = 1_000_000


def read_csv(text: str, limits: Limits) -> Iterator[RawBlock]:
    """One table block.

    Raises:
        ParseError: too_large above `limits.cells`, corrupt where the quoting cannot be followed.
    """
    csv.field_size_limit(_FIELD_CHARACTERS)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=False)
    try:
        yield RawBlock("table", table_text(counted_rows(reader, limits)))
    except csv.Error as error:
        raise ParseError(ErrorCode.CORRUPT) from error


def counted_rows(rows: Iterator[list[str]], limits: Limits) -> Iterator[list[str]]:
    """Pass rows through until there are more cells than allowed."""
    cells = 0
    for row in rows:
        cells += len(row)
        if cells > limits.cells:
            raise ParseError(ErrorCode.TOO_LARGE)
        yield row


def _separator(text: str) -> str:
    """The separator that cuts the first lines into the same number of cells, two or more, most often."""
    lines = [line for line in text[:20_000].splitlines()[:30] if line.strip()]
    best, best_score = ",", 0.0
    for separator in _SEPARATORS:
        counts = [len(row) for row in csv.reader(lines, delimiter=separator)]
        usual = max(set(counts), key=counts.count, default=1)
        score = counts.count(usual) / len(counts) * min(usual, 10) if usual > 1 else 0.0
        if score > best_score:
            best, best_score = separator, score
    return best
