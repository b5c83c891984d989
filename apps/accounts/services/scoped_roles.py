"""Roles in one audience: handed out and taken back by who manages members, everywhere or in that audience.

Such a role adds rights (`SCOPED_PERMISSIONS`) to what its holder's own role permits, in that audience alone. It shows
nothing: who has no seat there sees nothing there.
"""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction

from apps.accounts import actions
from apps.accounts.conditions import DATA_CLASSES
from apps.accounts.errors import (
    DataClassUnknown,
    GroupNotFound,
    MemberNotFound,
    RoleAboveOwn,
    RoleNotFound,
    ScopedRoleEmpty,
    ScopedRoleNotFound,
    ScopedRoleTaken,
    ScopeNotFound,
    TooManyScopedRoles,
)
from apps.accounts.labels import role_label
from apps.accounts.models import Member, PeopleGroup, Role, Scope, ScopedRole
from apps.accounts.selectors.members import list_roles
from apps.accounts.selectors.scopes import can_see_scope
from apps.accounts.services import access, trail
from apps.accounts.services.groups import tell_members
from apps.accounts.services.members import own_permissions
from apps.accounts.services.revocation import change_access
from apps.accounts.types import MOST_SCOPED_ROLES, SCOPED_PERMISSIONS, InScope, Principal

MANAGE = "member.manage"


def give_scoped_role(*, principal: Principal, member_id: UUID, role: str, scope_id: UUID) -> UUID:
    """Give a member a role in one audience; return the id of that.

    Raises:
        ScopeNotFound: missing, or not visible to who manages members only there.
        PermissionMissing, MemberNotFound, RoleNotFound, ScopedRoleTaken, TooManyScopedRoles.
        RoleAboveOwn: the role permits there what the acting principal may not do there.
        ScopedRoleEmpty: nothing of the role can be limited to one audience.
    """
    _require_manager(principal, scope_id)
    with transaction.atomic():
        member = _locked_member(principal, member_id)
        given = _role_at_most_own(principal, role, scope_id)
        mine = ScopedRole.objects.filter(
            organization_id=principal.organization_id, principal_id=member.user_id
        )
        if mine.count() >= MOST_SCOPED_ROLES:
            raise TooManyScopedRoles(limit=MOST_SCOPED_ROLES)
        row = _create(principal, given, scope_id, principal_id=member.user_id)
        _tell(principal, member, actions.SCOPED_ROLE_GIVEN, given, scope_id)
    return row.pk


def give_group_role(*, principal: Principal, group_id: UUID, role: str, scope_id: UUID) -> UUID:
    """Give everyone in a group a role in one audience, now and later; return the id of that.

    It adds rights to those who are in the audience; who is not sees nothing there.

    Raises:
        ScopeNotFound, PermissionMissing, GroupNotFound, RoleNotFound, ScopedRoleTaken, TooManyScopedRoles,
        RoleAboveOwn, ScopedRoleEmpty: as for one member.
    """
    _require_manager(principal, scope_id)
    with transaction.atomic():
        group = (
            PeopleGroup.objects.select_for_update(no_key=True)
            .filter(organization_id=principal.organization_id, pk=group_id)
            .first()
        )
        if group is None:
            raise GroupNotFound
        given = _role_at_most_own(principal, role, scope_id)
        known = ScopedRole.objects.filter(organization_id=principal.organization_id, group_id=group_id)
        if known.count() >= MOST_SCOPED_ROLES:
            raise TooManyScopedRoles(limit=MOST_SCOPED_ROLES)
        row = _create(principal, given, scope_id, group_id=group.pk)
        trail.note(
            principal, actions.SCOPED_ROLE_GIVEN, "people_group", group.pk, role=given.key, scope=scope_id
        )
        tell_members(principal=principal, group_id=group.pk)
    return row.pk


def take_scoped_role(*, principal: Principal, scoped_role_id: UUID) -> None:
    """Take a role in one audience back.

    Raises:
        ScopedRoleNotFound: missing, or in an audience the principal does not manage.
        RoleAboveOwn.
    """
    with transaction.atomic():
        row = (
            ScopedRole.objects.select_for_update(of=("self",))
            .select_related("role")
            .filter(organization_id=principal.organization_id, pk=scoped_role_id)
            .first()
        )
        if row is None or not may_manage(principal, row.scope_id):
            raise ScopedRoleNotFound
        _require_at_most_own(principal, row.role, row.scope_id)
        row.delete()
        if row.group_id is not None:
            trail.note(
                principal, actions.SCOPED_ROLE_TAKEN, "people_group", row.group_id,
                role=row.role.key, scope=row.scope_id,
            )  # fmt: skip
            tell_members(principal=principal, group_id=row.group_id)
        elif row.principal_id is not None:
            member = Member.objects.select_related("role").get(
                organization_id=principal.organization_id, user_id=row.principal_id
            )
            _tell(principal, member, actions.SCOPED_ROLE_TAKEN, row.role, row.scope_id)


