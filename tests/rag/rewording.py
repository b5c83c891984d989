"""Shortcuts for tests of other words: what the settings and the model say."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.llm.model_server import Step, answer

UseModel = Callable[..., None]
NOBODY = "http://127.0.0.1:9/v1"  # where no model is


def names(told: object) -> list[Step]:
    """Return the script of a model that names other words."""
    return answer(json.dumps(told, ensure_ascii=False))
