"""Ask the parsing process: outline, pages as they come, a page's image. Blocking; call from a thread.

A process serves one call. It dies with the thread that started it, so consume an iterator in the thread
that made it.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, cast

from apps.documents.parsing import sniff, wire
from apps.documents.parsing.errors import ErrorCode, ParseError
from apps.documents.parsing.types import DEFAULT_LIMITS, Limits, Outline, PageFailed, ParsedPage
from apps.documents.sandbox import frames

_CHILD: Final = Path(__file__).with_name("child.py")
_KEPT_VARIABLES: Final = ("LD_LIBRARY_PATH", "SYSTEMROOT")
# Isolated, it would not know where compiled modules lie when that is not beside the sources.
_COMPILED: Final = ("-X", f"pycache_prefix={sys.pycache_prefix}") if sys.pycache_prefix else ()
_DEATHS_IN_A_ROW: Final = 5
_CHUNK: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Opened:
    """A document whose pages come from the process that opened it, which waits until they are read or closed.

    Attributes:
        outline: page count, title and language.
        pages: all of them, as `iter_pages` gives them.
    """

    outline: Outline
    pages: Generator[ParsedPage | PageFailed]


def open_document(path: Path, media_type: str, limits: Limits = DEFAULT_LIMITS) -> Opened:
    """Open a stored file whose type was detected.

    Raises:
        ParseError: with the code that says why it cannot be read, timeout and out_of_memory included.
    """
    reading = _Reading(number=1, last=None)
    pages = _read(path, media_type, reading, limits)
    next(pages)
    if reading.outline is None:
        raise RuntimeError("a document gave pages before its outline")
    return Opened(reading.outline, cast("Generator[ParsedPage | PageFailed]", pages))


def iter_pages(
    path: Path,
    media_type: str,
    first_page: int = 1,
    limits: Limits = DEFAULT_LIMITS,
    *,
    last_page: int | None = None,
) -> Generator[ParsedPage | PageFailed]:
    """Pages in order, each as soon as it is read; a page that fails is told and the next one follows.

    A page that takes too long or kills the process costs that process only: a new one goes on behind it.
    After five such pages in a row, or when the document's time is spent, the rest is told as failed with
    the same code.

    Args:
        last_page: included; None is the last of the document. `first_page == last_page` tries one page again.

    Raises:
        ParseError: the document cannot be opened, or not read on (too_large).
    """
    pages = _read(path, media_type, _Reading(number=first_page, last=last_page), limits)
    next(pages)
    yield from cast("Generator[ParsedPage | PageFailed]", pages)


def _read(
    path: Path, media_type: str, reading: _Reading, limits: Limits
) -> Generator[ParsedPage | PageFailed | None]:
    """None once the document is open, then its pages."""
    clock = _Clock(limits)
    while reading.goes_on():
        job = {"op": frames.OP_PAGES, "media_type": media_type, "first": reading.number, "last": reading.last}
        with _started(path, job, limits, clock) as child:
            try:
                outline = child.outline()
            except ParseError as error:
                if reading.outline is None:
                    raise
                yield from reading.give_up(error.code)
                return
            if reading.outline is None:
                reading.count(outline)
                yield None
            yield from _pages(child, reading)
        if clock.is_spent():
            yield from reading.give_up(ErrorCode.TIMEOUT)
        elif reading.deaths >= _DEATHS_IN_A_ROW:
            yield from reading.give_up(reading.code)


def render_page(path: Path, page: int, width: int, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """A PDF page as PNG, `width` pixels wide (at most 2,400); about 0.4 s.

    Raises:
        ParseError: like `open_document`; corrupt where the page does not exist.
    """
    with _started(
        path, {"op": frames.OP_IMAGE, "page": page, "width": width}, limits, _Clock(limits)
    ) as child:
        return child.image()


def standing_walls(limits: Limits = DEFAULT_LIMITS) -> frozenset[str]:
    """Which walls this system lets the process raise; names as in `walls`. For the status page."""
    clock = _Clock(limits)
    with _started(
        Path(os.devnull), {"op": frames.OP_OUTLINE, "media_type": sniff.TEXT}, limits, clock
    ) as child:
        return child.walls()


@dataclass(slots=True)
class _Reading:
    """Where one pass over a document stands, over as many processes as it takes."""

    number: int
    last: int | None
    outline: Outline | None = None
    deaths: int = 0
    code: ErrorCode = ErrorCode.CORRUPT

    def goes_on(self) -> bool:
        return self.outline is None or (self.last is not None and self.number <= self.last)

    def count(self, outline: Outline) -> None:
        self.last = min(self.last or outline.page_count, outline.page_count)
        self.outline = outline

    def give_up(self, code: ErrorCode) -> Iterator[PageFailed]:
        while self.goes_on():
            yield PageFailed(self.number, code)
            self.number += 1


def _pages(child: _Child, reading: _Reading) -> Iterator[ParsedPage | PageFailed]:
    """Pages of one process until it has given all, or died: then the page it died on is told as failed."""
    while reading.goes_on():
        try:
            page = child.page(reading.number)
        except _DeathError as died:
            reading.deaths += 1
            reading.code = died.code
            if not died.page_is_told:
                yield PageFailed(reading.number, died.code)
                reading.number += 1
            return
        reading.deaths = 0 if isinstance(page, ParsedPage) else reading.deaths
        yield page
        reading.number += 1


class _DeathError(Exception):
    """The process ended or was ended before its answer."""

    def __init__(self, code: ErrorCode, *, page_is_told: bool = False) -> None:
        self.code = code
        self.page_is_told = page_is_told
        super().__init__(code.value)


class _Clock:
    """The seconds waited for the process, over all processes of one document."""

    def __init__(self, limits: Limits) -> None:
        self._left = limits.document_seconds

    def is_spent(self) -> bool:
        return self._left <= 0

    @contextmanager
    def waiting(self, seconds: float) -> Iterator[float]:
        """The moment until which to wait, at most so many seconds from now."""
        begun = time.monotonic()
        try:
            yield begun + min(seconds, max(self._left, 0.0))
        finally:
            self._left -= time.monotonic() - begun


@contextmanager
def _started(path: Path, job: dict[str, Any], limits: Limits, clock: _Clock) -> Iterator[_Child]:
    """A process at work on the file; it is gone when the block is left, however that happens."""
    argument = json.dumps({**job, "limits": asdict(limits), "parent": os.getpid()})
    environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    with path.open("rb") as file:
        process = subprocess.Popen(
            [sys.executable, "-I", "-B", *_COMPILED, str(_CHILD), argument],
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={**environment, "LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "2"},
            start_new_session=True,  # a Ctrl-C meant for the parent must not look like a broken page
        )
    try:
        yield _Child(process, limits, clock)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


class _Child:
    """Reads frames of one process within its times."""

    def __init__(self, process: subprocess.Popen[bytes], limits: Limits, clock: _Clock) -> None:
        if process.stdout is None:
            raise RuntimeError("the process was started without a pipe")
        self._process = process
        self._pipe = process.stdout.fileno()
        self._limits = limits
        self._clock = clock
        self._buffer = bytearray()
        self._walls: frozenset[str] | None = None

    def walls(self) -> frozenset[str]:
        if self._walls is None:
            self._walls = frozenset(map(str, self._json(frames.READY, self._limits.open_seconds)))
        return self._walls

    def outline(self) -> Outline:
        """Raises ParseError, since without an outline there is no document."""
        try:
            self.walls()
            outline = wire.outline_from_data(self._json(frames.OUTLINE, self._limits.open_seconds))
        except _DeathError as died:
            raise ParseError(died.code) from died
        except (ValueError, TypeError, KeyError) as error:
            raise ParseError(ErrorCode.CORRUPT) from error
        if not 1 <= outline.page_count <= self._limits.pages:
            raise ParseError(ErrorCode.TOO_LARGE)
        return outline

    def image(self) -> bytes:
        """Raises ParseError."""
        try:
            self.walls()
            kind, body = self._frame(self._limits.page_seconds)
        except _DeathError as died:
            raise ParseError(died.code) from died
        return _expected(kind, body, frames.IMAGE)

    def page(self, number: int) -> ParsedPage | PageFailed:
        """The next page, which must have this number.

        Raises:
            _DeathError, ParseError.
        """
        kind, body = self._frame(self._limits.page_seconds)
        try:
            if kind == frames.FAILED:
                found: ParsedPage | PageFailed = wire.failed_from_data(json.loads(body))
            else:
                found = wire.page_from_data(json.loads(_expected(kind, body, frames.PAGE)))
        except (ValueError, TypeError, KeyError) as error:
            raise _DeathError(ErrorCode.CORRUPT) from error
        if found.number != number:
            raise _DeathError(ErrorCode.CORRUPT)
        return found

    def _json(self, kind: bytes, seconds: float) -> Any:
        found, body = self._frame(seconds)
        return json.loads(_expected(found, body, kind))

    def _frame(self, seconds: float) -> tuple[bytes, bytes]:
        with self._clock.waiting(seconds) as until:
            kind, length = frames.HEADER.unpack(self._read(frames.HEADER.size, until))
            if length > frames.LARGEST:
                raise _DeathError(ErrorCode.TOO_LARGE)
            return kind, self._read(length, until)

    def _read(self, size: int, until: float) -> bytes:
        poll = select.poll()
        poll.register(self._pipe, select.POLLIN)
        while len(self._buffer) < size:
            left = until - time.monotonic()
            if left <= 0 or not poll.poll(left * 1_000):
                raise _DeathError(ErrorCode.TIMEOUT)
            received = os.read(self._pipe, _CHUNK)
            if not received:
                raise self._death()
            self._buffer += received
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _death(self) -> _DeathError:
        """What the end of the process says about the file."""
        status = self._process.wait()
        if status == frames.EXIT_TIRED:
            return _DeathError(ErrorCode.OUT_OF_MEMORY, page_is_told=True)
        if status == -signal.SIGXCPU:
            return _DeathError(ErrorCode.TIMEOUT)
        if status in {-signal.SIGKILL, -signal.SIGABRT}:  # the kernel's way and that of a C++ library
            return _DeathError(ErrorCode.OUT_OF_MEMORY)
        return _DeathError(ErrorCode.CORRUPT)


def _expected(kind: bytes, body: bytes, wanted: bytes) -> bytes:
    """The body of a frame of the wanted kind; an error frame is raised as what it says."""
    if kind == wanted:
        return body
    if kind != frames.ERROR:
        raise ParseError(ErrorCode.CORRUPT)
    try:
        code = ErrorCode(json.loads(body))
    except ValueError as error:
        raise ParseError(ErrorCode.CORRUPT) from error
    raise ParseError(code)
