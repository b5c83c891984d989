"""Runs in words: what the console's rows and the overview show of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext

from apps.accounts.selectors import people
from apps.accounts.types import Principal
from apps.runs.types import RunState, RunView, StepState
