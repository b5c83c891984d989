"""Refusals of accounts."""

from django.utils.translation import gettext_lazy as _

from apps.core.errors import (
    Conflict,
    DomainError,
    Forbidden,
    InvalidInput,
    NotFound,
    NotSignedIn,
    TooManyRequests,
)


class OrganizationNotFound(NotFound):
    code = "accounts.organization_not_found"


class MemberNotFound(NotFound):
    code = "accounts.member_not_found"


class RoleNotFound(NotFound):
    code = "accounts.role_not_found"


class KeyNotFound(NotFound):
    code = "accounts.key_not_found"


class ScopeNotFound(NotFound):
    code = "accounts.scope_not_found"


class PermissionMissing(Forbidden):
    code = "accounts.permission_missing"


class ConditionNotMet(PermissionMissing):
    code = "accounts.condition_not_met"
    message = _("Your role gives this right only under conditions that do not hold now.")


class UnknownPermission(InvalidInput):
    code = "accounts.unknown_permission"
    message = _("There is no permission named %(name)s.")


class UnknownKeyScope(InvalidInput):
    code = "accounts.unknown_key_scope"
    message = _("There is no key scope named %(name)s.")


class KeyLifeTooLong(InvalidInput):
    code = "accounts.key_life_too_long"
    message = _("A key lives at most %(days)s days.")


class LastOwner(Conflict):
    code = "accounts.last_owner"
    message = _("An organization keeps at least one owner. Make someone else an owner first.")


class NotAPerson(Conflict):
    code = "accounts.not_a_person"
    message = _("Only the data of people can be exported and erased, not that of agents and services.")


class AccountStillNamed(DomainError):
    """An erasure reached the account while rows that nobody announced still name it."""

    code = "accounts.still_named"
    status = 500
    message = _("The account cannot go while other data names it: %(places)s.")


class SlugTaken(Conflict):
    code = "accounts.slug_taken"
    message = _("This short name is taken.")


class RoleTaken(Conflict):
    code = "accounts.role_taken"
    message = _("A role with this short name exists.")


class AlreadyMember(Conflict):
    code = "accounts.already_member"
    message = _("This person is a member already.")


class AlreadyInvited(Conflict):
    code = "accounts.already_invited"
    message = _("This address has an open invitation already.")


class LinkNotValid(DomainError):
    code = "accounts.link_not_valid"
    status = 410
    message = _("This link was used already or is too old. Ask for a new one.")


class RoleAboveOwn(Forbidden):
    code = "accounts.role_above_own"
    message = _("You cannot give a role that may do more than your own.")


class KeyScopesMissing(InvalidInput):
    code = "accounts.key_scopes_missing"
    message = _("Choose at least one thing the key may do.")


class KeyScopeAboveOwn(Forbidden):
    code = "accounts.key_scope_above_own"
    message = _("This key cannot make a key that may do more than itself.")


class RoleBuiltIn(Conflict):
    code = "accounts.role_built_in"
    message = _("Built-in roles cannot be changed.")


class RoleInUse(Conflict):
    code = "accounts.role_in_use"
    message = _("Members have this role. Give them another one first.")


class NameNotValid(InvalidInput):
    code = "accounts.name_not_valid"
    message = _("A name has 1 to %(limit)s characters.")


class SlugNotValid(InvalidInput):
    code = "accounts.slug_not_valid"
    message = _(
        "A short name has 2 to 40 small letters, digits and hyphens, and starts with a letter or digit."
    )


class AddressNotValid(InvalidInput):
    code = "accounts.address_not_valid"
    message = _("This is not an e-mail address.")


class PasswordNotValid(InvalidInput):
    code = "accounts.password_not_valid"
    message = _("This password is too easy to guess.")


class InvitationForAnother(Forbidden):
    code = "accounts.invitation_for_another"
    message = _("This invitation is for another address. Sign in with the invited address.")


class InvitationNotFound(NotFound):
    code = "accounts.invitation_not_found"


class SessionNotFound(NotFound):
    code = "accounts.session_not_found"


