"""Refusals that belong to HTTP itself, not to a feature."""

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, DomainError, InvalidInput


class Malformed(InvalidInput):
    """The body or the address cannot be read at all."""

    code = "core.malformed"
    message = _("The request could not be read: %(reason)s.")


class BodyTooLarge(DomainError):
    code = "core.body_too_large"
    status = 413
    message = _("The request is larger than %(limit_kb)s KB.")


class AddressTooLong(DomainError):
    code = "core.address_too_long"
    status = 414
    message = _("The address is too long. Send long values in the body.")


class MediaTypeNotSupported(DomainError):
    code = "core.media_type_not_supported"
    status = 415
    message = _("Send the body as JSON, with `Content-Type: application/json`.")


class NotAcceptable(DomainError):
    code = "core.not_acceptable"
    status = 406
    message = _("This is answered as JSON only.")


class MethodNotAllowed(DomainError):
    code = "core.method_not_allowed"
    status = 405
    message = _("This address does not take that method.")


class CursorInvalid(InvalidInput):
    code = "core.cursor_invalid"
    message = _("This cursor is not one of this list. Start again without a cursor.")


class PreconditionRequired(DomainError):
    """A change of an editable object without the version it was made from."""

    code = "core.version_required"
    status = 428
    message = _("Send the version you edited in the header `If-Match`.")


class IdempotencyKeyInvalid(InvalidInput):
    code = "core.idempotency_key_invalid"
    message = _("`Idempotency-Key` has 1 to 200 visible ASCII characters.")


class IdempotencyKeyReused(DomainError):
    code = "core.idempotency_key_reused"
    status = 422
    message = _("This `Idempotency-Key` was used for another request.")


class RequestInProgress(Conflict):
    code = "core.request_in_progress"
    message = _("The same request is being worked on. Ask again in a moment.")


class CrossSiteRequest(DomainError):
    """A browser sent this for another page, or the page is older than its token."""

    code = "core.cross_site_request"
    status = 403
    message = _("The page was open for too long, or another site sent this. Reload the page and try again.")


class ServerFault(DomainError):
    """A fault of ours: nothing about it leaves the house but the request id."""

    code = "core.server_fault"
    status = 500
    message = _("Something went wrong on our side. Nothing was changed.")
