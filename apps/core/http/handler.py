"""Django's ASGI handler with bounded threads: a sync view costs one thread hop, an async API view none.

Django's own handler hops into a thread for each middleware that is not async, some twenty times a request. Here the
view is looked up first: a sync view gets the whole sync chain of `MIDDLEWARE` in one call in its thread, an async view
of the API the short chain of `ASYNC_API_MIDDLEWARE` on the event loop. That one has no session and no CSRF check: such
views look at their caller themselves. Other async views get Django's chain. A brief view of the API is answered in the
task of its request: no other one listens for a client that leaves.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import closing
from functools import lru_cache
from typing import Any, TypeVar, cast

from asgiref.sync import ThreadSensitiveContext, iscoroutinefunction, sync_to_async
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, RequestAborted
from django.core.handlers.asgi import ASGIHandler, ASGIRequest, get_script_prefix
from django.core.handlers.base import BaseHandler
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.urls import Resolver404, ResolverMatch, URLResolver, get_resolver, set_script_prefix
from django.utils.module_loading import import_string

from apps.core.http import refusing
from apps.core.http.refusing import Receive, Send
from apps.core.http.threads import Lease, Threads

API = "/api/"
_THREAD = "chatsystem.thread"  # of the request, in its scope
_BRIEF = "chatsystem.is_brief"
View = TypeVar("View", bound=Callable[..., Awaitable[HttpResponseBase]])


def brief(view: View) -> View:
    """Mark an async view of the API that never streams: what it has begun ends, also where the client leaves."""
    view.is_brief = True  # type: ignore[attr-defined]
    return view


class Handler(ASGIHandler):
    """The HTTP door.

    Args:
        threads: how many sync views run at once.
        waiting: calls that may wait for a thread; more are refused with 503 at once, before their body is read.
    """

    def __init__(self, *, threads: int = 16, waiting: int = 400) -> None:
        super().__init__()
        self._sync = _Chain()
        self._sync.load_middleware(is_async=False)
        self._api = _ApiChain()
        self._api.load_middleware()
        self._threads = Threads(threads)
        self._most = threads + waiting
        self._largest = settings.DATA_UPLOAD_MAX_MEMORY_SIZE

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if self._threads.waiting > self._most:
            await refusing.refuse_as_busy(send)
            return
        if refusing.announced_bytes(scope) > self._largest:
            await refusing.refuse_as_too_large(send, limit_bytes=self._largest)
            return
        sending = refusing.Sending(send)
        bounded = refusing.bounded(receive, sending, limit_bytes=self._largest)
        view = _async_view_of(scope)
        try:
            with self._threads.lease(is_needed=view is None) as thread:
                async with ThreadSensitiveContext(executor=thread):
                    is_brief = getattr(view, "is_brief", False)
                    await self.handle({**scope, _THREAD: thread, _BRIEF: is_brief}, bounded, sending)
        except asyncio.CancelledError:  # the process stops, and this view did not end in its time
            if sending.has_begun:
                raise
            await refusing.refuse_as_busy(send)

    async def handle(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer Django's way; two tasks, and signals to nobody, cost as much as a brief view."""
        if not scope[_BRIEF]:
            await super().handle(scope, receive, send)
            return
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        with closing(body):
            set_script_prefix(get_script_prefix(scope))
            request, refusal = self.create_request(scope, body)
            response = (
                await self.run_get_response(request)
                if request is not None
                else cast("HttpResponseBase", refusal)
            )
            try:
                await self.send_response(response, send)
            finally:
                if scope[_THREAD].is_taken:  # what it has open is given back there
                    await sync_to_async(response.close)()

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Answer on the event loop or in the request's thread, as the view asks for."""
        response: HttpResponseBase
        if not _is_async(request):
            response = await sync_to_async(self._sync.get_response)(request)
        elif request.path_info.startswith(API):
            response = await self._answer_on_the_loop(request)
        else:
            response = await super().get_response_async(request)
        if isinstance(response, StreamingHttpResponse) and not response.is_async:
            response.streaming_content = _in_thread(response.streaming_content)  # type: ignore[arg-type]  # it is sync
        return response

    async def _answer_on_the_loop(self, request: HttpRequest) -> HttpResponseBase:
        """Answer by the short chain; what the view, or its stream, does in a thread has one of its own.

        What Django does around it ends what that thread has open. Without one it has nothing to do, and a change of
        threads for that would cost more than most views.
        """
        thread: Lease = cast("ASGIRequest", request).scope[_THREAD]
        thread.is_needed = True
        response = await self._api.get_response_async(request)
        thread.is_needed = response.streaming
        return response

    def close(self) -> None:
        """Give up the threads."""
        self._threads.close()


class _Chain(BaseHandler):
    """A chain that takes the view that was looked up already."""

    def resolve_request(self, request: HttpRequest) -> ResolverMatch:
        """Return the match of this request, unless a middleware has named other routes since."""
        found = request.resolver_match
        if found is None or hasattr(request, "urlconf"):
            found = super().resolve_request(request)
        return found


class _ApiChain(_Chain):
    """The short chain; every part of it must run on the event loop."""

    def load_middleware(self, is_async: bool = True) -> None:  # noqa: ARG002 - Django's signature
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        chain = convert_exception_to_response(self._get_response_async)  # type: ignore[attr-defined]  # Django's own
        for path in reversed(settings.ASYNC_API_MIDDLEWARE):
            middleware = import_string(path)(chain)
            if not iscoroutinefunction(middleware):
                raise ImproperlyConfigured(f"{path} cannot run on the event loop")
            if hasattr(middleware, "process_exception"):
                self._exception_middleware.append(middleware.process_exception)
            chain = convert_exception_to_response(middleware)
        self._middleware_chain = chain


def _async_view_of(scope: dict[str, Any]) -> Callable[..., Any] | None:
    """Return the view, where it is an async one of the API."""
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    match = _find(path) if path.startswith(API) else None
    return match.func if match is not None and iscoroutinefunction(match.func) else None


def _is_async(request: HttpRequest) -> bool:
    """Look the view up; both chains find the match in the request and do not search a second time."""
    match = _find(request.path_info)
    if match is None:
        return False
    request.resolver_match = match
    return iscoroutinefunction(match.func)


def _find(path: str) -> ResolverMatch | None:
    try:
        return _match(get_resolver(), path)
    except Resolver404:
        return None


@lru_cache(maxsize=2048)  # the same few addresses come again and again, and a search tries a hundred patterns
def _match(resolver: URLResolver, path: str) -> ResolverMatch:
    return resolver.resolve(path)


async def _in_thread(content: Iterable[bytes]) -> AsyncIterator[bytes]:
    """Read a sync stream piece by piece; Django would read all of it at once."""
    pieces = iter(content)
    following = sync_to_async(lambda: next(pieces, None))
    while (piece := await following()) is not None:
        yield piece
