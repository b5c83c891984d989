"""`python -m chatsystem.healthcheck web|worker|relay|model`: exit 0 when that process does its work.

For containers and monitors. Standard library and psycopg only: it runs every few seconds beside the process.
"""

import http.client
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from urllib.parse import urlsplit

import psycopg

RELAY_LOCK = 0x6C656164  # the leader's advisory lock, see apps.core.relay.loop
_SECONDS = 5


def check_web() -> None:
    """The readiness page answers 200 under the public name (another name would be refused)."""
    public = urlsplit(os.environ.get("CHATSYSTEM_PUBLIC_URL", "http://127.0.0.1:8000"))
    port = int(os.environ.get("CHATSYSTEM_PORT", "8000"))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    headers = {"Host": public.netloc, "X-Forwarded-Proto": public.scheme}
    connection.request("GET", "/readyz", headers=headers)
    answer = connection.getresponse()
    if answer.status != http.HTTPStatus.OK:
        raise RuntimeError(f"/readyz answered {answer.status}")


def check_worker() -> None:
    """This machine's Celery worker answers a ping over the broker."""
    node = f"celery@{socket.gethostname()}"
    ping = ["-m", "celery", "-A", "chatsystem", "inspect", "ping", "-d", node, "-t", str(_SECONDS)]
    subprocess.run([sys.executable, *ping], check=True, capture_output=True, timeout=3 * _SECONDS)


def check_relay() -> None:
    """Some relay leads: the leader's lock is held in the database."""
    address = os.environ.get("CHATSYSTEM_DATABASE_PLATFORM_URL") or os.environ["DATABASE_URL"]
    with psycopg.connect(address, connect_timeout=_SECONDS) as connection:
        held = connection.execute(
            "SELECT 1 FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database"
            " WHERE locktype = 'advisory' AND granted AND objid = %s AND datname = current_database()",
            [RELAY_LOCK],
        ).fetchone()
    if held is None:
        raise RuntimeError("no relay leads")


def check_model() -> None:
    """The model process accepts connections on its socket."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_SECONDS)
        connection.connect(os.environ["CHATSYSTEM_MODEL_URL"].removeprefix("unix://"))


CHECKS: dict[str, Callable[[], None]] = {
    "web": check_web,
    "worker": check_worker,
    "relay": check_relay,
    "model": check_model,
}
FAILURES = (OSError, RuntimeError, http.client.HTTPException, psycopg.Error, subprocess.SubprocessError)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in CHECKS:
        print(f"usage: python -m chatsystem.healthcheck {'|'.join(CHECKS)}", file=sys.stderr)
        return 2
    try:
        CHECKS[arguments[0]]()
    except FAILURES as error:
        print(f"{arguments[0]}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
