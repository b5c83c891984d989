"""A model process for the tests that need a real one, and settings that point at a socket."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from apps.elyza.encoding import package
from apps.elyza.services import encoder

PROJECT = Path(__file__).resolve().parents[2]
needs_model = pytest.mark.skipif(not package.is_installed(), reason="the `ai` requirements are not installed")


@dataclass
class ModelProcess:
    """A running model process of the tests."""

    process: subprocess.Popen[str]
    url: str
    data: Path


def start_model_process(data: Path) -> ModelProcess:
    """Start it and wait until it listens."""
    url = f"unix://{data}/model.sock"
    environment = os.environ | {"CHATSYSTEM_MODEL_URL": url, "CHATSYSTEM_DATA_DIR": str(data)}
    process = subprocess.Popen(
        [sys.executable, "-m", "apps.elyza.server"],
        cwd=PROJECT,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert "Listening" in process.stderr.readline()
    return ModelProcess(process, url, data)


def stop_model_process(running: ModelProcess) -> int:
    """End it as the supervisor does and return its exit code."""
    running.process.send_signal(signal.SIGTERM)
    code = running.process.wait(10)
    assert running.process.stderr is not None
    running.process.stderr.close()
    return code


@pytest.fixture
def short_directory() -> Iterator[Path]:
    """A directory whose sockets fit the 107 bytes of a socket address, whatever pytest's own is called."""
    with tempfile.TemporaryDirectory(prefix="elyza-", dir="/tmp") as directory:
        yield Path(directory)


@pytest.fixture(scope="session")
def model_process() -> Iterator[ModelProcess]:
    """One model process for all tests, its model loaded."""
    with tempfile.TemporaryDirectory(prefix="elyza-", dir="/tmp") as directory:
        running = start_model_process(Path(directory))
        yield running
        stop_model_process(running)


@pytest.fixture
def use_model(settings: object) -> Iterator[Callable[[str], None]]:
    """Point the settings at a model process; nothing is known from earlier tests."""

    def use(url: str, embedding: str = "minilm") -> None:
        configuration = settings.CONFIGURATION  # type: ignore[attr-defined]
        group = configuration.model.model_copy(update={"model_url": url, "embedding": embedding})
        settings.CONFIGURATION = replace(configuration, model=group)  # type: ignore[attr-defined]

    encoder.forget_queries()
    yield use
    encoder.forget_queries()
