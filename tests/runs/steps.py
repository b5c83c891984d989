"""Steps for the tests of runs. They note what they did in a file, so that worker processes can use them."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import Self
from uuid import UUID

from celery import shared_task
from django.db import connection
from django.utils.translation import get_language
from pydantic import TypeAdapter

from apps.core.errors import DomainError
from apps.core.models import FeatureFlag
from apps.runs.errors import RetryLater
from apps.runs.services.context import StepContext
from apps.runs.services.steps import step
from apps.runs.types import StepSpec


class Refused(DomainError):
    code = "tests.refused"
    message = "This is refused for good."


@step("tests.note")
def note(context: StepContext, *, path: str, text: str) -> int:
    """Append a line and return how many there are."""
    with Path(path).open("a") as file:
        file.write(f"{text}\n")
    return len(Path(path).read_text().splitlines())


@step("tests.page", queue="ingest", optional=True, max_attempts=2)
def page(context: StepContext, *, path: str, number: int) -> int:
    """Fail for good on pages named in `<path>.bad`."""
    bad = Path(f"{path}.bad")
    if bad.exists() and str(number) in bad.read_text().split():
        raise Refused
    return note(context, path=path, text=f"page {number}")


@step("tests.outline", queue="ingest")
def outline(context: StepContext, *, path: str, pages: int) -> None:
    """Add a step for each page, and one after all of them."""
    context.add_steps(
        [
            StepSpec("tests.page", {"path": path, "number": number}, key=str(number), position=1)
            for number in range(1, pages + 1)
        ]
    )
    context.add_steps([StepSpec("tests.note", {"path": path, "text": "end"}, key="end")])


@step("tests.flaky", max_attempts=3, backoff_seconds=60)
def flaky(context: StepContext, *, path: str, failures: int) -> None:
    """Fail a number of times, then succeed."""
    if note(context, path=path, text="try") <= failures:
        raise RetryLater


@step("tests.refused")
def refused(context: StepContext) -> None:
    """Fail for good."""
    raise Refused


@step("tests.crash", max_attempts=2, backoff_seconds=60)
def crash(context: StepContext) -> None:
    """End with an exception nobody expected."""
    raise ValueError("a secret detail")


@step("tests.typed")
def typed(context: StepContext, *, document_id: UUID, count: int = 1) -> str:
    """Show what types arrive."""
    return f"{type(document_id).__name__} {count}"


@step("tests.stream")
def stream(context: StepContext, *, words: list[str]) -> None:
    """Emit a frame for each word."""
    for word in words:
        context.emit("token", {"text": word})
    context.set_result(words=len(words))


@step("tests.transaction")
def in_transaction(context: StepContext) -> bool:
    """Say whether a transaction is open while a step works."""
    return connection.in_atomic_block


@step("tests.wait")
def wait(context: StepContext, *, path: str) -> None:
    """Say that it began, then work until it is cancelled or the file `<path>.go` exists."""
    note(context, path=path, text=f"began {os.getpid()}")
    while not Path(f"{path}.go").exists():
        context.cancelled()
        time.sleep(0.01)
    note(context, path=path, text="done")


@step("tests.progress")
def progress(context: StepContext, *, total: int) -> None:
    """Report each unit."""
    for number in range(1, total + 1):
        context.progress(number, total, "Counting")


@step("tests.cleanup")
def cleanup(context: StepContext, *, path: str) -> None:
    """Survive every exception, as a step with a fallback does, and note that."""
    while True:
        try:
            context.cancelled()
            time.sleep(0.01)
        except Exception:  # noqa: BLE001 - that is the point
            note(context, path=path, text="survived")


@step("tests.stream_and_wait")
def stream_and_wait(context: StepContext, *, path: str) -> None:
    """Emit three frames at once, then work without looking at them again."""
    for word in ("a", "b", "c"):
        context.emit("token", {"text": word})
    while not Path(f"{path}.go").exists():
        time.sleep(0.01)


class Thing:
    """Something that steps leave for each other."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> Self:
        _write(self._path, "entered")
        return self

    def __exit__(self, *_: object) -> None:
        _write(self._path, "left")


@step("tests.keep")
def keep(context: StepContext, *, path: str, number: int) -> None:
    """Use the kept thing."""
    context.keep("thing", lambda: Thing(path))
    _write(path, f"used {number}")


def _write(path: str, text: str) -> None:
    with Path(path).open("a") as file:
        file.write(f"{text}\n")


@step("tests.language")
def language(context: StepContext) -> str:
    """Say which language is spoken while a step works."""
    return get_language() or ""


def spill(kind: str, text: str) -> None:
    """Raise an error whose text, cause or local variables hold what nobody may read in a log."""
    secret = f"local {text}"
    match kind:
        case "value":
            raise ValueError(secret)
        case "key":
            raise KeyError(secret)
        case "os":
            Path(f"/nowhere/{text}").read_text()
        case "cause":
            try:
                int(text)
            except ValueError as error:
                raise RuntimeError(text) from error
        case "group":
            raise ExceptionGroup(text, [ValueError(text)])
        case "input":
            TypeAdapter(int).validate_python(text)
        case "code":
            error = RuntimeError(text)
            error.code = text  # type: ignore[attr-defined]  # not a constant of its class
            raise error
        case "row":
            for _ in range(2):
                FeatureFlag.objects.create(key=text, description=text)
        case "data":
            with connection.cursor() as cursor:
                cursor.execute("SELECT %s::uuid", [text])
        case "syntax":
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT nothing FROM nowhere -- {text}")
        case "log":
            logger = logging.getLogger("third.party")
            logger.error(f"Made at run time: {text}")  # noqa: G004 - as libraries do
            logger.error("Filled in %s and %d", text, 7, extra={"more": text, "count": 3})
            logger.error("Named %(name)s with %(value)s", {"name": "tests.spill", "value": text})
            logger.error(ValueError(text))
            logging.getLogger("apps.tests").error("object", extra={"object": Refused(text=text)})
            raise Refused(text=text)
    raise AssertionError(kind)


SPILLS = ("value", "key", "os", "cause", "group", "input", "code", "row", "data", "syntax", "log")


@step("tests.spill", max_attempts=1)
def spill_in_step(context: StepContext, *, kind: str, text: str) -> None:
    """Fail with text in the error."""
    spill(kind, text)


@shared_task(name="tests.spill_task", ignore_result=True)
def spill_task(kind: str, text: str) -> None:
    """A task as ours are not: what it holds is in its arguments."""
    spill(kind, text)
