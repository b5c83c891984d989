"""The console's page of settings: each with its effective value and where it comes from; and mail in files."""

from __future__ import annotations

from django.conf import settings as django_settings
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.accounts.services import trail
from apps.core import console_shell
from apps.core.errors import NotFound
from apps.ops.actions import MAIL_SHOWN, SETTINGS_SHOWN
from apps.ops.console.common import SETTINGS, ConsoleRequest
from apps.ops.selectors import configuration, written_mail


@never_cache
@require_safe
def settings(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """List every setting."""
    query = request.GET.get("q", "")[:100]
    with transaction.atomic():
        trail.note(request.principal, SETTINGS_SHOWN)
    groups = configuration.effective_settings(query=query)
    context = {
        "console_page": SETTINGS,
        "query": query,
        "groups": groups,
        "total": sum(len(group.values) for group in groups),
        "profile": django_settings.PROFILE,
        "reads_mail": request.principal.is_staff and written_mail.is_written_to_files(),
        "mail": written_mail.list_mail() if request.principal.is_staff and not query else [],
    }
    return render(request, "console/settings.html", context)


@never_cache
@require_safe
def mail(request: ConsoleRequest, slug: str, mail_id: str) -> HttpResponse:  # noqa: ARG001
    """Show one message that was written to a file; to operators only, as it may hold a link that signs in."""
    if not request.principal.is_staff:
        raise NotFound
    found = written_mail.get_mail(mail_id)
    with transaction.atomic():
        trail.note(request.principal, MAIL_SHOWN, "mail", mail_id)
    return console_shell.page_or_dialog(
        request, "console/settings/mail.html", {"mail": found}, page=SETTINGS, title=found.subject
    )
