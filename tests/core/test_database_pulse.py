"""A database that answers nobody any more: it is noticed, and who waits for it is told."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import Iterator

import pytest
from django import db as django_db
from django.db import connections

from apps.core.database import patience
from apps.core.database import pulse as module
from apps.core.database.patience import PatientAsyncConnection, PatientConnection, PatientPool
from apps.core.database.pulse import Pulse, parameters, pulse
from apps.core.database.waiting import Silent
from tests.core.frozen import stopped

pytestmark = [pytest.mark.enable_socket, pytest.mark.django_db]


@pytest.fixture
def asking() -> Iterator[Pulse]:
    """A pulse of this test, which has asked once."""
    own = Pulse()
    own.beat()
    yield own
    own.close()


def fall_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """What everybody in a process sees once the pulse got no answer."""
    monkeypatch.setattr(pulse, "is_silent", True)


def server_at(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    monkeypatch.setattr(module, "parameters", lambda _name: {"host": "127.0.0.1", "port": str(port)})


def test_a_server_that_stands_still_is_noticed_and_so_is_its_return(
    asking: Pulse, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not asking.is_silent
    assert asking._connection is not None
    with stopped(asking._connection.info.backend_pid), monkeypatch.context() as hurry:
        hurry.setattr(module, "ANSWER_SECONDS", 0.2)
        asking.beat()
    assert asking.is_silent
    with pytest.raises(Silent):
        asking.require()
    asking.beat()
    assert not asking.is_silent
    asking.require()


@pytest.fixture
def _kept_garbage() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_kept_garbage")
def test_one_that_takes_connections_and_says_nothing_is_silent_and_left_alone(
    asking: Pulse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was given up is closed at once, or each try would hold a place among the server's connections."""
    asking.close()
    with socket.create_server(("127.0.0.1", 0)) as mute:
        server_at(monkeypatch, mute.getsockname()[1])
        asking.beat()
        assert asking.is_silent
        taken, _ = mute.accept()
        with taken:
            taken.settimeout(1)
            while taken.recv(4096):
                pass


def test_a_refusal_is_an_answer(asking: Pulse, monkeypatch: pytest.MonkeyPatch) -> None:
    asking.close()
    asking.is_silent = True
    with socket.create_server(("127.0.0.1", 0)) as gone:
        server_at(monkeypatch, gone.getsockname()[1])
    asking.beat()
    assert not asking.is_silent


def test_a_slow_statement_is_waited_for_while_others_are_answered() -> None:
    with PatientConnection.connect(**parameters("test")) as here:
        assert here.execute("SELECT 1 FROM pg_sleep(0.4)").fetchone() == (1,)


def test_a_thread_that_waits_is_let_go_with_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    with PatientConnection.connect(**parameters("test")) as here:
        fall_silent(monkeypatch)
        with pytest.raises(Silent):
            here.execute("SELECT pg_sleep(30)")
        assert here.closed


async def test_the_event_loop_is_let_go_too(monkeypatch: pytest.MonkeyPatch) -> None:
    here = await PatientAsyncConnection.connect(**parameters("test"))
    fall_silent(monkeypatch)
    with pytest.raises(Silent):
        await here.execute("SELECT pg_sleep(30)")
    assert here.closed


async def test_nobody_else_knocks(monkeypatch: pytest.MonkeyPatch) -> None:
    fall_silent(monkeypatch)
    with pytest.raises(Silent):
        PatientConnection.connect(**parameters("test"))
    with pytest.raises(Silent):
        await PatientAsyncConnection.connect(**parameters("test"))


async def test_the_loops_pool_gives_nothing_out(monkeypatch: pytest.MonkeyPatch) -> None:
    async with PatientPool("test", most=1) as pool:
        fall_silent(monkeypatch)
        with pytest.raises(Silent):
            await pool.getconn()


@pytest.mark.timeout(20)
@pytest.mark.usefixtures("_kept_garbage")
def test_a_loop_ends_whose_pool_is_still_connecting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pool takes a cancellation for a failed connection, and its worker would be waited for for ever."""

    async def leave_while_it_connects(pool: PatientPool, server: socket.socket) -> socket.socket:
        await pool.open()
        taken, _ = await asyncio.get_running_loop().sock_accept(server)
        return taken

    with socket.create_server(("127.0.0.1", 0)) as mute:
        mute.setblocking(False)
        port = str(mute.getsockname()[1])
        monkeypatch.setattr(patience, "parameters", lambda _name: {"host": "127.0.0.1", "port": port})
        pool = PatientPool("test", most=1)
        asyncio.run(leave_while_it_connects(pool, mute)).close()


def test_django_opens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    fall_silent(monkeypatch)
    fresh = connections.create_connection("default")
    with pytest.raises(django_db.OperationalError) as refused:
        fresh.ensure_connection()
    assert isinstance(refused.value.__cause__, Silent)
    assert fresh.connection is None
