"""Which step functions exist: declared with `@step` in each app's `steps.py`."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from apps.runs.errors import BadStepInput
from apps.runs.types import JSON

StepFunction = TypeVar("StepFunction", bound=Callable[..., Any])


@dataclass(frozen=True)
class StepDefinition:
    """A step function and how it is to be run; see `step` for the fields."""

    name: str
    function: Callable[..., Any]
    queue: str
    max_attempts: int
    timeout_seconds: float
    backoff_seconds: float
    is_optional: bool

    def arguments(self, given: JSON) -> dict[str, Any]:
        """Return stored input as the function's own types (`UUID` from text, and so on).

        Raises:
            BadStepInput: names or values do not fit.
        """
        parameters = list(inspect.signature(self.function).parameters.values())[1:]
        hints = typing.get_type_hints(self.function)
        names = {parameter.name for parameter in parameters}
        required = {
            parameter.name for parameter in parameters if parameter.default is inspect.Parameter.empty
        }
        if not required <= set(given) <= names:
            raise BadStepInput
        try:
            return {
                name: TypeAdapter(hints.get(name, Any)).validate_python(value)
                for name, value in given.items()
            }
        except ValidationError as error:
            raise BadStepInput from error


_definitions: dict[str, StepDefinition] = {}


def step(
    name: str,
    *,
    queue: str = "default",
    max_attempts: int = 5,
    timeout_seconds: float = 300,
    backoff_seconds: float = 2,
    optional: bool = False,
) -> Callable[[StepFunction], StepFunction]:
    """Declare a step function: `def embed(context: StepContext, *, document_id: UUID) -> int`.

    What it returns is kept as JSON. It may run twice, so it asks first what is left to do.

    Args:
        name: `app.verb_noun`; rows keep it, so it stays for ever.
        queue: where a run that starts with this step waits.
        max_attempts: attempts that may end with an error before the step fails.
        timeout_seconds: of one attempt; afterwards its lease is no longer renewed and its writes are refused.
        backoff_seconds: pause after the first error; doubles each time, with jitter, at most five minutes.
        optional: a failure is counted and shown, and the run goes on.
    """

    def register(function: StepFunction) -> StepFunction:
        known = _definitions.get(name)
        if known is not None and known.function.__qualname__ != function.__qualname__:
            raise TypeError(f"step {name!r} is taken by {known.function.__module__}")
        _definitions[name] = StepDefinition(
            name, function, queue, max_attempts, timeout_seconds, backoff_seconds, optional
        )
        return function

    return register


def definition(name: str) -> StepDefinition:
    """Return the declaration of a step.

    Raises:
        BadStepInput: no loaded app declares it.
    """
    try:
        return _definitions[name]
    except KeyError as error:
        raise BadStepInput(name=name) from error
