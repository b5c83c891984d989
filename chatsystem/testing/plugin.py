"""Early pytest plugin: a throw-away PostgreSQL and Valkey, whose addresses are set before Django reads its settings.

pytest-django loads the settings before `pytest_configure`, so a fixture would be too late: this module is
loaded by `-p chatsystem.testing.plugin`. With xdist each worker has servers of its own, since a Valkey's channels
cannot be told apart, and the process that hands out the tests has none. It does nothing where DATABASE_URL names a
server. The servers end with the test run, however it ends. PostgreSQL starts when the tests are collected, with a
copy of a migrated database (see `chatsystem.testing.template`), which is made meanwhile where it is missing.
"""

import os
import subprocess

import pytest

from chatsystem.testing import template
from chatsystem.testing.servers import ServerDidNotStart, ThrowAwayServers

SERVERS = pytest.StashKey[ThrowAwayServers]()
_making = pytest.StashKey[subprocess.Popen[bytes] | None]()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatsystem.settings.test")
    given = early_config.known_args_namespace
    is_worker = bool(os.environ.get("PYTEST_XDIST_WORKER"))
    if os.environ.get("DATABASE_URL") or given.help or given.version:
        return
    if not is_worker and not given.collectonly:
        early_config.stash[_making] = template.make_in_background()
    if getattr(given, "numprocesses", None) and not is_worker:
        return
    try:
        servers = ThrowAwayServers.place()
        early_config.stash[SERVERS] = servers
        servers.start_valkey()
    except ServerDidNotStart as error:
        raise pytest.UsageError(f"a test server did not start:\n{error}") from error
    os.environ.update(servers.environment())


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """The tests are collected; now they need the database."""
    servers = session.config.stash.get(SERVERS, None)
    if servers is None or session.config.option.collectonly:
        return
    try:
        template.copy(servers.cluster.data)
        servers.start_cluster()
    except (template.TemplateFailed, ServerDidNotStart) as error:
        raise pytest.UsageError(f"no test database:\n{error}") from error


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    making = config.stash.get(_making, None)
    if making is not None:
        making.wait()
    servers = config.stash.get(SERVERS, None)
    if servers is None:
        return
    for name in servers.environment():
        os.environ.pop(name, None)
    servers.closing.close()