def set_data_class(*, principal: Principal, scope_id: UUID, data_class: str) -> None:
    """Say which class of data an audience holds; roles limited to other classes lose it at once.

    The caller has decided about rights.

    Raises:
        ScopeNotFound, DataClassUnknown.
    """
    if data_class not in DATA_CLASSES:
        raise DataClassUnknown
    with transaction.atomic():
        scope = (
            Scope.objects.select_for_update(no_key=True)
            .filter(organization_id=principal.organization_id, pk=scope_id)
            .first()
        )
        if scope is None:
            raise ScopeNotFound
        if scope.data_class == data_class:
            return
        trail.note(
            principal,
            actions.DATA_CLASS_CHANGED,
            "scope",
            scope.pk,
            data_class=data_class,
            before=scope.data_class,
        )
        scope.data_class = data_class
        scope.save(update_fields=["data_class"])
        limited = Member.objects.select_related("role").filter(
            organization_id=principal.organization_id,
            deactivated_at=None,
            role__conditions__has_key="data_classes",
        )
        for member in limited.order_by("pk"):
            change_access(
                organization_id=member.organization_id, principal_id=member.user_id, role=member.role.key
            )


def role_names(principal: Principal) -> dict[str, str]:
    """Return what each role of the organization is called. One query."""
    return {role.key: role_label(role) for role in list_roles(principal)}


def roles_for(principal: Principal, scope_id: UUID) -> list[tuple[str, str]]:
    """Return key and name of roles the principal may hand out in an audience. One query."""
    own = principal.permissions | principal.granted_in(scope_id)
    return [
        (role.key, role_label(role))
        for role in list_roles(principal)
        if (given := SCOPED_PERMISSIONS & set(role.permissions)) and given <= own
    ]


def may_manage(principal: Principal, scope_id: UUID) -> bool:
    """Return whether the principal hands out roles in an audience: everywhere by its role, or there. One query."""
    if access.can(principal, MANAGE):
        return Scope.objects.filter(organization_id=principal.organization_id, pk=scope_id).exists()
    return bool(access.can(principal, MANAGE, InScope(scope_id))) and can_see_scope(principal, scope_id)


def _require_manager(principal: Principal, scope_id: UUID) -> None:
    if may_manage(principal, scope_id):
        return
    if not can_see_scope(principal, scope_id):
        raise ScopeNotFound
    access.require(principal, MANAGE, InScope(scope_id))
    raise ScopeNotFound


def _role_at_most_own(principal: Principal, key: str, scope_id: UUID) -> Role:
    given = Role.objects.filter(organization_id=principal.organization_id, key=key).first()
    if given is None:
        raise RoleNotFound
    _require_at_most_own(principal, given, scope_id)
    return given


def _create(
    principal: Principal,
    role: Role,
    scope_id: UUID,
    *,
    principal_id: UUID | None = None,
    group_id: UUID | None = None,
) -> ScopedRole:
    try:
        with transaction.atomic():
            return ScopedRole.objects.create(
                organization_id=principal.organization_id,
                scope_id=scope_id,
                principal_id=principal_id,
                group_id=group_id,
                role=role,
                given_by_id=principal.id,
            )
    except IntegrityError as error:
        raise ScopedRoleTaken from error


def _require_at_most_own(principal: Principal, role: Role, scope_id: UUID) -> None:
    given = SCOPED_PERMISSIONS & set(role.permissions)
    if not given:
        raise ScopedRoleEmpty
    if not given <= own_permissions(principal) | principal.granted_in(scope_id):
        raise trail.refused(principal, RoleAboveOwn(), role=role.key)


def _locked_member(principal: Principal, member_id: UUID) -> Member:
    member = (
        Member.objects.select_for_update(no_key=True, of=("self",))
        .select_related("role")
        .filter(organization_id=principal.organization_id, pk=member_id, deactivated_at=None)
        .first()
    )
    if member is None:
        raise MemberNotFound
    return member


def _tell(principal: Principal, member: Member, action: str, role: Role, scope_id: UUID) -> None:
    trail.note(principal, action, "member", member.user_id, role=role.key, scope=scope_id)
    change_access(organization_id=member.organization_id, principal_id=member.user_id, role=member.role.key)
