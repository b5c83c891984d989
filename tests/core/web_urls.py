"""Addresses for tests of the HTTP door."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_not_required
from django.core.signals import request_finished, request_started
from django.db import OperationalError, connection
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from apps.core.api.problems import request_id, speaks_problems
from apps.core.errors import Conflict, NotFound, NotSignedIn
from apps.core.http.handler import brief
from apps.ops.urls import root_urlpatterns

together = threading.Barrier(8)
fell_asleep = threading.Event()
released = asyncio.Event()
begun, ended = asyncio.Queue[str](), asyncio.Queue[str]()
signalled: list[str] = []  # the threads in which Django told its receivers of a request


@receiver([request_started, request_finished])
def note_thread(**_told: object) -> None:
    signalled.append(threading.current_thread().name.split("-")[0])


@login_not_required
def meet(_request: HttpRequest) -> HttpResponse:
    """Answers once eight requests are here at the same time."""
    together.wait(10)
    return HttpResponse(threading.current_thread().name)


@login_not_required
def query(_request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return HttpResponse(str(cursor.fetchone()[0]))


@login_not_required
def query_for_long(_request: HttpRequest) -> HttpResponse:
    """Asks what takes ten minutes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(600)")
    return HttpResponse()


@login_not_required
def sleep(_request: HttpRequest) -> HttpResponse:
    """Hangs in its thread, as a view with a lost connection would."""
    fell_asleep.set()
    time.sleep(30)
    return HttpResponse()


@login_not_required
def refuse(request: HttpRequest, what: str) -> HttpResponse:
    match what:
        case "missing":
            raise NotFound
        case "conflict":
            raise Conflict
        case "visitor":
            raise NotSignedIn
        case "away":
            raise OperationalError("host=10.9.8.7 refused")
    raise KeyError("secret detail")


@login_not_required
def asleep(_request: HttpRequest) -> HttpResponse:
    """Answers once another view hangs."""
    fell_asleep.wait(20)
    return HttpResponse()


@login_not_required
def stream(_request: HttpRequest) -> StreamingHttpResponse:
    def pieces() -> Iterator[bytes]:
        for _ in range(3):
            yield threading.current_thread().name.split("-")[0].encode() + b";"

    return StreamingHttpResponse(pieces())


@login_not_required
def page(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("<p>page</p>")


@login_not_required
@csrf_exempt
def take(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(len(request.body)))


@speaks_problems
async def on_loop(request: HttpRequest) -> HttpResponse:
    if "missing" in request.GET:
        raise NotFound
    if "fault" in request.GET:
        raise KeyError("secret detail")
    told = {
        "thread": threading.current_thread().name,
        "request_id": request_id(),
        "signalled": signalled[-3:],
    }
    return JsonResponse(told)


@brief
async def at_once(request: HttpRequest) -> HttpResponse:
    return await on_loop(request)


async def ask_from_loop(_request: HttpRequest) -> HttpResponse:
    """Asks the database as most async views do that ask once."""
    pid, thread = await sync_to_async(_asked)()
    return JsonResponse({"pid": pid, "thread": thread})


@brief
async def ask_at_once(request: HttpRequest) -> HttpResponse:
    return await ask_from_loop(request)


async def wait_on_loop(_request: HttpRequest) -> HttpResponse:
    """Answers once `tell_ended` releases it."""
    released.clear()
    begun.put_nowait("begun")
    try:
        await released.wait()
    except asyncio.CancelledError:
        ended.put_nowait("cancelled")
        raise
    ended.put_nowait("released")
    return HttpResponse()


@brief
async def wait_at_once(request: HttpRequest) -> HttpResponse:
    return await wait_on_loop(request)


async def tell_begun(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(await begun.get())


async def tell_ended(request: HttpRequest) -> HttpResponse:
    if "release" in request.GET:
        released.set()
    return HttpResponse(await ended.get())


async def stream_from_loop(_request: HttpRequest) -> StreamingHttpResponse:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(2):
            yield b"%d;" % (await sync_to_async(_asked)())[0]

    return StreamingHttpResponse(pieces(), content_type="text/event-stream")


def _asked() -> tuple[int, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0], threading.current_thread().name.split("-")[0]


async def away_on_loop(_request: HttpRequest) -> HttpResponse:
    raise OperationalError("host=10.9.8.7 refused")


async def stream_on_loop(_request: HttpRequest) -> StreamingHttpResponse:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"data: 1\n\n"

    return StreamingHttpResponse(pieces(), content_type="text/event-stream")


urlpatterns = [
    *root_urlpatterns,
    path("meet", meet),
    path("query", query),
    path("api/v1/query", query),
    path("api/v1/long", query_for_long),
    path("sleep", sleep),
    path("asleep", asleep),
    path("refuse/<str:what>", refuse),
    path("api/v1/refuse/<str:what>", refuse),
    path("stream", stream),
    path("page", page),
    path("take", take),
    path("api/v1/loop", on_loop),
    path("api/v1/brief", at_once),
    path("api/v1/asks", ask_from_loop),
    path("api/v1/brief/asks", ask_at_once),
    path("api/v1/asks/stream", stream_from_loop),
    path("api/v1/waits", wait_on_loop),
    path("api/v1/brief/waits", wait_at_once),
    path("api/v1/begun", tell_begun),
    path("api/v1/ended", tell_ended),
    path("api/v1/away", away_on_loop),
    path("api/v1/events", stream_on_loop),
]
handler400 = "apps.core.http.error_pages.bad_request"
handler403 = "apps.core.http.error_pages.forbidden"
handler404 = "apps.core.http.error_pages.not_found"
handler500 = "apps.core.http.error_pages.server_error"
