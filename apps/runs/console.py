"""The console's pages of runs: what works now, what failed and why, and the two things one can do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.selectors import people
from apps.accounts.services import access
from apps.accounts.types import Principal
from apps.core import console_shell
from apps.core.registry import register_console_page
from apps.runs.selectors import administration
from apps.runs.selectors.runs import get_run
from apps.runs.services.runs import cancel_run, retry_run
from apps.runs.types import RunState, RunView, StepState

PAGE = "runs"
TONES = {
    RunState.QUEUED: "off", RunState.RUNNING: "run", RunState.WAITING: "warn", RunState.SUCCEEDED: "ok",
    RunState.FAILED: "bad", RunState.CANCELLED: "off",
}  # fmt: skip
STEP_TONES = {
    StepState.QUEUED: "off", StepState.RUNNING: "run", StepState.SUCCEEDED: "ok", StepState.FAILED: "bad",
    StepState.CANCELLED: "off",
}  # fmt: skip


class ConsoleRequest(HttpRequest):
    """A request behind the console's door."""

    principal: Principal


@dataclass(frozen=True)
class Line:
    """A run as a row shows it.

    Attributes:
        person: who asked for it; empty for work of the house.
    """

    run: RunView
    person: str
    stage: str
    state: str
    tone: str
    may_stop: bool
    may_retry: bool
"""""" 
