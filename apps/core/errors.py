"""The one error shape: a code for programs, a status for HTTP, a sentence for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


class DomainError(Exception):
    """A refusal the caller can act on; entry points turn it into a problem document or a socket frame.

    Attributes:
        code: stable, `app.reason`; programs switch on it.
        status: HTTP status.
        message: one translated sentence; may hold %(name)s fields filled from `fields`.
    """

    code: ClassVar[str] = "core.refused"
    status: ClassVar[int] = 400
    message: ClassVar[Text] = _("This is not possible.")

    def __init__(
        self, *, errors: list[FieldError] | None = None, retry_after_seconds: int | None = None, **fields: Any
    ) -> None:
        self.fields: Mapping[str, Any] = fields
        self.errors = errors or []
        self.retry_after_seconds = retry_after_seconds
        super().__init__(self.code)

    @property
    def detail(self) -> str:
        """The sentence in the active language."""
        text = str(self.message)
        return text % self.fields if self.fields else text


class FieldError:
    """One wrong field of an input: where, which code, what to do.

    Attributes:
        start, end: which characters of the field's text, where only a part of it is wrong.
    """

    __slots__ = ("code", "detail", "end", "field", "start")

    def __init__(
        self, *, field: str, code: str, detail: str, start: int | None = None, end: int | None = None
    ) -> None:
        self.field, self.code, self.detail = field, code, detail
        self.start, self.end = start, end

    def as_dict(self) -> dict[str, str | int]:
        place = {} if self.start is None or self.end is None else {"start": self.start, "end": self.end}
        return {"field": self.field, "code": self.code, "detail": self.detail, **place}


class NotFound(DomainError):
    """Missing, or not visible to the caller: the two are never told apart."""

    code = "core.not_found"
    status = 404
    message = _("This does not exist, or you have no access.")


class Forbidden(DomainError):
    """Visible, but the caller's role or scopes do not allow the action."""

    code = "core.forbidden"
    status = 403
    message = _("Your role does not allow this.")


class NotSignedIn(DomainError):
    code = "core.not_signed_in"
    status = 401
    message = _("Sign in first.")


class InvalidInput(DomainError):
    """Malformed values; `errors` names each field."""

    code = "core.invalid_input"
    status = 400
    message = _("Some values are not valid.")


class Conflict(DomainError):
    code = "core.conflict"
    status = 409
    message = _("Someone else changed this in the meantime.")


class PreconditionFailed(Conflict):
    code = "core.version_conflict"
    status = 412


class TooManyRequests(DomainError):
    code = "core.rate_limited"
    status = 429
    message = _("Too many requests. Wait a moment and try again.")


class Unavailable(DomainError):
    """A part this needs is down for the moment; trying again later is right."""

    code = "core.unavailable"
    status = 503
    message = _("This part of the system is restarting. Nothing was lost; try again in a moment.")


class OrganizationRequired(DomainError):
    code = "core.organization_required"
    status = 400
    message = _("Name the organization: send its id in the header `Organization`.")
