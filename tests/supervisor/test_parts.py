"""The small mechanisms, each alone."""

import json
import os
import signal
import socket
import stat
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from chatsystem.supervisor import ports, secret_files, sources, state
from chatsystem.supervisor.health import HealthProbe
from chatsystem.supervisor.keeper import Keeper
from chatsystem.supervisor.lock import DirectoryLock, LockHeldError
from chatsystem.supervisor.paths import Layout, UnusableDirectoryError
from chatsystem.supervisor.postgres import settings_for
from chatsystem.supervisor.service import LONGEST_PAUSE_SECONDS, KeptProcess, Service
from tests.supervisor.running import wait_until


def service(tmp_path: Path, *command: str, **changes: object) -> Service:
    return Service(  # type: ignore[arg-type]
        **{
            "name": "tried",
            "command": command,
            "environment": dict(os.environ),
            "directory": tmp_path,
            "log": tmp_path / "tried.log",
            **changes,
        }
    )


def test_lock_is_refused_with_the_note_of_its_holder(tmp_path: Path) -> None:
    held = DirectoryLock.take(tmp_path / "lock")
    held.write_note("a long first note")
    held.write_note("me")

    with pytest.raises(LockHeldError, match=r"^me$"):
        DirectoryLock.take(tmp_path / "lock")

    held.release()
    DirectoryLock.take(tmp_path / "lock").release()


def test_next_free_port_is_taken_unless_exactly_one_is_wanted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with ports.listen("127.0.0.1", port, exactly=False) as other:
            assert port < other.getsockname()[1] <= port + 50
        with pytest.raises(ports.PortTakenError, match=f"held by process {os.getpid()}"):
            ports.listen("127.0.0.1", port, exactly=True)


def test_address_of_another_machine_is_refused_in_words() -> None:
    with pytest.raises(ports.PortTakenError, match=r"cannot listen on 192\.0\.2\.1:8000: cannot assign"):
        ports.listen("192.0.2.1", 8000, exactly=False)


def test_secrets_are_made_once_and_given_ones_are_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CHATSYSTEM_SECRET_KEY", raising=False)
    first = secret_files.ensure_secrets(tmp_path)
    path = Path(first["CHATSYSTEM_SECRET_KEY_FILE"])
    text = path.read_text()

    assert secret_files.ensure_secrets(tmp_path) == first
    assert path.read_text() == text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    monkeypatch.setenv("CHATSYSTEM_SECRET_KEY", "given")
    assert secret_files.ensure_secrets(tmp_path) == {}


def test_data_directory_that_is_a_file_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("")

    with pytest.raises(UnusableDirectoryError, match=r"cannot use .*/var"):
        Layout.of(tmp_path / "var").make()


def test_socket_directory_that_is_a_link_is_refused(tmp_path: Path) -> None:
    layout = Layout(data=tmp_path / "var", sockets=tmp_path / "sockets")
    layout.sockets.symlink_to(tmp_path)

    with pytest.raises(UnusableDirectoryError, match="belongs to somebody else"):
        layout.make()


def test_table_is_replaced_in_one_step_and_private(tmp_path: Path) -> None:
    path = tmp_path / "processes.json"
    row = state.ProcessState(name="web", pid=1, command="w", state="running", restarts=0, since="2026-01-01")
    state.write_table(path, [row])
    with path.open() as opened_before:
        state.write_table(path, [])
        assert json.load(opened_before)[0]["name"] == "web"

    assert json.loads(path.read_text()) == []
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_pauses_between_restarts_grow_and_start_small_again_after_a_long_life(tmp_path: Path) -> None:
    kept = KeptProcess(service(tmp_path, "true"))
    pauses = []
    for _ in range(9):
        kept.started_at = sys.float_info.max  # it has just been started
        pauses.append(kept.pause_seconds)
        kept.plan_restart()
    kept.started_at = -1000.0
    kept.plan_restart()

    assert pauses == [
        0.2,
        0.4,
        0.8,
        1.6,
        3.2,
        6.4,
        LONGEST_PAUSE_SECONDS,
        LONGEST_PAUSE_SECONDS,
        LONGEST_PAUSE_SECONDS,
    ]
    assert kept.pause_seconds == 0.4


