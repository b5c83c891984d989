"""Structured logs: one JSON line per event, with the request id, never with a body, a value or the text of an error.

What our own code logs is believed: ids and counts in `extra`. What a library logs is not: of its line stays the text
that stands in its code, of its arguments the numbers.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
import structlog

from apps.core import faults

_OURS = ("apps.", "chatsystem.", "tests.")
_CONSTANT = re.compile(r"[^:<'\"`(\n={\[]*")  # of a line made at run time: up to where a value may begin
_FOREIGN_NAMES = frozenset({"name", "id"})  # of a Celery task
_HIDDEN = "…"
_OPTIONS = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
_extra = structlog.stdlib.ExtraAdder()


def logging_settings(level: str = "INFO") -> dict[str, Any]:
    """Return Django's LOGGING."""
    # No line names them, and asking costs a third of a line.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.JSONRenderer(serializer=_line),
                ],
                "foreign_pre_chain": [
                    without_values,
                    structlog.contextvars.merge_contextvars,
                    structlog.stdlib.add_log_level,
                    structlog.stdlib.add_logger_name,
                    structlog.processors.TimeStamper(fmt="iso", utc=True),
                    where_it_failed,
                ],
                "use_get_message": False,
                "pass_foreign_args": True,
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django.request": {"level": "ERROR"},
            "django.channels.server": {"level": "WARNING"},
            "uvicorn.access": {"level": "WARNING"},
            "uvicorn.error": {"level": "WARNING"},  # its line for each socket holds the whole address
            "httpx2": {"level": "WARNING"},
            "openai": {"level": "WARNING"},
        },
    }


def where_it_failed(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Structlog processor: of an exception its kind and its way, not its text."""
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["exception"] = faults.trace_of(error)
    event.pop("stack_info", None)
    return event


def without_values(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Structlog processor for lines of the standard library's loggers: fill in what may be said."""
    record, args = event["_record"], event.pop("positional_args", ())
    added = dict(_extra(logging.getLogger(), "", {"_record": record}))
    for name in ("_record", "message", "asctime"):  # what other handlers wrote into it
        added.pop(name, None)
    if record.name.startswith(_OURS):
        event["event"] = _filled(record.msg, args)
        return {**event, **added}
    event["event"] = _filled(record.msg, _hidden(args)) if args else _constant_part(record.msg)
    event["at"] = f"{record.module}:{record.lineno}"
    return {**event, **{name: value for name, value in added.items() if _is_number(value)}}


def _filled(text: Any, args: Any) -> str:
    try:
        return str(text) % args if args else str(text)
    except (TypeError, ValueError, KeyError):
        return str(text)


def _hidden(args: Any) -> Any:
    if isinstance(args, Mapping):
        return {
            name: value if name in _FOREIGN_NAMES or _is_number(value) else _HIDDEN
            for name, value in args.items()
        }
    return tuple(value if _is_number(value) else _HIDDEN for value in args)


def _constant_part(text: Any) -> str:
    if not isinstance(text, str):
        return type(text).__name__
    kept = _CONSTANT.match(text)
    start = kept.group() if kept else ""
    return start if len(start) == len(text) else f"{start.rstrip()} {_HIDDEN}"


def _is_number(value: Any) -> bool:
    return value is None or isinstance(value, int | float)


def _line(event: dict[str, Any], **_given: Any) -> str:
    """Return an event as JSON; what `orjson` does not write, like half of a surrogate pair, the slower way."""
    try:
        return orjson.dumps(event, default=_kind_of, option=_OPTIONS).decode()
    except TypeError:
        return json.dumps(event, default=_kind_of)


def _kind_of(value: Any) -> str:
    """An object in a log line is told by its type: its text may hold anything."""
    return str(value) if isinstance(value, UUID | datetime) else type(value).__name__
