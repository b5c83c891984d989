"""What dies is started again, with everything it had begun gone, and nobody is refused meanwhile."""

import json
import os
import signal
import urllib.request
from pathlib import Path

import pytest

from tests.supervisor.running import MakeStack, RunningStack, wait_until


def test_ready_prints_the_address_and_the_link(stack: RunningStack) -> None:
    lines = stack.said().splitlines()

    assert stack.url().startswith("http://127.0.0.1:")
    assert lines[lines.index(f"ready: {stack.url()}") + 1] == (
        "sign in once as administrator: http://example.test/once"
    )


def test_table_lists_every_process_it_keeps(stack: RunningStack) -> None:
    stack.wait_state("model", "running")

    table = stack.table()

    assert sorted(table) == ["model", "postgres", "redis", "relay", "web", "worker"]
    for row in table.values():
        assert set(row) == {"name", "pid", "command", "state", "restarts", "since"}
        assert Path(f"/proc/{row['pid']}").is_dir()


@pytest.mark.parametrize("name", ["web", "worker", "relay", "model", "redis", "postgres"])
def test_killed_process_is_started_again(stack: RunningStack, name: str) -> None:
    before = stack.wait_state(name, "running")

    os.kill(before["pid"], signal.SIGKILL)

    wait_until(lambda: stack.row(name)["restarts"] == before["restarts"] + 1, what=f"{name} again")
    after = stack.wait_state(name, "running")
    assert after["pid"] != before["pid"]


def test_requests_wait_for_the_next_web_process_instead_of_being_refused(stack: RunningStack) -> None:
    before = stack.wait_state("web", "running")

    os.kill(before["pid"], signal.SIGKILL)
    wait_until(lambda: stack.row("web")["pid"] != before["pid"], what="the end of the first web process")
    with urllib.request.urlopen(f"{stack.url()}/readyz", timeout=20) as answer:
        said = json.load(answer)

    assert said["pid"] == stack.row("web")["pid"]


def test_second_start_in_the_same_directory_is_refused(stack: RunningStack) -> None:
    second = RunningStack(data=stack.data)
    second.output.rename(stack.output.with_suffix(".first"))

    second.start()

    assert second.wait_end() == 3
    assert second.said().startswith(f"chatsystem: already running in {stack.data}: http://127.0.0.1:")
    assert not stack.has_ended()
    stack.output.with_suffix(".first").rename(stack.output)


def test_child_of_a_killed_worker_does_not_survive_it(make_stack: MakeStack) -> None:
    stack = make_stack(variables={"TINY_WORKER": "parent"}).start().wait_ready()
    note = stack.data / "child.pid"
    child = int(wait_until(lambda: note.exists() and note.read_text(), what="the worker's child"))

    os.kill(stack.row("worker")["pid"], signal.SIGKILL)

    wait_until(lambda: not Path(f"/proc/{child}").exists(), what="the end of the worker's child")
