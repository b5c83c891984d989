"""What is asked for without a sign-in: the service worker, and the end of mail by the link in a mail."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from apps.core import tenancy
from apps.notify.services import mailing, preferences

WORKER = Path(settings.BASE_DIR) / "static" / "js" / "push_worker.js"


@login_not_required
@require_safe
def push_worker(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Return the service worker under an address that stays; browsers compare it by its content."""
    return HttpResponse(
        WORKER.read_bytes(),
        content_type="text/javascript; charset=utf-8",
        headers={"Cache-Control": "no-cache"},
    )


@login_not_required
@csrf_exempt  # the mail program posts it (RFC 8058) without a cookie; the token is the right to do it
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Ask, or with a POST end the mail of one person in one organization. Twice is harmless."""
    found = mailing.read_unsubscribe_token(token)
    if found is None:
        raise Http404
    if request.method == "POST":
        organization_id, person_id = found
        with tenancy.use(organization_id):
            preferences.end_mail(organization_id=organization_id, principal_id=person_id)
    return render(request, "notify/unsubscribe.html", {"is_done": request.method == "POST"})
