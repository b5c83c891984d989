"""`/csp-report/`: browsers tell what a page's content policy blocked. Counted by directive; nothing of it is kept."""

from __future__ import annotations

from typing import Any

import orjson
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from prometheus_client import Counter

from apps.core.http.addresses import client_address, network
from apps.core.services import limits
from apps.core.services.limits import Bucket

LARGEST_BYTES = 16 * 1024
_PER_MINUTE, _BURST = 60, 60
_DIRECTIVES = frozenset(
    {
        "default-src", "script-src", "script-src-elem", "script-src-attr", "style-src", "style-src-elem",
        "style-src-attr", "img-src", "connect-src", "font-src", "media-src", "object-src", "frame-src",
        "worker-src", "manifest-src", "form-action", "frame-ancestors", "base-uri",
    }
)  # fmt: skip
blocked = Counter(
    "chatsystem_policy_blocked_total", "What browsers say a page's policy blocked", ["directive"]
)


@csrf_exempt  # browsers send it by themselves, without a token; it changes a number
@login_not_required
@require_POST
def policy_report(request: HttpRequest) -> HttpResponse:
    """Count a report. Its addresses may hold secrets of links, so they are not even logged."""
    sender = network(client_address(request))
    if limits.take([Bucket("policy_reports", sender, _PER_MINUTE, _BURST)]).is_allowed:
        blocked.labels(_directive(request.read(LARGEST_BYTES + 1))).inc()
    return HttpResponse(status=204)


def _directive(body: bytes) -> str:
    try:
        said: Any = orjson.loads(body) if len(body) <= LARGEST_BYTES else None
    except orjson.JSONDecodeError:
        said = None
    report = said.get("csp-report") if isinstance(said, dict) else None
    named = (
        report.get("effective-directive") or report.get("violated-directive")
        if isinstance(report, dict)
        else ""
    )
    name = named.partition(" ")[0] if isinstance(named, str) else ""
    return name if name in _DIRECTIVES else "other"
