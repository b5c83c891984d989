"""The console's status page: every part, every process, every consumer, and what was given up."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.accounts.services import access
from apps.core import console_shell, tenancy
from apps.core.errors import Conflict
from apps.core.selectors import given_up
from apps.core.services import dead_letters
from apps.core.services.database_roles import missing_walls
from apps.ops.console.common import STATUS, ConsoleRequest, reach
from apps.ops.selectors import parts, versions


class ReplayFailed(Conflict):
    """The consumer failed again."""

    code = "ops.replay_failed"
    message = gettext_lazy("It failed again: %(reason)s. It stays in the list.")


@never_cache
@require_safe
def status(request: ConsoleRequest, slug: str) -> HttpResponse:  # noqa: ARG001 - the middleware read it
    """Show every part, and what works less well because of one."""
    looked = parts.look()
    shown = parts.all_parts(looked)
    waiting = given_up.waiting_by_consumer()
    context = {
        "console_page": STATUS,
        "parts": shown,
        "headline": parts.headline(shown),
        "kept": looked.kept,
        "pulses": looked.pulses,
        "log": looked.log,
        "consumers": [
            (consumer, waiting.get(consumer.name), given_up.last_line(consumer.last_error))
            for consumer in looked.log.consumers
        ],
        "letters": given_up.list_dead_letters(reach(request.principal)),
        "may_settle": bool(access.can(request.principal, "run.manage")),
        "walls": missing_walls(),
        "model": looked.model,
        "versions": versions.installed(),
    }
    return render(request, "console/status.html", context)


@require_POST
def settle(request: ConsoleRequest, slug: str, letter_id: int) -> HttpResponse:  # noqa: ARG001
    """Give a dead letter to its consumer once more, or let it go."""
    access.require(request.principal, "run.manage")
    organization_id = given_up.get_dead_letter_organization(reach(request.principal), letter_id)
    is_replay = request.POST.get("action") == "replay"

    def do() -> None:
        with tenancy.use(organization_id):
            if not is_replay:
                dead_letters.dismiss(dead_letter_id=letter_id, actor_id=request.principal.id)
            elif error := dead_letters.replay(dead_letter_id=letter_id, actor_id=request.principal.id).error:
                raise ReplayFailed(reason=error)

    return console_shell.act(
        request,
        do,
        back=f"{console_shell.address(request.principal, STATUS)}#given-up",
        said=_("The consumer took the event") if is_replay else _("The event is dismissed"),
    )
