"""Nothing opens a connection by itself: what leaves goes through `core.outbound`, or stands here with its reason."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache

from apps.core.outbound.operator_transport import OperatorTransport
from apps.llm.providers.watched import WatchedTransport
from tests.architecture.sources import modules

LIBRARIES = frozenset(
    {
        "aiohttp", "anthropic", "boto3", "ftplib", "hvac", "http.client", "httpcore2", "httpx", "httpx2", "imaplib",
        "mcp", "nntplib", "ollama", "openai", "poplib", "pycurl", "requests", "slack_sdk", "smtplib", "socket",
        "socketserver", "telnetlib", "urllib.request", "urllib3", "websockets.client", "xmlrpc",
    }
)  # fmt: skip
CALLS = frozenset(
    {
        "open_connection",
        "create_connection",
        "open_unix_connection",
        "create_unix_connection",
        "sock_connect",
        "urlopen",
    }
)
FETCHER = "apps.core.outbound."
EXCEPTIONS = {
    "apps.accounts.allauth_adapter": "catches the errors of Django's mail, which goes to the operator's server",
    "apps.core.realtime.link": "Redis, at the operator's address",
    "apps.elyza.server.__main__": "listens on its own Unix socket",
    "apps.elyza.services.connection": "the model process, at the operator's address",
    "apps.llm.providers.openai_compatible": "sends through `core.outbound.operator_transport` only",
    "apps.llm.providers.watched": "reads of that transport",
    "apps.notify.services.mailing": "catches the errors of Django's mail, which goes to the operator's server",
    "apps.ops.services.pulse": "asks for the name of this machine",
    "apps.runs.services.workers": "asks for the name of this machine",
    "chatsystem.healthcheck": "asks this container's own server",
    "chatsystem.supervisor.health": "asks the own children",
    "chatsystem.supervisor.ports": "looks for a free port",
    "chatsystem.supervisor.stack": "opens the listening socket",
    "chatsystem.supervisor.valkey": "asks the own child",
    "chatsystem.web": "listens",
}


def connecting(tree: ast.Module) -> Iterator[str]:
    """Yield what a module imports or calls that could open a connection."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            names = []
            if name in CALLS:
                yield name
        else:
            continue
        for name in names:
            parts = name.split(".")
            if any(".".join(parts[:length]) in LIBRARIES for length in range(1, len(parts) + 1)):
                yield name


@cache
def found() -> frozenset[str]:
    return frozenset(name for name, tree in modules().items() if any(connecting(tree)))


def test_only_the_fetcher_and_named_exceptions_open_connections() -> None:
    assert any(name.startswith(FETCHER) for name in found())
    assert {name for name in found() if not name.startswith(FETCHER)} - set(EXCEPTIONS) == set()


def test_no_exception_outlives_its_reason() -> None:
    assert set(EXCEPTIONS) - found() == set()


def test_the_model_gateway_builds_its_client_on_the_operators_transport() -> None:
    tree = modules()["apps.llm.providers.openai_compatible"]
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    (client,) = [ast.unparse(node) for node in calls if ast.unparse(node.func) == "httpx2.Client"]
    assert "transport=WatchedTransport(" in client
    assert issubclass(WatchedTransport, OperatorTransport)


def test_the_search_finds_what_it_looks_for() -> None:
    for text in (
        "import requests", "from urllib import request", "import urllib.request as x", "from http import client",
        "import asyncio\nasyncio.open_connection('x', 1)",
        "def f():\n    import httpx", "from socket import create_connection",
    ):  # fmt: skip
        assert any(connecting(ast.parse(text))), text
    assert not any(connecting(ast.parse("from urllib.parse import quote\nimport json")))
