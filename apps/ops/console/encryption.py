"""The console's page of encryption keys: which there are, what each holds, and the rotation."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.services.step_up import recent_sign_in_required
from apps.core import console_shell
from apps.core.errors import Forbidden
from apps.ops.console.common import ENCRYPTION, ConsoleRequest
from apps.ops.selectors.encryption_keys import list_keys
from apps.ops.services.key_rotation import start_rotation


@never_cache
@require_safe
def keys(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """List the keys; what they hold across organizations is for operators of the server."""
    is_operator = request.principal.is_staff
    context = {
        "console_page": ENCRYPTION,
        "is_operator": is_operator,
        "keys": list_keys() if is_operator else [],
    }
    return render(request, "console/encryption.html", context)


@require_POST
@recent_sign_in_required
def rotate(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001
    """Start the rotation."""
    return console_shell.act(
        request,
        lambda: _start(request),
        back=console_shell.address(request.principal, ENCRYPTION),
        said=_("The rotation has started"),
    )


def _start(request: ConsoleRequest) -> None:
    if not request.principal.is_staff:
        raise Forbidden
    start_rotation(principal=request.principal)
