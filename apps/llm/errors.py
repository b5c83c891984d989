"""Refusals of the gateway."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.core.errors import InvalidInput, TooManyRequests, Unavailable
from apps.llm.types import Trouble


class CallFailed(Exception):
    """One attempt at a provider failed.

    Attributes:
        can_retry: another attempt may succeed: network, 429, 5xx.
        retry_after_seconds: what the provider asked for, or None.
    """

    def __init__(
        self,
        trouble: Trouble,
        detail: str = "",
        *,
        can_retry: bool = False,
        retry_after_seconds: float | None = None,
    ) -> None:
        self.trouble, self.detail = trouble, detail
        self.can_retry, self.retry_after_seconds = can_retry, retry_after_seconds
        super().__init__(f"{trouble}: {detail}")


class ModelUnavailable(Unavailable):
    """No model answers now; the ladder goes one rung down."""

    code = "llm.model_unavailable"
    message = _("The language model does not answer.")

    def __init__(self, trouble: Trouble) -> None:
        self.trouble = trouble
        super().__init__()


class BudgetSpent(TooManyRequests):
    """The organization's tokens of this day are used up, or reserved by calls under way."""

    code = "llm.budget_spent"
    message = _("Today's budget for language models is used up.")


class PromptTooLong(InvalidInput):
    """Prompt and answer do not fit the model's window."""

    code = "llm.prompt_too_long"
    message = _("The question and its sources are too long for the language model.")


class NothingRegistered(LookupError):
    """A capability nobody has registered: the installation lacks the app that owns it."""
