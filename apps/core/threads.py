"""Call blocking code from the event loop: in a bounded pool of threads, giving its database connection back."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import ParamSpec, TypeVar

from django.db import connections

THREADS = 8
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="in-thread")


async def in_thread(
    work: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Result:
    """Run the function in the pool with the caller's context (organization, request id, language)."""
    context = contextvars.copy_context()
    call = partial(context.run, _call, work, args, kwargs)
    return await asyncio.get_running_loop().run_in_executor(_pool(), call)


def _call(work: Callable[..., Result], args: tuple[object, ...], kwargs: dict[str, object]) -> Result:
    try:
        return work(*args, **kwargs)
    finally:
        connections.close_all()  # back to the pool; a thread keeps nothing
