"""Libraries of others that ours is compared with: in an environment of their own, each asked in a process of its own."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any, Self

from tests.benchmarks.figures import cpu_seconds, progress
from tests.benchmarks.stack import ROOT

REQUIREMENTS = Path(__file__).with_name("others.txt")
_ENVIRONMENT = Path(sys.prefix) / "others"
_INSTALL_SECONDS = 1800


def find_python() -> Path | None:
    """Return the Python of the environment with the libraries, made first where it is missing; None where they cannot be
    had, and why is said.
    """
    python, stamp = _ENVIRONMENT / "bin" / "python", _ENVIRONMENT / "installed"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()
    if python.is_file() and stamp.is_file() and stamp.read_text() == wanted:
        return python
    progress(f"installing what {REQUIREMENTS.name} names in {_ENVIRONMENT}: some minutes, once")
    command = [str(python), "-m", "pip", "install", "--quiet", "-r", str(REQUIREMENTS)]
    try:
        venv.EnvBuilder(with_pip=True, clear=True).create(_ENVIRONMENT)
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=_INSTALL_SECONDS)
    except subprocess.CalledProcessError as error:
        said = str(error.stderr or error.stdout or error).strip().splitlines()
        progress(f"the libraries of others cannot be had, their figures are left out: {said[-1]}")
        return None
    except (OSError, subprocess.TimeoutExpired) as error:
        progress(f"the libraries of others cannot be had, their figures are left out: {error}")
        return None
    stamp.write_text(wanted)
    return python


class Asked:
    """A process that answers JSON objects, one a line; it ends with the block."""

    def __init__(self, *command: str, environment: dict[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)

    def ask(self, **order: Any) -> dict[str, Any]:
        """Return the answer to an order.

        Raises:
            RuntimeError: the process ended instead; why stands on standard error.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args!r} broke off")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def cpu(self) -> float:
        """Return the seconds of processor that it took so far."""
        return cpu_seconds(self._process.pid)
