"""Refusals of runs, and the signals that end a step."""

from __future__ import annotations

from typing import ClassVar

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, DomainError, Forbidden, NotFound


class RunNotFound(NotFound):
    code = "runs.not_found"


class NotYourRun(Forbidden):
    code = "runs.not_yours"
    message = _("Only the person who started this, or an administrator, may do that.")


class NothingToRetry(Conflict):
    code = "runs.nothing_to_retry"
    message = _("Nothing in this run failed.")


class RetryLater(DomainError):
    """Raise in a step for trouble that may pass; the step is tried again, up to its limit."""

    code: ClassVar[str] = "runs.retry_later"
    status = 503
    message = _("This did not work yet and is tried again.")


class StepTimedOut(RetryLater):
    code = "runs.timed_out"
    message = _("This took longer than allowed.")


class WorkerLost(DomainError):
    """Not raised: the code of a step whose worker died again and again."""

    code = "runs.worker_lost"
    status = 500
    message = _("The work stopped several times without a reason and was given up.")


class StepCrashed(RetryLater):
    """Not raised: the code of a step that ended with an unexpected exception."""

    code = "runs.step_crashed"
    message = _("This failed unexpectedly.")


class BadStepInput(DomainError):
    """The run's input does not fit its step function, or no loaded app declares the step."""

    code = "runs.bad_step_input"
    status = 500
    message = _("This cannot be worked on by this version.")


class LeaseLost(RuntimeError):
    """Another worker holds the run, or it was settled: stop and write nothing."""


class RunCancelled(BaseException):
    """Somebody cancelled the run. A BaseException: a step that survives any error must not survive this."""


class StepInterrupted(BaseException):
    """The worker is stopping: the step is tried again elsewhere, at once and uncounted."""
