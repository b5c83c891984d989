"""The console's page of outgoing connections: which hosts the server reaches for this organization."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.services import access
from apps.core import console_shell
from apps.core.selectors.outbound_hosts import list_hosts
from apps.core.services import outbound_hosts
from apps.ops.console.common import OUTBOUND, ConsoleRequest

MANAGE = "organization.manage"


@require_safe
def hosts(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """Show both lists."""
    principal = request.principal
    listed = list_hosts(organization_id=principal.organization_id)
    context = {
        "console_page": OUTBOUND,
        "allowed": [host for host in listed if host.is_allowed],
        "denied": [host for host in listed if not host.is_allowed],
        "may_change": bool(access.can(principal, MANAGE)),
    }
    return render(request, "console/outbound.html", context)


@require_POST
def add_host(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Put a host on a list."""
    access.require(request.principal, MANAGE)
    return _changed(
        request,
        lambda: outbound_hosts.set_host(
            organization_id=request.principal.organization_id,
            actor_id=request.principal.id,
            pattern=request.POST.get("pattern", ""),
            is_allowed=request.POST.get("list") == "allowed",
        ),
    )


@require_POST
def remove_host(request: ConsoleRequest, slug: str, host_id: UUID) -> HttpResponse:  # noqa: ARG001
    """Take a host off its list."""
    access.require(request.principal, MANAGE)
    return _changed(
        request,
        lambda: outbound_hosts.remove_host(
            organization_id=request.principal.organization_id, actor_id=request.principal.id, host_id=host_id
        ),
    )


def _changed(request: ConsoleRequest, do: Callable[[], object]) -> HttpResponse:
    return console_shell.act(
        request, do, back=console_shell.address(request.principal, OUTBOUND), said=_("Saved")
    )
