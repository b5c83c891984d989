"""The bounded threads in which sync views run.

A request keeps to one thread: its database connection belongs to that thread and goes back to the pool there when the
request ends. Requests share the threads; an idle one is taken first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class Threads:
    """A fixed number of threads, each with the calls that wait for it and the requests that keep to it."""

    def __init__(self, count: int) -> None:
        self._executors = [ThreadPoolExecutor(1, f"view-{number}") for number in range(count)]
        self._calls = [0] * count
        self._requests = [0] * count
        self._lock = threading.Lock()

    @property
    def waiting(self) -> int:
        """Return how many calls run or wait."""
        return sum(self._calls)

    @contextmanager
    def lease(self, *, is_needed: bool = True) -> Iterator[Lease]:
        """Give a request its thread, chosen at its first call that needs one."""
        leased = Lease(self, is_needed=is_needed)
        try:
            yield leased
        finally:
            leased.give_back()

    def close(self) -> None:
        """Let running calls go on, drop those that wait."""
        for executor in self._executors:
            executor.shutdown(wait=False, cancel_futures=True)

    def choose(self) -> int:
        """Return the number of the thread with the least to do."""
        with self._lock:
            number = min(range(len(self._calls)), key=lambda one: (self._calls[one], self._requests[one]))
            self._requests[number] += 1
        return number

    def leave(self, number: int) -> None:
        """Count one request less on a thread."""
        with self._lock:
            self._requests[number] -= 1

    def submit(self, number: int, call: Callable[[], Result]) -> Future[Result]:
        """Run a call in one thread."""
        with self._lock:
            self._calls[number] += 1
        future = self._executors[number].submit(call)
        future.add_done_callback(lambda _future: self._done(number))
        return future

    def _done(self, number: int) -> None:
        with self._lock:
            self._calls[number] -= 1


class Lease(Executor):
    """What a request sees: an executor that is always the same thread.

    Attributes:
        is_needed: False while nothing that is called waits for anything; before there is a thread it runs at once.
    """

    def __init__(self, threads: Threads, *, is_needed: bool) -> None:
        self._threads, self.is_needed = threads, is_needed
        self._number: int | None = None

    def submit(
        self, fn: Callable[Parameters, Result], /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Future[Result]:
        """Run a call in the request's thread."""
        if self._number is None:
            if not self.is_needed:
                return _done(fn, *args, **kwargs)
            self._number = self._threads.choose()
        return self._threads.submit(self._number, lambda: fn(*args, **kwargs))

    @property
    def is_taken(self) -> bool:
        """Return whether a call needed the thread."""
        return self._number is not None

    def give_back(self) -> None:
        """End the lease."""
        if self._number is not None:
            self._threads.leave(self._number)


def _done(
    fn: Callable[Parameters, Result], /, *args: Parameters.args, **kwargs: Parameters.kwargs
) -> Future[Result]:
    """Call at once."""
    future: Future[Result] = Future()
    try:
        future.set_result(fn(*args, **kwargs))
    except BaseException as error:  # noqa: BLE001 - who waits for it raises it
        future.set_exception(error)
    return future
