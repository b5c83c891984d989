"""Roles, rights in one place, conditions, and looking at pages as somebody else."""

from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, Forbidden, InvalidInput, NotFound


class RoleNotFound(NotFound):
    code = "accounts.role_not_found"


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


class RoleTaken(Conflict):
    code = "accounts.role_taken"
    message = _("A role with this short name exists.")


class RoleAboveOwn(Forbidden):
    code = "accounts.role_above_own"
    message = _("You cannot give a role that may do more than your own.")


class RoleBuiltIn(Conflict):
    code = "accounts.role_built_in"
    message = _("Built-in roles cannot be changed.")


class RoleInUse(Conflict):
    code = "accounts.role_in_use"
    message = _("Members have this role. Give them another one first.")


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
