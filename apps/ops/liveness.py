"""`/livez`: this process takes connections and answers. It touches no thread, no database and no Redis."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

ADDRESS = "/livez"
Application = Callable[[Any, Any, Any], Awaitable[None]]


def said() -> bytes:
    """Return the answer."""
    return orjson.dumps({"status": "alive", "instance": settings.INSTANCE})


def before(application: Application) -> Application:
    """Answer `/livez` on the event loop in front of everything else."""

    async def answer(scope: Any, send: Any) -> None:
        body = said()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def asked(scope: Any, receive: Any, send: Any) -> Awaitable[None]:
        if scope["type"] != "http" or scope["path"] != ADDRESS or scope["method"] not in ("GET", "HEAD"):
            return application(scope, receive, send)
        return answer(scope, send)

    return asked


@login_not_required
@require_safe
def livez(_request: HttpRequest) -> HttpResponse:
    """Answer the same where another server runs the application."""
    return HttpResponse(said(), content_type="application/json", headers={"Cache-Control": "no-store"})
