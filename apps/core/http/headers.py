"""The protections every answer carries, whoever gives it: a view, the static files, the server in front of Django.

Django's middleware writes the same for its answers; `completed` adds what is missing to those it never saw.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from functools import lru_cache
from typing import Any

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer", "browsing-topics", "camera", "display-capture", "geolocation", "gyroscope", "hid",
        "magnetometer", "microphone", "midi", "payment", "serial", "usb", "xr-spatial-tracking",
    )
)  # fmt: skip
# For what is no page: nothing is loaded, run or framed.
BARE_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
# The service worker is under the policy it came with: it asks this server, and consists of several files.
WORKER_POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'"
_WORKER = "/worker.js"
_ADMIN = "/admin/"

Application = Callable[[Any, Any, Any], Awaitable[None]]
Pairs = Iterable[tuple[bytes, bytes]]
_ANSWERS = frozenset({"http.response.start", "websocket.http.response.start"})


class ContentPolicy(CSPMiddleware):
    """The content policy with a nonce of its own on each answer, whether its page has a script or not.

    Scripts run by the nonce alone. Django's admin writes its script tags without one, so there scripts of our own
    address run as well; files that people sent are never served under a type a browser runs (`files.delivery`).
    """

    def process_request(self, request: HttpRequest) -> None:
        """Make the nonce."""
        super().process_request(request)
        self._make_nonce(request)

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        """Return what differs from the settings."""
        parts = super().get_policy_parts(request, response, report_only)
        if request.path_info.startswith(_ADMIN):
            parts.update = {**(parts.update or {}), "script-src": ["'self'"]}
        return parts


def fixed() -> dict[str, str]:
    """Return the headers that are the same on every answer."""
    headers = {
        "Content-Security-Policy": BARE_POLICY,
        "Cross-Origin-Opener-Policy": settings.SECURE_CROSS_ORIGIN_OPENER_POLICY,
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": PERMISSIONS,
        "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": settings.X_FRAME_OPTIONS,
    }
    if settings.SECURE_HSTS_SECONDS:
        headers["Strict-Transport-Security"] = (
            f"max-age={settings.SECURE_HSTS_SECONDS}; includeSubDomains; preload"
        )
    return headers


def of_static(headers: MutableMapping[str, str], _path: str, url: str) -> None:
    """Add them to a static file (`WHITENOISE_ADD_HEADERS_FUNCTION`)."""
    for name, value in fixed().items():
        headers[name] = value
    if url == _WORKER:
        headers["Content-Security-Policy"] = WORKER_POLICY


def completed(application: Application) -> Application:
    """Add what is missing to every answer over HTTP, refused handshakes of sockets among them."""

    def answer(scope: Mapping[str, Any], receive: Any, send: Any) -> Awaitable[None]:
        async def complete(message: MutableMapping[str, Any]) -> None:
            if message["type"] in _ANSWERS:
                message["headers"] = _with_missing(message.get("headers", ()))
            await send(message)

        return application(scope, receive, complete)

    return answer


def raw() -> bytes:
    """Return them as lines of an answer that is written by hand."""
    return b"".join(b"%s: %s\r\n" % pair for pair in _fixed_pairs())


def _with_missing(given: Pairs) -> list[tuple[bytes, bytes]]:
    pairs = [(bytes(name), bytes(value)) for name, value in given]
    names = {name.lower() for name, _value in pairs}
    return [*pairs, *(pair for pair in _fixed_pairs() if pair[0] not in names)]


@lru_cache(maxsize=1)
def _fixed_pairs() -> tuple[tuple[bytes, bytes], ...]:
    return tuple((name.lower().encode(), value.encode()) for name, value in fixed().items())
