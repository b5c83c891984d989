"""`./run security` prints what the tests noted and fails where a goal is missed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.security import __main__ as runner
from tests.security.sizes import FIGURES, note


def figure(**values: Any) -> dict[str, Any]:
    return {
        "bench": "security",
        "name": "n",
        "value": 0,
        "unit": "count",
        "goal": 0,
        "better": "lower",
        **values,
    }


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (figure(), False),
        (figure(value=1), True),
        (figure(value=94.9, goal=95, better="higher"), True),
        (figure(value=95, goal=95, better="higher"), False),
        (figure(value=7, goal=None), False),
    ],
)
def test_a_goal_is_missed_on_its_bad_side(line: dict[str, Any], expected: bool) -> None:
    assert runner.is_missed(line) is expected


def test_the_last_figure_of_a_name_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(FIGURES, str(tmp_path / "figures"))
    for value in (3, 0):
        note("sec01.leaks", value)
    note("sec01.faults", 1)
    assert runner.report(tmp_path / "figures") == ["sec01.faults"]
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["name"], line["value"]) for line in told] == [("sec01.leaks", 0), ("sec01.faults", 1)]


def test_what_pytest_understands_goes_to_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[list[str], str]] = []

    def run(arguments: list[str], *, size: str, target: Path) -> int:
        asked.append((arguments, size))
        return 0

    monkeypatch.setattr(runner, "run_pytest", run)
    for words in (["-k", "word"], ["tests/security/test_crawl.py", "-q"], ["--size", "standard"]):
        monkeypatch.setattr("sys.argv", ["run", *words])
        assert runner.main() == 0
    assert asked == [
        (["tests/security", "-k", "word"], "quick"),
        (["tests/security/test_crawl.py", "-q"], "quick"),
        (["tests/security"], "standard"),
    ]
