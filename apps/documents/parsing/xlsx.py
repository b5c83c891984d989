"""Workbooks: each sheet is a heading and a table of the stored values; formulas are not computed."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import datetime, time
from typing import Any, BinaryIO, Final

from openpyxl import load_workbook

from apps.documents.parsing.archive import check_parts, open_archive
from apps.documents.parsing.building import table_text
from apps.documents.parsing.errors import ErrorCode, ParseError
from apps.documents.parsing.tables import counted_rows
from apps.documents.parsing.types import Limits, RawBlock

_BROKEN: Final = (
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    zipfile.BadZipFile,
    SyntaxError,
    OSError,
)


class XlsxReader:
    """One workbook, read row by row."""

    def __init__(self, file: BinaryIO, limits: Limits) -> None:
        self._limits = limits
        with open_archive(file, limits) as archive:
            check_parts(archive, limits)
        file.seek(0)
        try:
            self._workbook = load_workbook(
                file, read_only=True, data_only=True, keep_links=False, keep_vba=False
            )
        except _BROKEN as error:
            raise ParseError(ErrorCode.CORRUPT) from error
        title = self._workbook.properties.title
        self.title = " ".join(str(title).split()) or None if title else None

    def blocks(self) -> Iterator[RawBlock]:
        """A heading and a table for each visible sheet that holds values."""
        for sheet in self._workbook.worksheets:
            if sheet.sheet_state != "visible":
                continue
            try:
                sheet.reset_dimensions()
                text = table_text(counted_rows(_rows(sheet), self._limits))
            except _BROKEN as error:
                raise ParseError(ErrorCode.CORRUPT) from error
            if text:
                yield RawBlock("heading", sheet.title, 1)
                yield RawBlock("table" if "\n" in text else "paragraph", text)


def _rows(sheet: Any) -> Iterator[list[str]]:
    for row in sheet.iter_rows(values_only=True):
        cells = [_shown(value) for value in row]
        while cells and not cells[-1]:
            cells.pop()
        yield cells


def _shown(value: object) -> str:
    """A value as a reader expects it; numbers without the noise of binary fractions."""
    shown = "" if value is None else str(value)
    if isinstance(value, bool):
        shown = "TRUE" if value else "FALSE"
    elif isinstance(value, float):
        shown = str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.10g}"
    elif isinstance(value, datetime):
        shown = value.strftime("%Y-%m-%d" if value.time() == time() else "%Y-%m-%d %H:%M")
    return shown
