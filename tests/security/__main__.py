"""`python -m tests.security [--size quick|standard|full] [--minutes N] [pytest's arguments]`.

Runs the security tests in their size, in full also Chromium and schemathesis against a running product, and prints the
figures as JSON objects, one a line. Exits 1 when a test fails or a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.security.sizes import FIGURES, SIZES

HERE = "tests/security"
IN_A_BROWSER = "tests/e2e/test_text_stays_text.py"


def names_tests(arguments: list[str]) -> bool:
    return any(argument.removeprefix("./").startswith("tests/") for argument in arguments)


def is_missed(line: dict[str, Any]) -> bool:
    """Return whether a figure is worse than its goal."""
    if line["goal"] is None:
        return False
    worse = line["value"] < line["goal"] if line["better"] == "higher" else line["value"] > line["goal"]
    return bool(worse)


def run_pytest(arguments: list[str], *, size: str, target: Path) -> int:
    """Run the tests; their figures are printed as they are noted, the last one of each name."""
    environment = os.environ | {"CHATSYSTEM_SECURITY_SIZE": size, FIGURES: str(target)}
    return subprocess.run(
        [sys.executable, "-m", "pytest", *arguments], env=environment, check=False
    ).returncode


def report(target: Path) -> list[str]:
    """Print the figures and return the names of those that miss their goal."""
    lines = [json.loads(line) for line in target.read_text().splitlines()] if target.is_file() else []
    last = {line["name"]: line for line in lines}
    for line in last.values():
        sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
    return [name for name, line in last.items() if is_missed(line)]


def main() -> int:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(prog="./run security", description=__doc__, allow_abbrev=False)
    parser.add_argument("--size", choices=SIZES, default="quick")
    parser.add_argument(
        "--minutes",
        type=float,
        help="how long schemathesis asks the running product; 10 in full, else not at all",
    )
    chosen, others = parser.parse_known_args()
    minutes = chosen.minutes if chosen.minutes is not None else 10 if chosen.size == "full" else 0
    places = [] if names_tests(others) else [HERE, *([IN_A_BROWSER] if chosen.size == "full" else [])]
    with tempfile.TemporaryDirectory(prefix="chatsystem-security-") as folder:
        target = Path(folder) / "figures"
        code = run_pytest([*places, *others], size=chosen.size, target=target)
        if minutes and not names_tests(others):
            from tests.security import against_product

            against_product.run(minutes=minutes, target=target)
        missed = report(target)
    for name in missed:
        sys.stderr.write(f"goal missed: {name}\n")
    return 1 if code or missed else 0


if __name__ == "__main__":
    sys.exit(main())
