"""Every test runs as the runtime role: migrations as the owner first, then the app role, which owns nothing."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import psycopg
import pytest
from django.db import connections
from django.test import TransactionTestCase
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

from apps.core import origin
from apps.core.http import request_limits
from apps.core.redis import client
from chatsystem.settings.parts.database import parse
from chatsystem.testing.plugin import SERVERS
from tests.emptying import close, empty_tables, install

BROWSER = "tests/e2e/"
# Files of thirteen seconds of processor and more, and those that wait for processes as long.
LONG = {
    *(f"tests/{name}.py" for name in ("documents/test_sandbox", "rag/test_plans", "security/privacy/test_erasure")),
    *(f"tests/supervisor/test_{name}.py" for name in ("ending", "run_file", "starting")),
    *(
        f"tests/security/test_{name}.py"
        for name in (
            "browser_protections", "cookie_key_rotation", "crawl", "frames", "garbage_in_fields", "hot_statements",
            "matrix", "no_foreign_action", "references", "revocation", "sign_in_limits", "silent_logs", "sockets",
            "who_exists",
        )
    ),
}  # fmt: skip


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name long bytes by their argument: files made at collection differ between processes by their times."""
    return argname if isinstance(val, bytes) and len(val) > 40 else None


class OneStack(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types for it
    """Among several processes each file stays in one; the browser tests stay together and share a running product.

    Also a run ends whose process dies in a test: that test has failed and isn't tried again, and the process that
    replaces it is told when nothing follows its last test, which it else waits for, for ever.
    """

    def _split_scope(self, nodeid: str) -> str:
        return BROWSER if nodeid.startswith(BROWSER) else nodeid.partition("::")[0]

    def remove_node(self, node: WorkerController) -> str | None:
        units = self.assigned_work.pop(node)
        waiting = [(unit, test) for unit in units.values() for test, is_done in unit.items() if not is_done]
        if not waiting:
            return None
        unit, died_in = waiting[0]
        unit[died_in] = True
        self.workqueue.update({scope: unit for scope, unit in units.items() if not all(unit.values())})
        for other in self.assigned_work:
            self._reschedule(other)
        return died_in

    def _reschedule(self, node: WorkerController) -> None:
        super()._reschedule(node)
        while not node.shutting_down and self._pending_of(self.assigned_work[node]) < 2:
            super()._reschedule(node)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> OneStack:
    return OneStack(config, log)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Name what failed at once: the summary never comes if the run is ended from outside."""
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        print(f"\nfailed: {report.nodeid} ({report.when})", flush=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Among several processes what takes longest begins, so that none ends alone; a single one ends with browsers."""
    is_shared_out = "PYTEST_XDIST_WORKER" in os.environ

    def turn(item: pytest.Item) -> int:
        is_browser = item.nodeid.startswith(BROWSER)
        if not is_shared_out:
            return int(is_browser)
        is_long = item.nodeid.partition("::")[0] in LONG
        return 0 if is_browser else 1 if is_long else 2

    items.sort(key=turn)


def pytest_collection() -> None:
    """Collect thousands of tests, and import what they need, without looking for garbage among them all the time."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Look for garbage as rarely as the web process does: looking took a tenth of the tests' processor time."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    gc.enable()


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest,
    django_test_environment: None,
    django_db_blocker: pytest.FixtureRequest,
    django_db_modify_db_settings: None,
) -> Iterator[None]:
    """Prepare the test database as the owner, then connect as the app role."""
    connection = connections["default"]
    settings = connection.settings_dict
    owner, app, name = parse(os.environ["CHATSYSTEM_DATABASE_OWNER_URL"]), settings["USER"], settings["NAME"]
    is_migrated = SERVERS in request.config.stash
    with django_db_blocker.unblock():
        settings["USER"] = owner["USER"]
        if is_migrated:
            settings["NAME"] = (
                f"test_{name}"  # without the suffix of an xdist worker, which has its own server
            )
        else:
            connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        with connection.cursor() as cursor:
            # Tests that commit empty their tables; the product never does.
            cursor.execute(f"GRANT TRUNCATE ON ALL TABLES IN SCHEMA public TO {app}")
            cursor.execute(
                "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'core_auditentry_stay'"
            )
            for (table,) in cursor.fetchall():
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER core_auditentry_stay")
            install(cursor)
            for what in ("ALL ON ALL TABLES", "ALL ON ALL SEQUENCES", "EXECUTE ON ALL FUNCTIONS"):
                cursor.execute(f"GRANT {what} IN SCHEMA public TO chat_everywhere")  # see `tests.walls`
        connection.close()
        settings["USER"] = app
    yield
    with django_db_blocker.unblock():
        connection.close()
        settings["USER"] = owner["USER"]
        if not is_migrated:
            connection.creation.destroy_test_db(name, verbosity=0)


@pytest.fixture(scope="session", autouse=True)
def _emptied_quickly() -> Iterator[None]:
    """Tests that commit leave no row behind; see `tests.emptying`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _: empty_tables())
        yield
    close()


@pytest.fixture(autouse=True)
def _empty_redis(request: pytest.FixtureRequest) -> None:
    """Limits, presence and heads of another test must not be seen."""
    uses = {"db", "transactional_db", "redis"} & set(request.fixturenames)
    if uses or request.node.get_closest_marker("django_db"):
        client().flushdb()
        request_limits.forget()


@pytest.fixture(autouse=True)
def _origin() -> Iterator[None]:
    """Every test is called from somewhere, as every request is; refusals inside its transaction are not written."""
    with origin.use():
        yield


@pytest.fixture
def redis() -> object:
    """The throw-away Valkey."""
    return client()


def owner_connection() -> psycopg.Connection[tuple[object, ...]]:
    """Return a connection of the owner to the test database, for checks of the catalogue."""
    return role_connection("CHATSYSTEM_DATABASE_OWNER_URL")


def role_connection(variable: str) -> psycopg.Connection[tuple[object, ...]]:
    """Return a connection to the test database as the role of this variable's address."""
    role = parse(os.environ[variable])
    return psycopg.connect(
        host=role["HOST"],
        port=role["PORT"] or None,
        user=role["USER"],
        password=role["PASSWORD"] or None,
        dbname=connections["default"].settings_dict["NAME"],
        autocommit=True,
    )
