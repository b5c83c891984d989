"""What is in deploy/ is well formed, names only settings that exist, and its roles are those of the embedded stack."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from apps.core.conf import groups, loading
from chatsystem.supervisor import binaries
from chatsystem.supervisor.postgres import Cluster, clean_environment
from tests.supervisor.running import ROOT, wait_until

DEPLOY = ROOT / "deploy"
TOOLS = Path(sys.executable).parent
# Read by the artefacts or the supervisor themselves, not by the typed settings.
OTHER_NAMES = {
    "CHATSYSTEM_VENV",
    "CHATSYSTEM_VERSION",
    "CHATSYSTEM_APP_PASSWORD",
    "CHATSYSTEM_OWNER_PASSWORD",
    "CHATSYSTEM_PLATFORM_PASSWORD",
}


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_dockerfile_passes_the_linter() -> None:
    linted = run(TOOLS / "hadolint", DEPLOY / "Dockerfile")

    assert (linted.returncode, linted.stdout) == (0, "")


def test_compose_file_keeps_its_schema() -> None:
    checked = run(
        TOOLS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml"
    )

    assert checked.returncode == 0, checked.stdout


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not here")

    verified = run("systemd-analyze", "verify", DEPLOY / "systemd" / "chatsystem.service")

    assert (verified.returncode, verified.stderr) == (0, "")


@pytest.mark.parametrize(
    "name", ["Dockerfile", "compose.yaml", "chatsystem.env.example", "systemd/chatsystem.service"]
)
def test_only_settings_that_exist_are_named(name: str) -> None:
    known = {loading.variable_name(group, field) for group in groups.ALL for field in group.model_fields}

    named = set(re.findall(r"\bCHATSYSTEM_[A-Z_]+\b", (DEPLOY / name).read_text()))

    assert named
    assert named - known - OTHER_NAMES == set()


def test_image_carries_nothing_but_the_product() -> None:
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    copied = re.findall(r"^COPY (?!--from)(\S+)", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)

    assert ignored[0] == "*"
    assert {path.split("/")[0] for path in copied} == {line[1:] for line in ignored if line.startswith("!")}
    assert all((ROOT / path).exists() for path in copied)


@pytest.fixture
def empty_cluster() -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory(prefix="chatsystem-") as directory:
        cluster = Cluster(
            programs=binaries.postgres_directory(), data=Path(directory, "pg"), sockets=Path(directory, "s")
        )
        cluster.sockets.mkdir()
        cluster.make(durable=False)
        server = cluster.start(log=subprocess.DEVNULL)
        wait_until(cluster.is_ready, what="the server")
        yield cluster
        server.send_signal(signal.SIGQUIT)
        server.wait()


def test_roles_of_the_compose_stack_are_those_of_the_embedded_one(empty_cluster: Cluster) -> None:
    passwords = {f"CHATSYSTEM_{role}_PASSWORD": f"it's {role}" for role in ("OWNER", "APP", "PLATFORM")}

    made = subprocess.run(
        [
            empty_cluster.programs / "psql",
            f"--host={empty_cluster.sockets}",
            "--username=postgres",
            f"--file={DEPLOY / 'postgres' / 'roles.sql'}",
        ],
        env={**clean_environment(), **passwords},
        capture_output=True,
        text=True,
        check=False,
    )

    assert made.returncode == 0, made.stderr
    with (
        psycopg.connect(empty_cluster.url("postgres")) as here,
        psycopg.connect(os.environ["DATABASE_URL"]) as there,
    ):
        roles = (
            "SELECT rolname, rolcanlogin, rolbypassrls, rolcreatedb, rolsuper, pg_has_role(oid, 'chat_writer', 'SET')"
            " FROM pg_roles WHERE rolname LIKE 'chat%' AND rolname <> 'chat_everywhere' ORDER BY 1"
        )  # chat_everywhere is of tests only
        extensions = "SELECT extname FROM pg_extension ORDER BY 1"
        assert here.execute(roles).fetchall() == there.execute(roles).fetchall()
        assert here.execute(extensions).fetchall() == there.execute(extensions).fetchall()
        secret = here.execute(
            "SELECT count(*) FROM pg_authid WHERE rolname LIKE 'chat%' AND rolpassword IS NOT NULL"
        )
        assert secret.fetchone() == (3,)
