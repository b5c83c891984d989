"""What needs somebody's attention, each with its cause and the way to do something about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.types import Principal
from apps.chat.selectors.moderation import MODERATE, count_open
from apps.core import console_shell
from apps.core.selectors.given_up import count_dead_letters
from apps.core.services.database_roles import missing_walls
from apps.documents.selectors.administration import DocumentCounts
from apps.ops.console.common import STATUS, reach
from apps.ops.types import PartStatus
from apps.runs.selectors.administration import RunCounts

PATIENCE = timedelta(minutes=1)


@dataclass(frozen=True)
class Todo:
    """A line of "Needs you"."""

    title: str
    text: str
    url: str
    action: str
    is_bad: bool = False


def todos(
    principal: Principal, parts: Sequence[PartStatus], counts: RunCounts, documents: DocumentCounts
) -> list[Todo]:
    """Return what needs attention, worst first. Three queries."""
    found = [*_from_parts(principal, parts), *_from_letters(principal), *_from_walls(principal)]
    found += _from_documents(principal, documents)
    if console_shell.may_open(principal, MODERATE):
        found += _from_reports(principal)
    if console_shell.may_open(principal, "run.view_any"):
        found += _from_runs(principal, counts)
    return sorted(found, key=lambda todo: not todo.is_bad)


def _from_parts(principal: Principal, parts: Sequence[PartStatus]) -> Iterator[Todo]:
    for part in parts:
        if part.tone in ("bad", "warn"):
            yield Todo(
                title=f"{part.name}: {part.said}",
                text=part.effect,
                url=f"{console_shell.address(principal, STATUS)}#{part.key}",
                action=_("Show status"),
                is_bad=part.tone == "bad",
            )


def _from_letters(principal: Principal) -> Iterator[Todo]:
    count = count_dead_letters(reach(principal))
    if count:
        yield Todo(
            title=ngettext("%(count)s event was given up", "%(count)s events were given up", count)
            % {"count": count},
            text=_("A consumer failed several times and went on without it."),
            url=f"{console_shell.address(principal, STATUS)}#given-up",
            action=_("Review"),
            is_bad=True,
        )


def _from_walls(principal: Principal) -> Iterator[Todo]:
    missing = missing_walls()
    if missing:
        yield Todo(
            title=_("Walls between organizations are off"),
            text=_("This database lacks the roles %(roles)s.") % {"roles": ", ".join(missing)},
            url=f"{console_shell.address(principal, STATUS)}#walls",
            action=_("Show status"),
        )


def _from_reports(principal: Principal) -> Iterator[Todo]:
    count = count_open(principal)
    if count:
        yield Todo(
            title=ngettext("%(count)s reported message waits", "%(count)s reported messages wait", count)
            % {"count": count},
            text=_("Somebody says that something is wrong with it."),
            url=console_shell.address(principal, "reports"),
            action=_("Decide"),
        )


def _from_documents(principal: Principal, documents: DocumentCounts) -> Iterator[Todo]:
    count = documents.failed
    if count:
        yield Todo(
            title=ngettext(
                "%(count)s document has unread pages", "%(count)s documents have unread pages", count
            )
            % {"count": count},
            text=_("What could be read is found by search; the rest can be tried again."),
            url=f"{console_shell.address(principal, 'documents')}?state=gaps",
            action=_("Review"),
        )


def _from_runs(principal: Principal, counts: RunCounts) -> Iterator[Todo]:
    runs = console_shell.address(principal, "runs")
    if counts.failed:
        yield Todo(
            title=ngettext("%(count)s run failed", "%(count)s runs failed", counts.failed)
            % {"count": counts.failed},
            text=_("Within the last 7 days. What succeeded is kept; only the rest is tried again."),
            url=f"{runs}?state=failed",
            action=_("Review"),
            is_bad=True,
        )
    if counts.incomplete:
        yield Todo(
            title=ngettext("%(count)s run has gaps", "%(count)s runs have gaps", counts.incomplete)
            % {"count": counts.incomplete},
            text=_("They ended, but single steps of them failed."),
            url=f"{runs}?state=gaps",
            action=_("Review"),
        )
    if counts.late_since and timezone.now() - counts.late_since > PATIENCE:
        yield Todo(
            title=_("Runs wait for a worker"),
            text=_("All workers are busy, or none runs."),
            url=f"{runs}?state=open",
            action=_("Show runs"),
        )
