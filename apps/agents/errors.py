"""Refusals of agents."""

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, InvalidInput, NotFound


class AgentNotFound(NotFound):
    code = "agents.agent_not_found"
    message = _("This assistant does not exist, or it is switched off.")


class AnswerNotFound(NotFound):
    code = "agents.answer_not_found"


class QuestionInvalid(InvalidInput):
    code = "agents.question_invalid"
    message = _("A question has 1 to %(limit)s characters.")


class StillWriting(Conflict):
    code = "agents.still_writing"
    message = _("The answer is still being written. Stop it first.")
