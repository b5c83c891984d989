"""API keys."""

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, Forbidden, InvalidInput, NotFound


class KeyNotFound(NotFound):
    code = "accounts.key_not_found"


class UnknownKeyScope(InvalidInput):
    code = "accounts.unknown_key_scope"
    message = _("There is no key scope named %(name)s.")


class KeyLifeTooLong(InvalidInput):
    code = "accounts.key_life_too_long"
    message = _("A key lives at most %(days)s days.")


class KeyScopesMissing(InvalidInput):
    code = "accounts.key_scopes_missing"
    message = _("Choose at least one thing the key may do.")


class KeyScopeAboveOwn(Forbidden):
    code = "accounts.key_scope_above_own"
    message = _("This key cannot make a key that may do more than itself.")


class KeyInAddress(InvalidInput):
    code = "accounts.key_in_address"
    message = _("Send the key in the header `Authorization`, never in the address. Revoke this key now.")


class AddressNotAllowed(Forbidden):
    code = "accounts.address_not_allowed"
    message = _("This key is not for use from your address.")


class NetworkNotValid(InvalidInput):
    code = "accounts.network_not_valid"
    message = _("“%(value)s” is no network. Write it like 192.0.2.0/24 or 2001:db8::/32.")


class ConversationsNotKnown(InvalidInput):
    code = "accounts.conversations_not_known"
    message = _("One of the conversations does not exist, or you have no access.")


class KeyNotSuspended(Conflict):
    code = "accounts.key_not_suspended"
    message = _("This key is not suspended.")
