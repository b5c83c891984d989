"""The one model of the process: loaded at the first wish for it, in a thread, and never twice at once."""

from __future__ import annotations

import asyncio
import importlib
import logging
import time
from typing import TYPE_CHECKING

from apps.core import faults
from apps.elyza.encoding.package import ExportFailed, ModelNotInstalled, find_package, is_installed

if TYPE_CHECKING:
    from pathlib import Path

    from apps.elyza.encoding.runtime import Encoder

RETRY_SECONDS = 30.0  # after a failed load; the cause (a full disk, a half-installed package) may go away
log = logging.getLogger(__name__)


class ModelUnavailable(Exception):
    """There is no model now; `state` says which kind of no."""

    def __init__(self, state: str, detail: str) -> None:
        self.state, self.detail = state, detail
        super().__init__(f"{state}: {detail}")


class Model:
    """Holds the encoder; `state` is idle, loading, ready, failed or not_installed."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._encoder: Encoder | None = None
        self._loading: asyncio.Task[Encoder] | None = None
        self._failed_at = 0.0
        self._detail = ""

    @property
    def state(self) -> str:
        """What a caller can expect now."""
        if self._encoder is not None:
            return "ready"
        if self._loading is not None and not self._loading.done():
            return "loading"
        if self._detail:
            return "failed"
        return "idle" if is_installed() else "not_installed"

    @property
    def detail(self) -> str:
        """Why loading failed, for the status page."""
        return self._detail

    @property
    def version(self) -> str:
        """The version of the loaded model, or nothing."""
        return "" if self._encoder is None else self._encoder.version

    def ready(self) -> Encoder:
        """Return the loaded encoder, or start loading and say so.

        Raises:
            ModelUnavailable.
        """
        if self._encoder is None:
            self._start()
            raise ModelUnavailable("loading", "the model is being loaded")
        return self._encoder

    async def loaded(self) -> Encoder:
        """Return the encoder, loading it first where needed; one waiter that leaves does not stop the others.

        Raises:
            ModelUnavailable.
        """
        if self._encoder is not None:
            return self._encoder
        return await asyncio.shield(self._start())

    def _start(self) -> asyncio.Task[Encoder]:
        if self._loading is not None and not self._loading.done():
            return self._loading
        if self._detail and time.monotonic() - self._failed_at < RETRY_SECONDS:
            raise ModelUnavailable("failed", self._detail)
        if not is_installed():
            raise ModelUnavailable("not_installed", "the `ai` requirements are not installed")
        self._loading = asyncio.create_task(self._load())
        self._loading.add_done_callback(_seen)
        return self._loading

    async def _load(self) -> Encoder:
        started = time.monotonic()
        try:
            encoder = await asyncio.to_thread(_load, self._cache)
        except (ExportFailed, ModelNotInstalled, ImportError, OSError, RuntimeError, ValueError) as error:
            self._detail, self._failed_at = faults.told(error), time.monotonic()
            log.exception("The model could not be loaded")
            raise ModelUnavailable("failed", self._detail) from error
        self._encoder, self._detail = encoder, ""
        log.info("Model %s loaded in %.1f s", encoder.version, time.monotonic() - started)
        return encoder


def _seen(task: asyncio.Task[Encoder]) -> None:
    """Take note of a failure even where every waiter has left: it is in the log already."""
    if not task.cancelled():
        task.exception()


def _load(cache: Path) -> Encoder:
    # Brings in ONNX Runtime, which takes 60 MB: not before it is wanted.
    runtime = importlib.import_module("apps.elyza.encoding.runtime")
    encoder: Encoder = runtime.Encoder.load(find_package(), cache)
    return encoder
