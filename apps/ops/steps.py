"""Steps of operations."""

from __future__ import annotations

from apps.ops.services import key_rotation
from apps.runs.services.context import StepContext
from apps.runs.services.steps import step


@step(key_rotation.STEP, max_attempts=10, timeout_seconds=3600)
def rotate_keys(context: StepContext) -> int:
    """Encrypt what is stored under older keys with the current one; return how many secrets that were."""
    return key_rotation.rotate(context)
