"""What is written in other ways than as a message: drafts, schedules, reminders, polls, commands, searches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.chat.types import SearchProblem, SearchProblemReason
from apps.core.errors import Conflict, DomainError, FieldError, InvalidInput, NotFound, Text


class ScheduledNotFound(NotFound):
    code = "chat.scheduled_not_found"


class DraftNotFound(NotFound):
    code = "chat.draft_not_found"


class ReminderNotFound(NotFound):
    code = "chat.reminder_not_found"


class TimeNotPossible(InvalidInput):
    code = "chat.time_not_possible"
    message = _("Choose a time in the future that is not too far away.")


class TooManyScheduled(Conflict):
    code = "chat.too_many_scheduled"
    message = _("At most %(limit)s messages wait for their time. Take one back first.")


class TooManyReminders(Conflict):
    code = "chat.too_many_reminders"
    message = _("At most %(limit)s reminders wait for their time. Take one away first.")


class ScheduleMissed(Conflict):
    code = "chat.schedule_missed"
    message = _("The server was away at that time, for more than a day.")


class PollInvalid(InvalidInput):
    code = "chat.poll_invalid"
    message = _(
        "A poll has a question and 2 to 20 different answers, of which one is chosen unless several are asked."
    )


class PollNotFound(NotFound):
    code = "chat.poll_not_found"


class PollClosed(Conflict):
    code = "chat.poll_closed"
    message = _("This poll is closed.")


class UnknownCommand(InvalidInput):
    code = "chat.unknown_command"
    message = _(
        "There is no command %(name)s. Put a space before it to send it as text; /help lists the commands."
    )


class CommandIncomplete(InvalidInput):
    code = "chat.command_incomplete"
    message = _("Write it like this: %(usage)s")


class CommandNotScheduled(InvalidInput):
    code = "chat.command_not_scheduled"
    message = _("A command runs at once and cannot be sent later.")


class TimeUnreadable(InvalidInput):
    code = "chat.time_unreadable"
    message = _("Begin with a time: 20m, 2h, 3d, 14:30, tomorrow 9:00 or 2026-12-01 09:00.")


def failure_text(code: str, fields: Mapping[str, Any]) -> str:
    """Return the sentence of a stored code in the active language; empty for none, the general one for a stranger."""
    if not code:
        return ""
    waiting: list[type[DomainError]] = [DomainError]
    for kind in waiting:
        if kind.code == code:
            return str(kind.message) % fields if fields else str(kind.message)
        waiting.extend(kind.__subclasses__())
    return str(DomainError.message)


class SearchNotUnderstood(InvalidInput):
    """A search with parts that cannot be read; `errors` names the place of each, `problems` has them for a page."""

    code = "chat.search_not_understood"
    message = _("A part of this search cannot be understood.")
    sentences: ClassVar[Mapping[SearchProblemReason, Text]] = {
        "unknown_operator": _("There is no operator such as “%(text)s”."),
        "value_missing": _("Something has to stand behind “%(text)s”."),
        "value_unknown": _("“%(text)s” is not possible here."),
        "date_unknown": _("“%(text)s” names no day, month or year."),
        "too_many": _("A search has at most 40 parts."),
    }

    def __init__(self, problems: Sequence[SearchProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            errors=[
                FieldError(
                    field="q",
                    code=problem.reason,
                    detail=self.sentence(problem),
                    start=problem.start,
                    end=problem.end,
                )
                for problem in problems
            ]
        )

    @classmethod
    def sentence(cls, problem: SearchProblem) -> str:
        """Return what is wrong with a part, and what could be meant, in the active language."""
        told = str(cls.sentences[problem.reason]) % {"text": problem.text}
        if not problem.suggestions:
            return told
        return f"{told} " + gettext("Possible: %(ways)s.") % {"ways": ", ".join(problem.suggestions)}
