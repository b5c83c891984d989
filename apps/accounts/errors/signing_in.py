"""Credentials, sessions, tokens and second factors."""

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, Forbidden, InvalidInput, NotFound, NotSignedIn, TooManyRequests


class SessionNotFound(NotFound):
    code = "accounts.session_not_found"


class CredentialsNotValid(NotSignedIn):
    code = "accounts.credentials_not_valid"
    message = _("This address and password do not belong together.")


class FactorCodeRequired(NotSignedIn):
    code = "accounts.factor_code_required"
    message = _("This account has a second factor. Send a code of it too.")


class TooManyAttempts(TooManyRequests):
    code = "accounts.too_many_attempts"
    message = _("Too many attempts to sign in. Wait some minutes.")


class TokenNotValid(NotSignedIn):
    code = "accounts.token_not_valid"
    message = _("This token is not valid. Sign in again.")


class TokenReused(TokenNotValid):
    code = "accounts.token_reused"
    message = _(
        "This token was used before, so somebody else may have it. Everything that came from it has ended."
    )


class TokenNotFound(NotFound):
    code = "accounts.token_not_found"


class OriginNotAllowed(Forbidden):
    code = "accounts.origin_not_allowed"
    message = _("This page may not connect to this server.")


class SecondFactorRequired(Forbidden):
    code = "accounts.second_factor_required"
    message = _("This organization asks for a second factor. Set one up, or sign in with it.")


class StepUpRequired(Forbidden):
    code = "accounts.step_up_required"
    message = _("Confirm that it is you first, then try again.")


class FactorNotFound(NotFound):
    code = "accounts.factor_not_found"


class FactorTaken(Conflict):
    code = "accounts.factor_taken"
    message = _("There is an authenticator app already. Remove it first.")


class CodeWrong(InvalidInput):
    code = "accounts.code_wrong"
    message = _("This code is not right, or was used already.")


class PasskeyWrong(InvalidInput):
    code = "accounts.passkey_wrong"
    message = _("This key was not accepted. Try again.")


class PasskeysUnavailable(Conflict):
    code = "accounts.passkeys_unavailable"
    message = _("Passkeys need an address with a name; this server is reached by a number.")


class FactorPolicyUnknown(InvalidInput):
    code = "accounts.factor_policy_unknown"
    message = _("Choose nobody, administrators or everybody, and 0 to 90 days.")
