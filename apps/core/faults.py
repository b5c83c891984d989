"""What may be written down about an exception: where it happened and of which kind it was, never what it says.

The text of an exception holds values: PostgreSQL quotes the row that broke a constraint, a validator its input, a
provider the prompt it refused. Logs, dead letters and the attempts of runs use these two functions instead. Imports
nothing, so that the model process can use it too.
"""

from __future__ import annotations

import errno
import os
import re
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final

_ROOT: Final = str(Path(__file__).resolve().parents[2]) + os.sep
_LIBRARIES: Final = "site-packages" + os.sep
_CODE: Final = re.compile(r"[a-z]+\.[a-z0-9_]+")
_NAME: Final = re.compile(r"[A-Za-z0-9_.]{1,100}")
_MOST_FRAMES: Final = 40
_MOST_LINKS: Final = 8


def told(error: BaseException) -> str:
    """Return one line: the type, and what is a constant of the code or the schema.

    Like `ConversationNotFound chat.conversation_not_found`, `UniqueViolation 23505 chat_conversation_name`,
    `ConnectionRefusedError ECONNREFUSED`.
    """
    return " ".join([type(error).__name__, *_constants(error)])


def trace_of(error: BaseException) -> str:
    """Return the way to an exception and to its causes, oldest first: files, lines, functions; no values."""
    parts = []
    for link in _links(error):
        frames = traceback.StackSummary.extract(
            traceback.walk_tb(link.__traceback__), limit=-_MOST_FRAMES, lookup_lines=False
        )
        lines = [f"  {_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]
        parts.append("\n".join([*lines, told(link)]))
    return "\nled to\n".join(parts)


def install() -> None:
    """Write what nobody catches the same way, on stderr: the interpreter's own traces show values."""
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    sys.stderr.write(f"{trace_of(error)}\n")


def _uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
        sys.stderr.write(f"{trace_of(args.exc_value)}\n")


def _constants(error: BaseException) -> Iterator[str]:
    code = getattr(type(error), "code", None)  # of the class: an instance's may be anything
    if isinstance(code, str) and _CODE.fullmatch(code):
        yield code
    if isinstance(error, OSError) and isinstance(error.errno, int):
        yield errno.errorcode.get(error.errno, str(error.errno))
    sqlstate = getattr(error, "sqlstate", None)
    if isinstance(sqlstate, str) and _NAME.fullmatch(sqlstate):
        yield sqlstate
        yield from _of_schema(getattr(error, "diag", None))


def _of_schema(diag: Any) -> Iterator[str]:  # psycopg's Diagnostic
    for field in ("constraint_name", "table_name", "column_name"):
        name = getattr(diag, field, None)
        if isinstance(name, str) and _NAME.fullmatch(name):
            yield name


def _links(error: BaseException) -> list[BaseException]:
    """Return the causes and the exception itself, oldest first; members of a group stand before it."""
    found: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in found and len(found) < _MOST_LINKS:
        found.append(link)
        if isinstance(link, BaseExceptionGroup):
            found.extend(link.exceptions[:_MOST_LINKS])
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return found[::-1]


def _short(path: str) -> str:
    """Return the path inside our code or inside the library."""
    return path.rpartition(_LIBRARIES)[2] if _LIBRARIES in path else path.removeprefix(_ROOT)
