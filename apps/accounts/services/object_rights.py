"""Single rights on one object, for a time: the exception an administrator makes, with a reason and an end.

Kept in django-guardian's form (`ObjectGrant`), decided by `can()` alone. Such a right adds to what its holder's role
permits, in one audience; it shows nothing, and it ends by itself.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.contrib.auth.models import Permission
from django.db import transaction
from django.utils import timezone

from apps.accounts import actions
from apps.accounts.errors import (
    MemberNotFound,
    NameNotValid,
    ObjectRightNotFound,
    ObjectRightTaken,
    ObjectRightUnfit,
    RoleAboveOwn,
    ScopeNotFound,
    TooManyObjectRights,
)
from apps.accounts.models import Member, ObjectGrant, Scope
from apps.accounts.services import access, trail
from apps.accounts.services.members import own_permissions
from apps.accounts.services.names import clean_line
from apps.accounts.services.revocation import change_access
from apps.accounts.services.scoped_roles import MANAGE
from apps.accounts.types import MOST_OBJECT_DAYS, MOST_OBJECT_RIGHTS, OBJECT_PERMISSIONS, Principal

LONGEST_REASON = 200


def give_object_right(
    *, principal: Principal, member_id: UUID, permission: str, scope_id: UUID, reason: str, days: int
) -> UUID:
    """Give a member one right in one audience for some days; return the id of that.

    Args:
        reason: 1..200 characters, for those who look at the list later.
        days: 1..90.

    Raises:
        PermissionMissing, MemberNotFound, ScopeNotFound, NameNotValid (the reason), ObjectRightTaken,
            TooManyObjectRights.
        ObjectRightUnfit: cannot be given for one audience, or not for so long.
        RoleAboveOwn: the acting principal's own role does not permit it.
    """
    access.require(principal, MANAGE)
    told = clean_line(reason, limit=LONGEST_REASON)
    if not told:
        raise NameNotValid(limit=LONGEST_REASON)
    if permission not in OBJECT_PERMISSIONS or not 1 <= days <= MOST_OBJECT_DAYS:
        raise ObjectRightUnfit
    if permission not in own_permissions(principal):
        raise trail.refused(principal, RoleAboveOwn(), permission=permission)
    with transaction.atomic():
        member = _locked_member(principal, member_id)
        if not Scope.objects.filter(organization_id=principal.organization_id, pk=scope_id).exists():
            raise ScopeNotFound
        _make_room(member, permission, scope_id)
        ends = timezone.now() + timedelta(days=days)
        row = ObjectGrant.objects.create(
            organization_id=principal.organization_id,
            user_id=member.user_id,
            permission=_kept(permission),
            content_object_id=scope_id,
            reason=told,
            expires_at=ends,
            given_by_id=principal.id,
        )
        _tell(principal, member, actions.OBJECT_RIGHT_GIVEN, row, until=ends.isoformat())
    made: UUID = row.pk
    return made


def take_object_right(*, principal: Principal, object_right_id: UUID) -> None:
    """Take a single right back, also one that is over.

    Raises:
        PermissionMissing, ObjectRightNotFound.
    """
    access.require(principal, MANAGE)
    with transaction.atomic():
        row = (
            ObjectGrant.objects.select_for_update(of=("self",))
            .select_related("permission")
            .filter(organization_id=principal.organization_id, pk=object_right_id)
            .first()
        )
        if row is None:
            raise ObjectRightNotFound
        member = Member.objects.select_related("role").get(
            organization_id=principal.organization_id, user_id=row.user_id
        )
        _tell(principal, member, actions.OBJECT_RIGHT_TAKEN, row)
        row.delete()


def _make_room(member: Member, permission: str, scope_id: UUID) -> None:
    """Remove what is over; refuse the same right twice, and too many."""
    mine = ObjectGrant.objects.filter(organization_id=member.organization_id, user_id=member.user_id)
    mine.filter(expires_at__lte=timezone.now()).delete()
    if mine.filter(content_object_id=scope_id, permission__codename=permission).exists():
        raise ObjectRightTaken
    if mine.count() >= MOST_OBJECT_RIGHTS:
        raise TooManyObjectRights(limit=MOST_OBJECT_RIGHTS)


def _kept(permission: str) -> Permission:
    return Permission.objects.get(
        content_type__app_label="accounts", content_type__model="scope", codename=permission
    )


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


def _tell(principal: Principal, member: Member, action: str, row: ObjectGrant, **details: str) -> None:
    trail.note(
        principal,
        action,
        "member",
        member.user_id,
        permission=row.permission.codename,
        scope=row.content_object_id,
        **details,
    )
    change_access(organization_id=member.organization_id, principal_id=member.user_id, role=member.role.key)
