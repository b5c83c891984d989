"""The parsing process: started by path, reads the file from standard input, writes frames to the pipe."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, BinaryIO

if __name__ == "__main__":  # isolated mode knows no project folder
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from apps.documents.parsing import wire
from apps.documents.parsing.errors import ErrorCode, ParseError
from apps.documents.parsing.sources import Source, open_source
from apps.documents.parsing.types import Limits, PageFailed
from apps.documents.sandbox import frames
from apps.documents.sandbox.walls import raise_walls


class _Pipe:
    """Where frames go; nothing else can reach it, since standard output is closed to everybody else."""

    def __init__(self) -> None:
        self._descriptor = os.dup(1)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.close(null)

    def send(self, kind: bytes, data: Any) -> None:
        body = data if isinstance(data, bytes) else json.dumps(data, separators=(",", ":")).encode()
        view = memoryview(frames.header(kind, len(body)) + body)
        while view:
            view = view[os.write(self._descriptor, view) :]


def main() -> int:
    """Do the one job given as the only argument; a refused document is an answer too, so 0."""
    job = json.loads(sys.argv[1])
    sys.modules["numpy"] = None  # type: ignore[assignment]  # openpyxl loads it where it lies and does as well without
    limits = Limits(**job["limits"])
    pipe = _Pipe()
    standing = raise_walls(
        memory_bytes=limits.memory_bytes, cpu_seconds=limits.cpu_seconds, parent=job["parent"]
    )
    pipe.send(frames.READY, sorted(standing))
    try:
        with os.fdopen(0, "rb", closefd=False) as file:
            return _work(job, file, limits, pipe)
    except ParseError as error:
        pipe.send(frames.ERROR, error.code.value)
    except MemoryError:
        pipe.send(frames.ERROR, ErrorCode.OUT_OF_MEMORY.value)
    except Exception:  # noqa: BLE001 - any bug a file can wake is an answer about this file; the process ends here
        pipe.send(frames.ERROR, ErrorCode.CORRUPT.value)
    return 0


def _work(job: dict[str, Any], file: BinaryIO, limits: Limits, pipe: _Pipe) -> int:
    if job["op"] == frames.OP_IMAGE:
        from apps.documents.parsing.pdf.source import PdfSource  # noqa: PLC0415 - only this job needs it

        pipe.send(frames.IMAGE, PdfSource(file, limits).image(job["page"], job["width"]))
        return 0
    source = open_source(file, job["media_type"], limits)
    pipe.send(frames.OUTLINE, wire.outline_to_data(source.outline()))
    if job["op"] == frames.OP_PAGES:
        return _pages(source, job["first"], job["last"], pipe)
    return 0


def _pages(source: Source, first: int, last: int | None, pipe: _Pipe) -> int:
    number = first
    try:
        for page in source.pages(first, last):
            number = page.number
            if isinstance(page, PageFailed):
                pipe.send(frames.FAILED, wire.failed_to_data(page))
            else:
                pipe.send(frames.PAGE, wire.page_to_data(page))
            number += 1
    except ParseError:
        raise
    except Exception as error:  # noqa: BLE001 - a bug that one page wakes costs that page, not the document
        code = ErrorCode.OUT_OF_MEMORY if isinstance(error, MemoryError) else ErrorCode.CORRUPT
        pipe.send(frames.FAILED, wire.failed_to_data(PageFailed(number, code)))
        return frames.EXIT_TIRED
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
