import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.supervisor.running import MakeStack, RunningStack


@pytest.fixture(scope="module")
def stack() -> Iterator[RunningStack]:
    """One stack for the tests of a module that leave it running."""
    with tempfile.TemporaryDirectory(prefix="chatsystem-") as directory:
        running = RunningStack(data=Path(directory, "var")).start().wait_ready()
        yield running
        running.destroy()


@pytest.fixture
def make_stack() -> Iterator[MakeStack]:
    """Make stacks in a directory of their own; whatever still runs at the end is stopped."""
    made: list[RunningStack] = []
    with tempfile.TemporaryDirectory(prefix="chatsystem-") as directory:

        def make(**changes: object) -> RunningStack:
            made.append(RunningStack(**{"data": Path(directory, "var"), **changes}))  # type: ignore[arg-type]
            return made[-1]

        yield make
        for running in made:
            running.destroy()
