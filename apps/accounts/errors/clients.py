"""Programs that people let in, as OAuth 2 tells of them."""

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, DomainError, InvalidInput, NotFound


class ClientNotFound(NotFound):
    code = "accounts.client_not_found"


class ConsentNotFound(NotFound):
    code = "accounts.consent_not_found"


class RedirectNotRegistered(InvalidInput):
    """The address to go back to is not one of the client's: nobody is sent there, not even with an error."""

    code = "accounts.redirect_not_registered"
    message = _(
        "This app asked to send you to an address that is not registered for it. Nothing was allowed."
    )


class RedirectNotValid(InvalidInput):
    code = "accounts.redirect_not_valid"
    message = _(
        "“%(value)s” cannot be an address to go back to. Write https://…, http://127.0.0.1/… or a scheme with a dot."
    )


class GrantsNotValid(InvalidInput):
    code = "accounts.grants_not_valid"
    message = _("These ways to get in do not fit together or to the kind of the app.")


class NotConfidential(Conflict):
    code = "accounts.client_not_confidential"
    message = _("A public app has no secret.")


class DeviceCodeNotValid(NotFound):
    code = "accounts.device_code_not_valid"
    message = _("This code is not valid or has ended. Ask the device for a new one.")


class OAuthRefusal(DomainError):
    """A refusal in the words of OAuth 2: the name of an error, and one English sentence for who wrote the client."""

    code = "accounts.oauth_refused"

    def __init__(
        self, error: str, description: str, *, status: int = 400, retry_after_seconds: int | None = None
    ) -> None:
        self.error, self.description, self.http_status = error, description, status
        super().__init__(retry_after_seconds=retry_after_seconds)
