"""`python -m apps.elyza.server`: runs the model process until SIGTERM or SIGINT.

Environment: `CHATSYSTEM_MODEL_URL` (`unix:///path`, required), `CHATSYSTEM_DATA_DIR` (default `var`; exported
graphs go to its `models/`). Read directly: the typed settings would bring Django into this process.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from apps.core import faults
from apps.elyza.protocol import socket_path
from apps.elyza.server.application import Application

log = logging.getLogger("apps.elyza.server")


async def serve(path: Path, cache: Path) -> None:
    """Listen on the socket until a signal comes; the socket is readable by this user only, and removed at the
    end.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    application = Application(cache)
    mask = os.umask(0o177)
    try:
        server = await asyncio.start_unix_server(application.serve, path, backlog=256)
    finally:
        os.umask(mask)
    log.info("Listening on %s", path)
    try:
        await stop.wait()
    finally:
        server.close()
        await application.close()
        await asyncio.to_thread(path.unlink, missing_ok=True)


def make_room(path: Path) -> None:
    """Remove the socket of a process that died; refuse to take the place of one that lives."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
    raise SystemExit(f"Another model process listens on {path}.")


class _Lines(logging.Formatter):
    """Log lines whose errors say where and of which kind, not what: their text may quote what is embedded."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - the name of the standard library
        return faults.trace_of(ei[1])


def main() -> None:
    """Read the environment and run."""
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(_Lines("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[lines])
    faults.install()
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # its own threads would know nothing of our priorities
    try:
        path = Path(socket_path(os.environ.get("CHATSYSTEM_MODEL_URL", "")))
    except ValueError as error:
        raise SystemExit(f"CHATSYSTEM_MODEL_URL: {error}") from error
    make_room(path)
    asyncio.run(serve(path, Path(os.environ.get("CHATSYSTEM_DATA_DIR") or "var") / "models"))


if __name__ == "__main__":
    main()
