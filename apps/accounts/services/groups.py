"""Groups of people: made and changed by who manages members.

Whoever comes into a group gets the roles it has in single audiences, so nobody adds people to a group that may do
somewhere what the acting principal may not do there.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from apps.accounts import actions
from apps.accounts.errors import (
    GroupNameTaken,
    GroupNotFound,
    MemberNotFound,
    NameNotValid,
    RoleAboveOwn,
    TooManyInGroup,
)
from apps.accounts.models import Member, PeopleGroup, PeopleGroupMember, ScopedRole
from apps.accounts.services import access, trail
from apps.accounts.services.members import own_permissions
from apps.accounts.services.names import clean_line
from apps.accounts.services.revocation import change_access
from apps.accounts.types import MOST_IN_GROUP, SCOPED_PERMISSIONS, Principal

MANAGE = "member.manage"


def create_group(
    *, principal: Principal, name: str, description: str = "", is_mentionable: bool = True
) -> UUID:
    """Make an empty group; return its id.

    Raises:
        PermissionMissing, NameNotValid, GroupNameTaken.
    """
    access.require(principal, MANAGE)
    try:
        with transaction.atomic():
            group = PeopleGroup.objects.create(
                organization_id=principal.organization_id,
                name=_clean_name(name),
                description=clean_line(description, limit=200),
                is_mentionable=is_mentionable,
                created_by_id=principal.id,
            )
            trail.note(principal, actions.GROUP_CREATED, "people_group", group.pk)
    except IntegrityError as error:
        raise _taken(error) from error
    return group.pk


def update_group(
    *,
    principal: Principal,
    group_id: UUID,
    name: str | None = None,
    description: str | None = None,
    is_mentionable: bool | None = None,
) -> None:
    """Change a group; None leaves a value.

    Raises:
        PermissionMissing, GroupNotFound, NameNotValid, GroupNameTaken.
    """
    access.require(principal, MANAGE)
    try:
        with transaction.atomic():
            group = _locked(principal, group_id)
            group.name = group.name if name is None else _clean_name(name)
            group.description = (
                group.description if description is None else clean_line(description, limit=200)
            )
            group.is_mentionable = group.is_mentionable if is_mentionable is None else is_mentionable
            group.save(update_fields=["name", "description", "is_mentionable"])
            trail.note(principal, actions.GROUP_CHANGED, "people_group", group.pk)
    except IntegrityError as error:
        raise _taken(error) from error


def delete_group(*, principal: Principal, group_id: UUID) -> None:
    """Delete a group; its people lose the roles they had by it.

    Raises:
        PermissionMissing, GroupNotFound, RoleAboveOwn.
    """
    access.require(principal, MANAGE)
    with transaction.atomic():
        group = _locked(principal, group_id)
        _require_roles_at_most_own(principal, group)
        people = list(_members(group).values_list("principal_id", flat=True))
        trail.note(principal, actions.GROUP_REMOVED, "people_group", group.pk)
        group.delete()
        _tell(principal, people)


def add_people(*, principal: Principal, group_id: UUID, people: Iterable[UUID]) -> None:
    """Take active members into a group; who is in it already stays.

    Raises:
        PermissionMissing, GroupNotFound, MemberNotFound, TooManyInGroup.
        RoleAboveOwn: the group may do somewhere what the acting principal may not do there.
    """
    access.require(principal, MANAGE)
    wanted = list(dict.fromkeys(people))
    with transaction.atomic():
        group = _locked(principal, group_id)
        _require_roles_at_most_own(principal, group)
        active = Member.objects.filter(
            organization_id=principal.organization_id, user_id__in=wanted, deactivated_at=None
        )
        if active.count() < len(wanted):
            raise MemberNotFound
        known = set(_members(group).values_list("principal_id", flat=True))
        new = [person for person in wanted if person not in known]
        if len(known) + len(new) > MOST_IN_GROUP:
            raise TooManyInGroup(limit=MOST_IN_GROUP)
        PeopleGroupMember.objects.bulk_create(
            PeopleGroupMember(
                organization_id=principal.organization_id,
                group_id=group.pk,
                principal_id=person,
                added_by_id=principal.id,
            )
            for person in new
        )
        for person in new:
            trail.note(principal, actions.GROUP_JOINED, "member", person, group=group.pk)
        _tell(principal, new)


def remove_person(*, principal: Principal, group_id: UUID, person_id: UUID) -> None:
    """Take somebody out of a group.

    Raises:
        PermissionMissing, GroupNotFound, MemberNotFound: not in it.
    """
    access.require(principal, MANAGE)
    with transaction.atomic():
        group = _locked(principal, group_id)
        _require_roles_at_most_own(principal, group)
        if not _members(group).filter(principal_id=person_id).delete()[0]:
            raise MemberNotFound
        trail.note(principal, actions.GROUP_LEFT, "member", person_id, group=group.pk)
        _tell(principal, [person_id])


def tell_members(*, principal: Principal, group_id: UUID) -> None:
    """Let the rights of everyone in a group be looked at again; needs a transaction."""
    rows = PeopleGroupMember.objects.filter(organization_id=principal.organization_id, group_id=group_id)
    _tell(principal, list(rows.values_list("principal_id", flat=True)))


def _clean_name(name: str) -> str:
    cleaned = clean_line(name, limit=60)
    if not cleaned:
        raise NameNotValid(limit=60)
    return cleaned


def _locked(principal: Principal, group_id: UUID) -> PeopleGroup:
    group = (
        PeopleGroup.objects.select_for_update(no_key=True)
        .filter(organization_id=principal.organization_id, pk=group_id)
        .first()
    )
    if group is None:
        raise GroupNotFound
    return group


def _members(group: PeopleGroup) -> QuerySet[PeopleGroupMember]:
    return PeopleGroupMember.objects.filter(organization_id=group.organization_id, group_id=group.pk)


def _require_roles_at_most_own(principal: Principal, group: PeopleGroup) -> None:
    given = ScopedRole.objects.select_related("role").filter(
        organization_id=group.organization_id, group_id=group.pk
    )
    for row in given:
        wanted = SCOPED_PERMISSIONS & set(row.role.permissions)
        if not wanted <= own_permissions(principal) | principal.granted_in(row.scope_id):
            raise trail.refused(principal, RoleAboveOwn(), role=row.role.key)


def _tell(principal: Principal, people: list[UUID]) -> None:
    rows = Member.objects.select_related("role").filter(
        organization_id=principal.organization_id, user_id__in=people, deactivated_at=None
    )
    for member in rows.order_by("pk"):
        change_access(
            organization_id=member.organization_id, principal_id=member.user_id, role=member.role.key
        )


def _taken(error: IntegrityError) -> GroupNameTaken | IntegrityError:
    return GroupNameTaken() if "accounts_peoplegroup_name" in str(error) else error
