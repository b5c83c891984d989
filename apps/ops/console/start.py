"""`/console/`: the way into the console of the organization used last."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_safe

from apps.accounts.types import Principal
from apps.core import console_shell
from apps.core.errors import NotFound


@require_safe
def enter(request: HttpRequest) -> HttpResponse:
    """Go to the overview of the organization used last, or of the only one."""
    principal: Principal | None = getattr(request, "principal", None)
    if principal is None or not console_shell.may_open(principal, console_shell.VIEW):
        raise NotFound
    return HttpResponseRedirect(console_shell.address(principal))
