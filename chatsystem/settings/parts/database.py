"""The database of this process: the role follows from what the process is."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from apps.core.conf.loading import Configuration
from apps.core.database.patience import RECONNECT_SECONDS, PatientConnection

# A host that is gone answers no packet: found out within a minute, instead of hours later. Over a socket of this
# machine nothing of it counts but the first.
_LOST_HOSTS = {
    "connect_timeout": 5,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}


def database(configuration: Configuration) -> dict[str, Any]:
    """Return Django's DATABASES entry: owner for `migrate`, platform for `relay`, app for all others."""
    settings = configuration.database
    process = configuration.server.process
    chosen = settings.database_url
    if process == "migrate" and settings.database_owner_url:
        chosen = settings.database_owner_url
    if process == "relay" and settings.database_platform_url:
        chosen = settings.database_platform_url
    limits = f"-c statement_timeout={settings.statement_timeout_seconds}s -c lock_timeout=10s "
    limits += "-c idle_in_transaction_session_timeout=60s"
    options: dict[str, Any] = {"application_name": f"chatsystem-{process}", **_LOST_HOSTS}
    if process in ("web", "worker", "command"):
        options["options"] = limits
    if process in ("web", "worker"):
        options["pool"] = {
            "min_size": 1,
            "max_size": settings.database_pool_size,
            "timeout": 3,
            "reconnect_timeout": RECONNECT_SECONDS,
            "max_idle": 120,
            "connection_class": PatientConnection,
        }
    return {
        **parse(chosen.get_secret_value()),
        "OPTIONS": options,
        "CONN_MAX_AGE": None if process == "relay" else 0,
    }


def parse(url: str) -> dict[str, Any]:
    """Return the parts of `postgresql://user:password@host:port/name?host=/socket/dir` in Django's names."""
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    return {
        "ENGINE": "apps.core.database",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or query.get("user", "")),
        "PASSWORD": unquote(parts.password or query.get("password", "")),
        "HOST": query.get("host", parts.hostname or ""),
        "PORT": str(parts.port or query.get("port", "")),
    }