def test_one_time_process_is_not_started_again(tmp_path: Path) -> None:
    keeper = Keeper(table=tmp_path / "table.json", say=print)
    keeper.start(service(tmp_path, sys.executable, "-c", "raise SystemExit(3)", once=True))

    assert keeper.wait_for(lambda: keeper.exit_code("tried") is not None, seconds=20)

    assert keeper.exit_code("tried") == 3
    assert keeper.state("tried") == "failed"
    assert json.loads((tmp_path / "table.json").read_text())[0]["restarts"] == 0


def test_asked_restart_comes_at_once(tmp_path: Path) -> None:
    keeper = Keeper(table=tmp_path / "table.json", say=print)
    keeper.start(service(tmp_path, sys.executable, "-c", "import signal; signal.pause()"))
    first = json.loads((tmp_path / "table.json").read_text())[0]["pid"]

    keeper.restart(["tried", "another"])

    assert keeper.wait_for(lambda: keeper.find_hopeless(1) == "tried", seconds=20)
    keeper.stop()
    assert first is not None
    assert json.loads((tmp_path / "table.json").read_text())[0]["restarts"] == 1


def test_stop_kills_what_ignores_it_and_its_children(tmp_path: Path) -> None:
    keeper = Keeper(table=tmp_path / "table.json", say=print)
    stubborn = "trap '' TERM; sleep 1000 & echo $! > child; wait"
    keeper.start(service(tmp_path, "sh", "-c", stubborn, grace_seconds=0.2))
    child = tmp_path / "child"
    wait_until(lambda: child.exists() and child.read_text().strip(), what="the child")

    keeper.stop()

    assert keeper.state("tried") == "stopped"
    process = Path("/proc", child.read_text().strip(), "stat")
    wait_until(lambda: not process.exists() or " Z " in process.read_text(), what="the end of the child")


def test_watch_notices_a_changed_and_a_new_file(tmp_path: Path) -> None:
    (tmp_path / "apps").mkdir()
    source = tmp_path / "apps" / "views.py"
    source.write_text("a = 1")
    (tmp_path / "var").mkdir()
    watch = sources.Watch(tmp_path)

    (tmp_path / "var" / "other.py").write_text("x = 1")
    (tmp_path / "apps" / "page.html").write_text("x")
    source.write_text("a = 22")

    wait_until(watch.has_changed, what="the change", seconds=5)
    before = sources.fingerprint(tmp_path)
    (tmp_path / "apps" / "urls.py").touch()
    assert sources.fingerprint(tmp_path) != before
    assert sources.fingerprint(tmp_path) != sources.fingerprint(tmp_path, also="another database")


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        ('{"instance": "ours"}', "200 OK", True),
        ('{"instance": "a stranger"}', "200 OK", False),
        ('{"instance": "ours"}', "503 Service Unavailable", False),
        ("<html>", "200 OK", False),
        ("[1]", "200 OK", False),
        (None, "", False),
    ],
)
def test_only_our_own_instance_counts_as_ready(body: str | None, status: str, expected: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        answering = threading.Thread(target=_answer_once, args=(server, status, body))
        answering.start()
        probe = HealthProbe(host="127.0.0.1", port=server.getsockname()[1], instance="ours")
        with closing(probe):
            asked = probe.is_ready()
            answering.join()
            answered = probe.is_ready()

    assert (asked or answered) is expected


def _answer_once(server: socket.socket, status: str, body: str | None) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(4096)
        if body is not None:
            head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            connection.sendall((head + body).encode())


def test_signal_numbers_of_the_death_are_named_in_words(tmp_path: Path) -> None:
    said: list[str] = []
    keeper = Keeper(table=tmp_path / "table.json", say=said.append)
    keeper.start(service(tmp_path, "sh", "-c", "kill -9 $$"))

    assert keeper.wait_for(lambda: bool(said), seconds=20)
    keeper.stop()

    assert said == [f"tried ended ({signal.SIGKILL.name}), starting it again; see {tmp_path / 'tried.log'}"]


@pytest.mark.parametrize(("web_processes", "connections"), [(1, "60"), (4, "105")])
def test_database_takes_the_connections_of_every_web_process(web_processes: int, connections: str) -> None:
    assert settings_for(web_processes)["max_connections"] == connections


@pytest.mark.parametrize(("gibibytes", "kept"), [(1, "64MB"), (4, "128MB"), (8, "256MB"), (24, "512MB")])
def test_database_keeps_more_pages_on_a_larger_machine(gibibytes: int, kept: str) -> None:
    assert settings_for(1, memory_bytes=gibibytes * 2**30)["shared_buffers"] == kept
