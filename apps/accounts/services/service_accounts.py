"""Service accounts: principals that are programs. They have a role and keys, and no way to sign in."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from apps.accounts import actions
from apps.accounts.errors import RoleAboveOwn, RoleNotFound
from apps.accounts.models import Role, User
from apps.accounts.services.access import require
from apps.accounts.services.members import create_principal, own_permissions
from apps.accounts.types import Principal
from apps.core import tenancy
from apps.core.services import audit


def create_service_account(*, principal: Principal, name: str, role: str = "guest") -> UUID:
    """Make a service account in the principal's organization; return its id as a principal. Keys are made for it.

    Raises:
        PermissionMissing: without `member.manage` or `api_key.manage`.
        NameNotValid, RoleNotFound.
        RoleAboveOwn: the role may do more than the acting principal.
    """
    require(principal, "member.manage")
    require(principal, "api_key.manage")
    given = Role.objects.filter(organization_id=principal.organization_id, key=role).first()
    if given is None:
        raise RoleNotFound
    if not set(given.permissions) <= own_permissions(principal):
        raise RoleAboveOwn
    with tenancy.use(principal.organization_id), transaction.atomic():
        made = create_principal(
            organization_id=principal.organization_id, kind=User.Kind.SERVICE, name=name, role=role
        )
        audit.record(
            organization_id=principal.organization_id,
            action=actions.SERVICE_CREATED,
            actor_id=principal.id,
            object_type="principal",
            object_id=made,
            details={"role": role},
        )
    return made
