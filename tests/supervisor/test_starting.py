"""What a start makes, what it refuses and how it says so."""

import json
import os
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.supervisor.running import MakeStack, wait_until


@pytest.fixture
def taken() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_taken_port_that_was_asked_for_is_an_error_that_names_the_holder(
    make_stack: MakeStack, taken: socket.socket
) -> None:
    port = taken.getsockname()[1]
    stack = make_stack(variables={"CHATSYSTEM_PORT": str(port)}).start()

    assert stack.wait_end() == 4
    assert f"cannot listen on 127.0.0.1:{port}" in stack.said()
    assert f"held by process {os.getpid()}" in stack.said()
    assert stack.left_over() == []
    assert not (stack.data / "pg").exists()


@pytest.mark.parametrize("value", ["0", "65536", "http", "-1", "１２"])
def test_wrong_port_is_refused_before_anything_starts(make_stack: MakeStack, value: str) -> None:
    stack = make_stack(variables={"CHATSYSTEM_PORT": value}).start()

    assert stack.wait_end() == 2
    assert "CHATSYSTEM_PORT must be a number from 1 to 65535" in stack.said()
    assert not stack.data.exists()


def test_unknown_argument_is_refused(make_stack: MakeStack) -> None:
    stack = make_stack(arguments=["--fast"]).start()

    assert stack.wait_end() == 2
    assert "--fast" in stack.said()


def test_failed_preparation_shows_its_reason_and_leaves_nothing(make_stack: MakeStack) -> None:
    stack = make_stack(variables={"TINY_PREPARE": "broken"}).start()

    assert stack.wait_end() == 1
    assert "the reason it broke" in stack.said()
    assert "the reason it broke" in (stack.data / "log" / "prepare.log").read_text()
    assert stack.row("prepare")["state"] == "failed"
    assert stack.left_over() == []


def test_web_process_that_never_stays_up_ends_the_start(make_stack: MakeStack) -> None:
    stack = make_stack(variables={"TINY_WEB": "broken"}).start()

    assert stack.wait_end() == 1
    assert "web does not stay up" in stack.said()
    assert "the reason it broke" in stack.said()
    assert stack.left_over() == []


def test_what_it_makes_is_private_and_each_process_knows_only_its_database_role(
    make_stack: MakeStack,
) -> None:
    stack = make_stack().start().wait_ready()

    prepared_with = json.loads((stack.data / "prepared-with.json").read_text())
    web = Path(f"/proc/{stack.row('web')['pid']}/environ").read_text()
    key = stack.data / "secrets" / "chatsystem_secret_key"
    beside = (stack.data / "run" / "stack.env").read_text().splitlines()
    assert stat.S_IMODE(stack.data.stat().st_mode) == 0o700
    assert stat.S_IMODE((stack.data / "run" / "stack.env").stat().st_mode) == 0o600
    assert f"CHATSYSTEM_DATA_DIR={stack.data}" in beside
    assert f"DATABASE_URL={prepared_with['DATABASE_URL']}" in beside
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(key.read_text()) == 64
    assert prepared_with["CHATSYSTEM_SECRET_KEY_FILE"] == str(key)
    assert prepared_with["CHATSYSTEM_PROCESS"] == "migrate"
    assert prepared_with["CHATSYSTEM_DATABASE_OWNER_URL"].startswith("postgresql://chat_owner@/chat?host=")
    assert "DATABASE_URL=postgresql://chat_app@/chat?host=" in web
    assert "chat_owner" not in web
    assert "chat_platform" not in web


def test_given_servers_are_used_instead_of_the_embedded_ones(make_stack: MakeStack) -> None:
    names = ("DATABASE_URL", "REDIS_URL", "CHATSYSTEM_DATABASE_OWNER_URL")
    given = {name: os.environ[name] for name in names}
    stack = make_stack(variables=given).start().wait_ready()

    prepared_with = json.loads((stack.data / "prepared-with.json").read_text())
    assert {name: prepared_with[name] for name in given} == given
    assert {"postgres", "redis"} & set(stack.table()) == set()
    assert not (stack.data / "pg").exists()


