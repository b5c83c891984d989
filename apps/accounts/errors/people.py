"""Organizations, members, groups, invitations and accounts."""

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, DomainError, Forbidden, InvalidInput, NotFound


class OrganizationNotFound(NotFound):
    code = "accounts.organization_not_found"


class MemberNotFound(NotFound):
    code = "accounts.member_not_found"


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


class PersonRequired(Forbidden):
    code = "accounts.person_required"
    message = _("Only a signed-in person can do this, not a key.")


class LanguageUnknown(InvalidInput):
    code = "accounts.language_unknown"
    message = _("This language is not available.")


class ThemeUnknown(InvalidInput):
    code = "accounts.theme_unknown"
    message = _("This theme is not available.")


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
