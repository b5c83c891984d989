"""Which versions of everything work together here."""

from __future__ import annotations

import platform
import tomllib
from functools import lru_cache
from pathlib import Path

import django
import redis
from django.conf import settings
from django.db import connection

from apps.core.redis import client

_EXTENSIONS = ("vector", "pg_trgm", "unaccent", "btree_gin")


def installed() -> list[tuple[str, str]]:
    """Return names and versions; empty where something is absent or does not answer. One query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version')")
        (server,) = cursor.fetchone()
        cursor.execute(
            "SELECT extname, extversion FROM pg_extension WHERE extname = ANY(%s)", [list(_EXTENSIONS)]
        )
        extensions = dict(cursor.fetchall())
    return [
        ("chatsystem", own_version()),
        ("Python", platform.python_version()),
        ("Django", django.get_version()),
        ("PostgreSQL", server.split()[0]),
        *((name, extensions.get(name, "")) for name in _EXTENSIONS),
        ("Redis", _redis_version()),
    ]


@lru_cache(maxsize=1)
def own_version() -> str:
    """Return the version of this product."""
    project = tomllib.loads((Path(settings.BASE_DIR) / "pyproject.toml").read_text(encoding="utf-8"))
    return str(project["project"]["version"])


def _redis_version() -> str:
    try:
        said = client().info("server")
    except redis.RedisError:
        return ""
    valkey = said.get("valkey_version")
    return f"Valkey {valkey}" if valkey else str(said.get("redis_version", ""))