def test_quick_is_remembered_until_full(make_stack: MakeStack) -> None:
    quick = make_stack(arguments=["--quick"]).start().wait_ready()
    prepared_with = quick.data / "prepared-with.json"
    assert json.loads(prepared_with.read_text())["CHATSYSTEM_EMBEDDING"] == "hashed"
    quick.destroy()

    later = make_stack().start().wait_ready()
    wait_until(lambda: "without local models" in later.said(), what="said after ready")
    assert "model" not in later.table()
    later.destroy()

    full = make_stack(arguments=["--full"]).start().wait_ready()
    full.wait_state("model", "running")
    assert json.loads(prepared_with.read_text())["CHATSYSTEM_MODEL_URL"].startswith("unix:///")


def test_failed_installation_of_the_models_leaves_the_rest_running(make_stack: MakeStack) -> None:
    stack = make_stack(variables={"TINY_INSTALL_MODELS": "broken"}).start().wait_ready()

    assert stack.wait_state("models", "failed")["pid"] is None
    assert stack.row("web")["state"] == "running"
    assert "model" not in stack.table()


def test_installation_of_the_models_is_shown_while_it_runs(make_stack: MakeStack) -> None:
    stack = make_stack(variables={"TINY_INSTALL_MODELS": "sleeper"}).start().wait_ready()

    assert stack.wait_state("models", "installing ai set")["pid"] is not None


def test_several_web_processes_share_one_address(make_stack: MakeStack) -> None:
    stack = make_stack(variables={"CHATSYSTEM_WEB_PROCESSES": "3"}).start().wait_ready()

    assert {"web", "web-2", "web-3"} <= set(stack.table())


def test_figures_of_web_worker_and_relay_lie_together_and_start_empty(make_stack: MakeStack) -> None:
    first = make_stack(variables={"PROMETHEUS_MULTIPROC_DIR": "/nowhere"}).start().wait_ready()
    figures = first.data / "run" / "figures"
    prepared_with = json.loads((first.data / "prepared-with.json").read_text())
    assert stat.S_IMODE(figures.stat().st_mode) == 0o700
    assert "PROMETHEUS_MULTIPROC_DIR" not in prepared_with
    for name in ("web", "worker", "relay"):
        variables = Path(f"/proc/{first.wait_state(name, 'running')['pid']}/environ").read_text().split("\0")
        assert f"PROMETHEUS_MULTIPROC_DIR={figures}" in variables
    (figures / "counter_1.db").touch()
    first.process.kill()
    first.wait_end()
    first.wait_nothing_left()

    again = make_stack().start().wait_ready()
    assert list(figures.iterdir()) == []
    again.destroy()
    assert not figures.exists()


def test_what_a_dead_process_said_of_itself_is_gone_and_what_it_counted_stays(make_stack: MakeStack) -> None:
    stack = make_stack().start().wait_ready()
    worker = stack.wait_state("worker", "running")["pid"]
    counted = stack.data / "run" / "figures" / f"counter_{worker}.db"
    live = stack.data / "run" / "figures" / f"gauge_livesum_{worker}.db"
    for file in (counted, live):
        file.touch()
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: stack.row("worker")["restarts"] == 1, what="started again")
    assert (counted.exists(), live.exists()) == (True, False)


def test_long_data_directory_gets_a_short_one_for_sockets(make_stack: MakeStack, tmp_path: Path) -> None:
    deep = tmp_path / ("long-" * 20) / "var"
    deep.parent.mkdir()
    stack = make_stack(data=deep).start().wait_ready()

    prepared_with = json.loads((stack.data / "prepared-with.json").read_text())
    valkey = Path(prepared_with["REDIS_URL"].removeprefix("unix://"))
    assert len(str(valkey)) < 107
    assert stat.S_IMODE(valkey.parent.stat().st_mode) == 0o700
    stack.destroy()
    assert not valkey.parent.exists()
