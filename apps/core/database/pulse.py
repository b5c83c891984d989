"""Whether the database answers at all, asked once a second by one thread of the process.

A server that stands still (stopped, out of memory, on a disk that hangs) refuses nobody: its kernel takes connections
and statements, so no timeout of the network ends the waiting, and none of the server's own either. A slow statement
looks the same from outside. The difference is whether another statement gets an answer.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection
from psycopg.abc import PQGen
from psycopg.errors import ConnectionTimeout

from apps.core.database.waiting import Result, Silent, WatchedConnection

PAUSE_SECONDS = 1.0
ANSWER_SECONDS = 2  # with the pause, three seconds from the last answer until all who wait are refused
logger = logging.getLogger(__name__)


def parameters(application_name: str) -> dict[str, Any]:
    """Return what psycopg needs to connect as Django does, for connections beside Django's own."""
    database = settings.DATABASES["default"]
    live = connection.settings_dict  # tests run on their own database
    wanted = {
        **{name: value for name, value in database["OPTIONS"].items() if name != "pool"},
        "host": database["HOST"], "port": database["PORT"], "user": live["USER"], "password": database["PASSWORD"],
        "dbname": live["NAME"], "application_name": application_name, "autocommit": True,
    }  # fmt: skip
    return {name: value for name, value in wanted.items() if value}


class Pulse:
    """What the thread found out last; everybody else only looks at `is_silent`."""

    def __init__(self) -> None:
        self.is_silent = False
        self._connection: _Asking | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to ask, until the process ends."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._go_on, name="database-pulse", daemon=True)
            self._thread.start()

    def require(self) -> None:
        """Go on, or refuse at once instead of waiting with the others.

        Raises:
            Silent.
        """
        if self.is_silent:
            raise Silent("the database does not answer")

    def beat(self) -> None:
        """Ask once, and note whether anything came back."""
        is_silent = False
        try:
            self._ask()
        except psycopg.Error as error:
            # A refusal is an answer: everybody else gets it as quickly.
            is_silent = isinstance(error, Silent | ConnectionTimeout)
        if is_silent != self.is_silent:
            self.is_silent = is_silent
            level = logging.ERROR if is_silent else logging.INFO
            logger.log(level, "database.silent" if is_silent else "database.answers")

    def close(self) -> None:
        """Give up the connection; the next beat opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(self) -> None:
        try:
            if self._connection is None:
                wanted = parameters("chatsystem-pulse") | {"connect_timeout": ANSWER_SECONDS}
                self._connection = _Asking.connect(**wanted)
            self._connection.execute("SELECT 1")
        except psycopg.Error:
            self.close()
            raise

    def _go_on(self) -> None:
        while True:
            self.beat()
            time.sleep(PAUSE_SECONDS)


class _Asking(WatchedConnection):
    """The connection of the pulse: whatever it asks has its time."""

    _end = 0.0

    def is_over(self) -> bool:
        """Return whether the time has passed."""
        return time.monotonic() > self._end

    def wait(self, gen: PQGen[Result], *args: Any, **kwargs: Any) -> Result:
        """Wait so long and no longer."""
        self._end = time.monotonic() + ANSWER_SECONDS
        return super().wait(gen, *args, **kwargs)


pulse = Pulse()