class PersonRequired(Forbidden):
    code = "accounts.person_required"
    message = _("Only a signed-in person can do this, not a key.")


class LanguageUnknown(InvalidInput):
    code = "accounts.language_unknown"
    message = _("This language is not available.")


class ThemeUnknown(InvalidInput):
    code = "accounts.theme_unknown"
    message = _("This theme is not available.")


class KeyInAddress(InvalidInput):
    code = "accounts.key_in_address"
    message = _("Send the key in the header `Authorization`, never in the address. Revoke this key now.")


class AddressNotAllowed(Forbidden):
    code = "accounts.address_not_allowed"
    message = _("This key is not for use from your address.")


class NetworkNotValid(InvalidInput):
    code = "accounts.network_not_valid"
    message = _("“%(value)s” is no network. Write it like 192.0.2.0/24 or 2001:db8::/32.")


class ConditionNotValid(InvalidInput):
    code = "accounts.condition_not_valid"
    message = _("This condition is not valid: %(reason)s")


class ConditionsOnBuiltIn(Conflict):
    code = "accounts.conditions_on_built_in"
    message = _("Built-in roles carry no conditions. Make a custom role.")


class ConditionsLockOut(Conflict):
    code = "accounts.conditions_lock_out"
    message = _(
        "You do not fulfil these conditions now, and this is your own role. You would lock yourself out."
    )


class GroupNotFound(NotFound):
    code = "accounts.group_not_found"


class GroupNameTaken(Conflict):
    code = "accounts.group_name_taken"
    message = _("A group with this name exists.")


class TooManyInGroup(Conflict):
    code = "accounts.too_many_in_group"
    message = _("A group has at most %(limit)s people.")


class NotAGuest(Conflict):
    code = "accounts.not_a_guest"
    message = _("Only the seat of a guest has an end.")


class ExpiryNotValid(InvalidInput):
    code = "accounts.expiry_not_valid"
    message = _("The end of a seat lies in the future, at most %(days)s days from now.")


class ScopedRoleNotFound(NotFound):
    code = "accounts.scoped_role_not_found"


class ScopedRoleTaken(Conflict):
    code = "accounts.scoped_role_taken"
    message = _("This person has this role there already.")


class ScopedRoleEmpty(InvalidInput):
    code = "accounts.scoped_role_empty"
    message = _("Nothing that this role allows can be limited to one conversation.")


class TooManyScopedRoles(Conflict):
    code = "accounts.too_many_scoped_roles"
    message = _("A person has such roles in at most %(limit)s places.")


class ObjectRightNotFound(NotFound):
    code = "accounts.object_right_not_found"


class ObjectRightTaken(Conflict):
    code = "accounts.object_right_taken"
    message = _("This person has this right there already.")


class ObjectRightUnfit(InvalidInput):
    code = "accounts.object_right_unfit"
    message = _("This right cannot be given for a single place.")


class TooManyObjectRights(Conflict):
    code = "accounts.too_many_object_rights"
    message = _("A person has at most %(limit)s rights in single places.")


class DataClassUnknown(InvalidInput):
    code = "accounts.data_class_unknown"
    message = _("There is no such class of data.")


class ObjectUnknown(NotFound):
    code = "accounts.object_unknown"


class ViewAsReadOnly(Forbidden):
    code = "view_as_read_only"
    message = _("You look at pages as somebody else. Nothing can be changed until you end that.")


class ViewAsHidden(Forbidden):
    code = "accounts.view_as_hidden"
    message = _(
        "This page is private and is not shown to others. End the view as somebody else to see your own."
    )


class ViewAsNotPossible(Forbidden):
    code = "accounts.view_as_not_possible"
    message = _("You can look at pages only as an active person whose role may do no more than yours.")


class ConversationsNotKnown(InvalidInput):
    code = "accounts.conversations_not_known"
    message = _("One of the conversations does not exist, or you have no access.")


class KeyNotSuspended(Conflict):
    code = "accounts.key_not_suspended"
    message = _("This key is not suspended.")


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
