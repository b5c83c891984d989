"""Threads of sync views: few, shared fairly, and one for each request."""

from __future__ import annotations

import threading
from concurrent.futures import wait

import pytest

from apps.core.http.threads import Threads


@pytest.fixture
def threads():
    made = Threads(3)
    yield made
    made.close()


def name():
    return threading.current_thread().name


def test_a_request_keeps_its_thread(threads):
    with threads.lease() as one:
        assert len({one.submit(name).result(5) for _ in range(5)}) == 1


def test_requests_take_idle_threads_first(threads):
    with threads.lease() as one, threads.lease() as two, threads.lease() as three:
        names = {lease.submit(name).result(5) for lease in (one, two, three)}
    assert len(names) == 3


def test_a_busy_thread_is_avoided(threads):
    release = threading.Event()
    with threads.lease() as busy:
        hanging = busy.submit(release.wait, 10)
        names = set()
        for _ in range(6):
            with threads.lease() as other:
                names.add(other.submit(name).result(5))
        busy_name = busy.submit(name)
        release.set()
        assert hanging.result(5)
        assert busy_name.result(5) not in names


def test_more_requests_than_threads_wait_their_turn(threads):
    release = threading.Event()
    leases = [threads.lease() for _ in range(7)]
    futures = [lease.__enter__().submit(release.wait, 10) for lease in leases]
    assert threads.waiting == 7
    release.set()
    assert all(future.result(5) for future in futures)
    for lease in leases:
        lease.__exit__(None, None, None)
    wait(futures)
    with threads.lease() as later:
        later.submit(name).result(5)


def test_errors_reach_the_caller_and_the_thread_lives(threads):
    def fail():
        raise KeyError("x")

    with threads.lease() as one:
        with pytest.raises(KeyError):
            one.submit(fail).result(5)
        assert one.submit(name).result(5).startswith("view-")


def test_a_lease_that_was_never_used_takes_nothing(threads):
    with threads.lease():
        assert threads.waiting == 0
