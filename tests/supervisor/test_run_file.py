"""`./run` itself: the environment is made once, installed from hashes, repaired when it is broken."""

import hashlib
import os
import runpy
import shutil
import subprocess
import sys
import tempfile
import zipfile
from itertools import takewhile
from pathlib import Path

import pytest

from tests.supervisor.running import ROOT
from tests.supervisor.test_servers import NOBODY

SETS = ("base", "embedded", "ai", "model", "dev", "tools")


def wheel(directory: Path, version: str) -> str:
    """Write a package `tinything` of one module and return its locked requirement."""
    path = directory / f"tinything-{version}-py3-none-any.whl"
    information = f"tinything-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tinything.py", f"VERSION = {version!r}\n")
        archive.writestr(
            f"{information}/METADATA", f"Metadata-Version: 2.1\nName: tinything\nVersion: {version}\n"
        )
        archive.writestr(
            f"{information}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{information}/RECORD", "")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return f"tinything=={version} --hash=sha256:{digest}\n"


class Project:
    """A copy of `./run` with requirements of its own; nothing is fetched from anywhere."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def make(self) -> None:
        (self.directory / "requirements").mkdir()
        (self.directory / "wheels").mkdir()
        shutil.copy(ROOT / "run", self.directory / "run")
        for name in SETS:
            self.lock(name, "")
        self.lock("base", wheel(self.directory / "wheels", "1.0"))

    def lock(self, name: str, text: str) -> None:
        (self.directory / "requirements" / f"{name}.txt").write_text(text)

    def run(self, *arguments: str, prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return subprocess.run(
            [*prefix, sys.executable, self.directory / "run", *arguments],
            env={
                **kept,
                "PIP_NO_INDEX": "1",
                "PIP_FIND_LINKS": str(self.directory / "wheels"),
                "PIP_CONFIG_FILE": os.devnull,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def installed(self) -> str:
        python = self.directory / ".venv" / "bin" / "python"
        asked = subprocess.run(
            [python, "-c", "import tinything; print(tinything.VERSION)"],
            capture_output=True,
            text=True,
            check=False,
        )
        return asked.stdout.strip()


@pytest.fixture(scope="module")
def installed_once(tmp_path_factory: pytest.TempPathFactory) -> Project:
    made = Project(tmp_path_factory.mktemp("project"))
    made.make()
    first = made.run("install", "base")
    assert first.returncode == 0, first.stderr
    return made


@pytest.fixture
def project(installed_once: Project, tmp_path: Path) -> Project:
    """A copy for each test; the environment's links stay links."""
    shutil.copytree(installed_once.directory, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project")


def test_second_time_installs_nothing(project: Project) -> None:
    again = project.run("install", "base")

    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert project.installed() == "1.0"


def test_changed_lock_is_installed(project: Project) -> None:
    project.lock("base", wheel(project.directory / "wheels", "2.0"))

    assert "installed base" in project.run("install", "base").stderr
    assert project.installed() == "2.0"


def test_package_with_another_hash_is_refused(project: Project) -> None:
    honest = wheel(project.directory / "wheels", "3.0")
    project.lock("dev", honest[:-10] + "000000000\n")

    refused = project.run("install", "dev")

    assert refused.returncode == 1
    assert "cannot install" in refused.stderr
    assert project.installed() == "1.0"


def test_environment_whose_python_is_gone_is_made_again(project: Project) -> None:
    python = project.directory / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3")

    repaired = project.run("install", "base")

    assert repaired.returncode == 0, repaired.stderr
    assert "creating the Python environment" in repaired.stderr
    assert project.installed() == "1.0"


def test_environment_of_another_user_is_refused_in_words(project: Project) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    if subprocess.run([*NOBODY, "/usr/bin/python3", "-c", ""], check=False).returncode:
        pytest.skip("no Python that an ordinary user may run")
    directory = project.directory
    temporary = Path(tempfile.gettempdir())
    for parent in (directory, *takewhile(lambda parent: parent != temporary, directory.parents)):
        parent.chmod(0o755)
    python = directory / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3")

    refused = subprocess.run(
        [*NOBODY, "/usr/bin/python3", directory / "run", "install", "base"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert refused.returncode == 1
    assert "belongs to another user" in refused.stderr
    assert "CHATSYSTEM_VENV" in refused.stderr


def test_help_names_every_verb_and_an_unknown_one_is_an_error(project: Project) -> None:
    shown = project.run("help")
    unknown = project.run("launch")

    assert shown.returncode == 0
    for verb in ("dev", "test", "lint", "types", "e2e", "security", "chaos", "bench", "messages", "lock"):
        assert f"\n  {verb} " in shown.stdout
    assert unknown.returncode == 2
    assert unknown.stdout == shown.stdout


def test_unknown_set_is_an_error(project: Project) -> None:
    refused = project.run("install", "everything")

    assert refused.returncode == 1
    assert "no such set: everything" in refused.stderr


SHARED_OUT = ["-n", str((os.cpu_count() or 1) + 1), "--no-loadscope-reorder"]


@pytest.mark.parametrize(
    ("verb", "chromium", "arguments", "expected"),
    [
        ("test", True, [], SHARED_OUT),
        ("test", False, [], [*SHARED_OUT, "--ignore=tests/e2e"]),
        (
            "test",
            False,
            ["-k", "word", "-n", "4"],
            [*SHARED_OUT, "--ignore=tests/e2e", "-k", "word", "-n", "4"],
        ),
        ("test", False, ["tests/core"], ["--ignore=tests/e2e", "tests/core"]),
        ("test", False, ["tests/e2e/test_looks.py"], ["tests/e2e/test_looks.py"]),
        ("e2e", True, ["-k", "word"], ["tests/e2e", "-k", "word"]),
        ("e2e", True, ["tests/e2e/test_looks.py::test_a"], ["tests/e2e/test_looks.py::test_a"]),
    ],
)
def test_what_follows_a_verb_of_tests_goes_to_pytest(
    *,
    monkeypatch: pytest.MonkeyPatch,
    verb: str,
    chromium: bool,
    arguments: list[str],
    expected: list[str],
) -> None:
    verbs = runpy.run_path(str(ROOT / "run"))
    asked: list[tuple[str, ...]] = []
    inside = verbs["VERBS"][verb][0].__globals__
    monkeypatch.setitem(inside, "prepare_environment", lambda _sets: None)
    monkeypatch.setitem(inside, "find_chromium", lambda: "/usr/bin/chromium" if chromium else None)
    monkeypatch.setitem(inside, "execute", lambda *words: asked.append(words))

    verbs["VERBS"][verb][0](arguments)

    assert asked == [("-m", "pytest", *expected)]


def test_security_has_a_runner_with_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    verbs = runpy.run_path(str(ROOT / "run"))
    asked: list[tuple[str, ...]] = []
    inside = verbs["VERBS"]["security"][0].__globals__
    monkeypatch.setitem(inside, "prepare_environment", lambda _sets: None)
    monkeypatch.setitem(inside, "execute", lambda *words: asked.append(words))

    verbs["VERBS"]["security"][0](["--size", "full"])

    assert asked == [("-m", "tests.security", "--size", "full")]


def test_compiled_modules_are_kept_where_none_may_lie_beside_the_sources(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    verbs = runpy.run_path(str(ROOT / "run"))
    monkeypatch.setattr(os, "environ", {"PYTHONDONTWRITEBYTECODE": "1"})

    verbs["keep_compiled"]()

    assert os.environ == {"PYTHONPYCACHEPREFIX": str(verbs["ENVIRONMENT"] / "compiled")}
