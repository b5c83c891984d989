"""Custom roles; built-in ones stay as they are."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from apps.accounts import actions
from apps.accounts.conditions import NO_CONDITIONS, Conditions, read
from apps.accounts.errors import (
    ConditionsLockOut,
    RoleAboveOwn,
    RoleBuiltIn,
    RoleInUse,
    RoleNotFound,
    RoleTaken,
    UnknownPermission,
)
from apps.accounts.models import Invitation, Member, Role, ScopedRole
from apps.accounts.services import trail
from apps.accounts.services.access import require
from apps.accounts.services.members import own_permissions
from apps.accounts.services.names import clean_name, clean_slug
from apps.accounts.services.revocation import change_access, forget_organization
from apps.accounts.types import PERMISSIONS, Principal


def create_role(
    *,
    principal: Principal,
    key: str,
    name: str,
    permissions: Iterable[str],
    conditions: Conditions = NO_CONDITIONS,
) -> UUID:
    """Create a role and return its id.

    Args:
        conditions: what must hold for it to give its rights; made with `conditions.clean`.

    Raises:
        PermissionMissing, SlugNotValid, NameNotValid, UnknownPermission, RoleTaken.
        RoleAboveOwn: a permission the acting principal does not have.
    """
    require(principal, "role.manage")
    granted = _clean_permissions(principal, permissions)
    try:
        with transaction.atomic():
            role = Role.objects.create(
                organization_id=principal.organization_id,
                key=clean_slug(key),
                name=clean_name(name, limit=60),
                permissions=granted,
                conditions=conditions.as_json(),
            )
            trail.note(
                principal,
                actions.ROLE_CREATED,
                "role",
                role.pk,
                key=role.key,
                permissions=granted,
                conditions=_named(conditions),
            )
    except IntegrityError as error:
        raise RoleTaken from error
    return role.pk


def lock_role(*, principal: Principal, role_id: UUID) -> None:
    """Hold a role's row until the transaction ends, so that a version the caller compares stays the current one.

    Raises:
        RoleNotFound, RoleBuiltIn, RoleAboveOwn, PermissionMissing.
    """
    require(principal, "role.manage")
    _custom(principal, role_id)


def update_role(
    *,
    principal: Principal,
    role_id: UUID,
    name: str | None = None,
    permissions: Iterable[str] | None = None,
    conditions: Conditions | None = None,
) -> None:
    """Change a custom role; its members have the new rights at once. None leaves a value.

    Raises:
        ConditionsLockOut: the acting principal has this role and does not fulfil the new conditions now.
        PermissionMissing, RoleNotFound, RoleBuiltIn, RoleAboveOwn, NameNotValid, UnknownPermission.
    """
    require(principal, "role.manage")
    with transaction.atomic():
        role = _custom(principal, role_id)
        if name is not None:
            role.name = clean_name(name, limit=60)
        if permissions is not None:
            role.permissions = _clean_permissions(principal, permissions)
        if conditions is not None:
            _require_not_locked_out(principal, role, conditions)
            role.conditions = conditions.as_json()
        role.save(update_fields=["name", "permissions", "conditions"])
        if permissions is not None or conditions is not None:
            holders = ScopedRole.objects.filter(organization_id=role.organization_id, role_id=role.pk)
            here = holders.values("principal_id")
            for member in (
                Member.objects.select_related("role")
                .filter(
                    Q(role_id=role.pk) | Q(user_id__in=here),
                    organization_id=role.organization_id,
                    deactivated_at=None,
                )
                .order_by("pk")
            ):
                change_access(
                    organization_id=role.organization_id, principal_id=member.user_id, role=member.role.key
                )
            forget_organization(organization_id=role.organization_id)
        trail.note(
            principal,
            actions.ROLE_CHANGED,
            "role",
            role.pk,
            key=role.key,
            permissions=role.permissions,
            conditions=_named(read(role.conditions)),
        )


def delete_role(*, principal: Principal, role_id: UUID) -> None:
    """Delete a custom role nobody has and no open invitation gives.

    Raises:
        PermissionMissing, RoleNotFound, RoleBuiltIn, RoleInUse, RoleAboveOwn.
    """
    require(principal, "role.manage")
    with transaction.atomic():
        role = _custom(principal, role_id)
        if (
            Member.objects.filter(role_id=role.pk).exists()
            or ScopedRole.objects.filter(organization_id=role.organization_id, role_id=role.pk).exists()
            or Invitation.objects.filter(role_id=role.pk, accepted_at=None, revoked_at=None).exists()
        ):
            raise RoleInUse
        trail.note(principal, actions.ROLE_REMOVED, "role", role.pk, key=role.key)
        Invitation.objects.filter(role_id=role.pk).delete()
        role.delete()


def _custom(principal: Principal, role_id: UUID) -> Role:
    role = (
        Role.objects.select_for_update().filter(organization_id=principal.organization_id, pk=role_id).first()
    )
    if role is None:
        raise RoleNotFound
    if role.is_builtin:
        raise RoleBuiltIn
    if not set(role.permissions) <= own_permissions(principal):
        raise trail.refused(principal, RoleAboveOwn(), role=role.key)
    return role


def _require_not_locked_out(principal: Principal, role: Role, conditions: Conditions) -> None:
    if role.key == principal.role and conditions.failing(principal.context):
        raise ConditionsLockOut


def _named(conditions: Conditions) -> list[str]:
    """Return the kinds of conditions for the trail; addresses and hours stay with the role."""
    return sorted(conditions.as_json())


def _clean_permissions(principal: Principal, permissions: Iterable[str]) -> list[str]:
    wanted = sorted(set(permissions))
    for name in wanted:
        if name not in PERMISSIONS:
            raise UnknownPermission(name=name)
    if not set(wanted) <= own_permissions(principal):
        raise trail.refused(principal, RoleAboveOwn(), permissions=wanted)
    return wanted
