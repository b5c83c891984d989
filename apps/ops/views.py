"""Health and metrics over HTTP, and the pages of the API document."""

from __future__ import annotations

import ipaddress
import secrets
from urllib.parse import urlsplit

import orjson
from csp.decorators import csp_update
from django.conf import settings
from django.contrib.auth.decorators import login_not_required, login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from apps.ops.selectors import figures, health

_FORWARDING = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP")


@login_not_required
@require_safe
def readyz(_request: HttpRequest) -> HttpResponse:
    """Say whether this process can serve, and how each part is; 503 while the database is away."""
    found = health.check()
    body = {
        "status": found.status,
        "instance": settings.INSTANCE,
        "parts": {part.name: {"state": part.state, "note": part.note} for part in found.parts},
    }
    headers = {"Cache-Control": "no-store"} | ({} if found.is_ready else {"Retry-After": "2"})
    status = 200 if found.is_ready else 503
    return HttpResponse(orjson.dumps(body), status=status, content_type="application/json", headers=headers)


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer Prometheus; for everyone else this does not exist."""
    if not _may_see_metrics(request):
        raise Http404
    return HttpResponse(figures.exposition(), content_type=CONTENT_TYPE_LATEST)


# Both programs set inline styles; Redoc also starts a worker from a blob. Neither runs an inline script.
@login_required
@require_safe
@csp_update({"style-src": ["'unsafe-inline'"]})
def swagger(request: HttpRequest) -> HttpResponse:
    """Show the API document with Swagger UI, to try calls as oneself."""
    return render(request, "ops/swagger.html")


@login_required
@require_safe
@csp_update({"style-src": ["'unsafe-inline'"], "worker-src": ["blob:"]})
def redoc(request: HttpRequest) -> HttpResponse:
    """Show the API document with Redoc, to read."""
    return render(request, "ops/redoc.html")


def _may_see_metrics(request: HttpRequest) -> bool:
    token = settings.CONFIGURATION.server.metrics_token
    if token is not None:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return secrets.compare_digest(given.encode(), token.get_secret_value().encode())
    # Without a token only for a server that is not public at all: a proxy in front may also come from loopback.
    return (
        _is_loopback(urlsplit(settings.PUBLIC_URL).hostname or "")
        and _is_loopback(request.META.get("REMOTE_ADDR", ""))
        and not any(name in request.META for name in _FORWARDING)
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
