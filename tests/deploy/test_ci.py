"""The check of a change ends with the test runner's own summary, and fails when any step failed."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.supervisor.running import ROOT

PASSED = "===== 3 passed in 0.10s ====="
FAILED = "===== short test summary info =====\nFAILED tests/test_a.py::test_a\n===== 1 failed, 2 passed in 0.10s ====="


def check(directory: Path, *, tests: str, failing: str) -> subprocess.CompletedProcess[str]:
    """Run the real script over a project whose steps only say their name; `failing` is the one that fails."""
    (directory / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", directory / ".ci" / "run")
    python = directory / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    for path, name in ((directory / "run", "$1"), (python, "migrations")):
        path.write_text(
            f'#!/bin/sh\nstep="{name}"\necho "step $step"\n'
            f"[ $step = test ] && printf '%s\\n' '{tests}'\n[ $step != {failing} ]\n"
        )
        path.chmod(0o755)
    return subprocess.run(
        ["bash", ".ci/run"],
        cwd=directory,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_everything_passed(tmp_path: Path) -> None:
    checked = check(tmp_path, tests=PASSED, failing="nothing")

    assert checked.returncode == 0
    assert checked.stdout.splitlines()[-1] == PASSED
    for name in ("test", "lint", "types", "migrations"):
        assert f"\nstep {name}\n" in checked.stdout


@pytest.mark.parametrize("name", ["lint", "types", "migrations"])
def test_failed_check_fails_the_whole_and_is_named_before_the_summary(tmp_path: Path, name: str) -> None:
    checked = check(tmp_path, tests=PASSED, failing=name)

    assert checked.returncode == 1
    assert checked.stdout.splitlines()[-2:] == [f"failed: {name}", PASSED]


def test_failed_tests_fail_the_whole_after_the_other_checks(tmp_path: Path) -> None:
    checked = check(tmp_path, tests=FAILED, failing="test")

    assert checked.returncode == 1
    assert checked.stdout.splitlines()[-4:] == ["failed: tests", *FAILED.splitlines()]
    assert "\nstep migrations\n" in checked.stdout
