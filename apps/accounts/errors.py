"""Refusals of accounts."""

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, DomainError, Forbidden, InvalidInput, NotFound


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


class LinkNotValid(DomainError):  # noqa: N818 - reads as the refusal it is
    code = "accounts.link_not_valid"
    status = 410
    message = _("This link was used already or is too old. Ask for a new one.")


class RoleAboveOwn(Forbidden):
    code = "accounts.role_above_own"
    message = _("You cannot give a role that may do more than your own.")
