"""Who belongs to the organization, with which role; the people's own profile."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.accounts import actions, events
from apps.accounts.errors import (
    AlreadyMember,
    LastOwner,
    MemberNotFound,
    PermissionMissing,
    RoleAboveOwn,
    RoleNotFound,
    ThemeUnknown,
)
from apps.accounts.models import (
    ApiKey,
    Member,
    ObjectGrant,
    Organization,
    PeopleGroupMember,
    Role,
    ScopedRole,
    Seat,
    User,
)
from apps.accounts.selectors.seats import has_open_seat
from apps.accounts.services import revocation, sessions, trail
from apps.accounts.services.access import require
from apps.accounts.services.names import clean_address, clean_language, clean_line, clean_name
from apps.accounts.types import GUEST, OWNER, PLACEHOLDER_DOMAIN, Principal
from apps.core import tenancy
from apps.core.events import log
from apps.core.services import audit

THEMES = ("system", "light", "dark")


def create_person(*, email: str, password: str | None = None, is_staff: bool = False) -> UUID:
    """Create a person without an organization (first start, demo data); return its id.

    Args:
        password: None means that only links sign in.

    Raises:
        AddressNotValid.
    """
    return User.objects.create_user(
        clean_address(email), password, is_staff=is_staff, is_superuser=is_staff
    ).pk


def create_principal(
    *, organization_id: UUID, kind: str, name: str, role: str = "member", title: str = ""
) -> UUID:
    """Create a bot, agent or service with its seat in the organization; return the principal's id.

    Raises:
        RoleNotFound, NameNotValid.
    """
    with transaction.atomic():
        user = User(kind=User.Kind(kind), organization_id=organization_id, email=None)
        user.set_unusable_password()
        user.save(force_insert=True)
        add_member(organization_id=organization_id, user_id=user.pk, role=role, name=name, title=title)
    return user.pk


def add_member(
    *,
    organization_id: UUID,
    user_id: UUID,
    role: str,
    name: str,
    title: str = "",
    actor_id: UUID | None = None,
    expires_at: datetime | None = None,
) -> UUID:
    """Give a user a seat in the organization; who had left comes back with this role. Returns the member's id.

    The caller has decided about rights.

    Args:
        expires_at: when the seat of a guest is over.

    Raises:
        AlreadyMember, RoleNotFound, NameNotValid.
    """
    values = {
        "role": _role(organization_id, role),
        "name": clean_name(name),
        "title": clean_line(title, limit=80),
        "deactivated_at": None,
        "expires_at": expires_at if role == GUEST else None,
    }
    with transaction.atomic():
        known = locked_member(organization_id, user_id=user_id)
        if known is not None and known.deactivated_at is None:
            raise AlreadyMember
        try:
            with transaction.atomic():
                member, _ = Member.objects.update_or_create(
                    organization_id=organization_id, user_id=user_id, defaults=values
                )
        except IntegrityError as error:
            raise AlreadyMember from error
        _tell(member, actor_id=actor_id)
        audit.record(
            organization_id=organization_id,
            action=actions.MEMBER_JOINED,
            actor_id=actor_id,
            object_type="member",
            object_id=user_id,
            details={"role": role},
        )
    return member.pk


def change_role(*, principal: Principal, member_id: UUID, role: str) -> None:
    """Give a member another role.

    Raises:
        PermissionMissing, MemberNotFound, RoleNotFound, LastOwner.
        RoleAboveOwn: the new or the present role may do more than the acting principal.
    """
    require(principal, "member.manage")
    with transaction.atomic():
        new = _role(principal.organization_id, role)
        member = managed_member(principal, member_id)
        _require_at_most_own(principal, new)
        if new.pk == member.role_id:
            return
        if member.role.key == OWNER:
            _require_another_owner(member)
        trail.note(
            principal, actions.ROLE_GIVEN, "member", member.user_id, role=new.key, before=member.role.key
        )
        member.role = new
        member.expires_at = member.expires_at if new.key == GUEST else None
        member.save(update_fields=["role", "expires_at"])
        revocation.change_access(
            organization_id=member.organization_id, principal_id=member.user_id, role=new.key
        )
        _tell(member, actor_id=principal.id)


def deactivate_member(*, principal: Principal, member_id: UUID) -> None:
    """End a membership: keys, seats, sockets, and the sessions of a person who belongs nowhere else.

    Nothing the person wrote changes. Repeating it changes nothing.

    Raises:
        PermissionMissing, MemberNotFound, RoleAboveOwn, LastOwner.
    """
    require(principal, "member.manage")
    with transaction.atomic():
        member = managed_member(principal, member_id)
        if member.deactivated_at is not None:
            return
        if member.role.key == OWNER:
            _require_another_owner(member)
        end_membership(member, reason="member_deactivated", actor_id=principal.id)
        trail.note(principal, actions.MEMBER_DEACTIVATED, "member", member.user_id)


def end_membership(member: Member, *, reason: str, actor_id: UUID | None = None) -> None:
    """End a locked, open membership inside the caller's transaction: keys, seats, sockets, maybe sessions."""
    now = timezone.now()
    member.deactivated_at = now
    member.save(update_fields=["deactivated_at"])
    ApiKey.objects.filter(
        organization_id=member.organization_id, principal_id=member.user_id, revoked_at=None
    ).update(revoked_at=now)
    _end_seats(member)
    if not has_open_seat(member.user_id):
        sessions.end_all(user_id=member.user_id, reason=reason)
    revocation.revoke_access(
        organization_id=member.organization_id, principal_id=member.user_id, reason=reason
    )
    _tell(member, actor_id=actor_id)


def reactivate_member(*, principal: Principal, member_id: UUID) -> None:
    """Open a membership again, with its role; seats and keys that ended stay ended.

    Raises:
        PermissionMissing, MemberNotFound, RoleAboveOwn.
    """
    require(principal, "member.manage")
    with transaction.atomic():
        member = managed_member(principal, member_id)
        if member.deactivated_at is None:
            return
        if (member.user.email or "").endswith(PLACEHOLDER_DOMAIN):
            raise MemberNotFound  # who stands for erased people is nobody
        member.deactivated_at = None
        is_over = member.expires_at is not None and member.expires_at <= timezone.now()
        member.expires_at = None if is_over else member.expires_at
        member.save(update_fields=["deactivated_at", "expires_at"])
        User.objects.filter(pk=member.user_id, imported_by=principal.organization_id).update(imported_by=None)
        _tell(member, actor_id=principal.id)
        trail.note(principal, actions.MEMBER_REACTIVATED, "member", member.user_id)


def lock_member(*, principal: Principal, member_id: UUID) -> None:
    """Hold a member's row until the transaction ends, so that a version the caller compares stays the current one.

    Raises:
        MemberNotFound.
    """
    if locked_member(principal.organization_id, pk=member_id) is None:
        raise MemberNotFound


def lock_own(*, principal: Principal) -> None:
    """Hold the acting principal's own row until the transaction ends.

    Raises:
        MemberNotFound.
    """
    if locked_member(principal.organization_id, user_id=principal.id) is None:
        raise MemberNotFound


def update_profile(
    *, principal: Principal, name: str | None = None, title: str | None = None, about: str | None = None
) -> None:
    """Change the acting principal's own profile in its organization; None leaves a value.

    Raises:
        NameNotValid, MemberNotFound.
    """
    changes: dict[str, Any] = {}
    if name is not None:
        changes["name"] = clean_name(name)
    if title is not None:
        changes["title"] = clean_line(title, limit=80)
    if about is not None:
        changes["about"] = clean_line(about, limit=300)
    _change_profile(principal, changes)


def set_avatar(*, principal: Principal, file_id: UUID | None) -> None:
    """Show a stored picture beside the acting principal's name, or none; the caller checked the file.

    Raises:
        MemberNotFound.
    """
    _change_profile(principal, {"avatar_file_id": file_id})


def update_preferences(*, user_id: UUID, language: str | None = None, theme: str | None = None) -> None:
    """Change language and theme of a user, in all its organizations; None leaves a value.

    Raises:
        LanguageUnknown, ThemeUnknown.
    """
    changes: dict[str, str] = {}
    if language is not None:
        changes["language"] = clean_language(language)
    if theme is not None:
        if theme not in THEMES:
            raise ThemeUnknown
        changes["theme"] = theme
    if changes:
        with transaction.atomic():
            User.objects.filter(pk=user_id).update(**changes)
            revocation.forget(user_id=user_id)


def _change_profile(principal: Principal, changes: dict[str, Any]) -> None:
    if not changes:
        return
    with transaction.atomic():
        member = locked_member(principal.organization_id, user_id=principal.id)
        if member is None or member.deactivated_at is not None:
            raise MemberNotFound
        for field, value in changes.items():
            setattr(member, field, value)
        member.save(update_fields=sorted(changes))
        revocation.forget(user_id=principal.id)
        _tell(member, actor_id=principal.id)


def _role(organization_id: UUID, key: str) -> Role:
    role = Role.objects.filter(organization_id=organization_id, key=key).first()
    if role is None:
        raise RoleNotFound
    return role


def locked_member(organization_id: UUID, **which: UUID) -> Member | None:
    """Return a member, locked until the transaction ends, by one of its ids."""
    rows = Member.objects.select_for_update(no_key=True, of=("self",)).select_related("role", "user")
    return rows.filter(organization_id=organization_id, **which).first()


def managed_member(principal: Principal, member_id: UUID) -> Member:
    """Lock a member of the principal's organization whose role is not above the principal's own."""
    member = locked_member(principal.organization_id, pk=member_id)
    if member is None:
        raise MemberNotFound
    _require_at_most_own(principal, member.role)
    return member


def _require_at_most_own(principal: Principal, role: Role) -> None:
    if not set(role.permissions) <= own_permissions(principal):
        raise trail.refused(principal, RoleAboveOwn(), role=role.key)


def own_permissions(principal: Principal) -> frozenset[str]:
    """Return what the principal's role may do, also where a key narrows it: a key may give roles of its owner.

    One query for a key. An agent acting for a person gives no more than both may.

    Raises:
        PermissionMissing: the principal has no open seat any more.
    """
    if principal.key_scopes is None or principal.on_behalf_of is not None:
        return principal.permissions
    granted = (
        Role.objects.filter(organization_id=principal.organization_id, key=principal.role)
        .values_list("permissions", flat=True)
        .first()
    )
    if granted is None:
        raise PermissionMissing
    return frozenset(granted)


def _require_another_owner(member: Member) -> None:
    """Lock the organization, so that two owners cannot remove each other at once, and count the owners."""
    Organization.objects.select_for_update(no_key=True).get(pk=member.organization_id)
    others = Member.objects.filter(
        organization_id=member.organization_id,
        role__key=OWNER,
        deactivated_at=None,
        user__is_active=True,
        user__kind=User.Kind.PERSON,
        user__break_glass_until=None,
    ).exclude(pk=member.pk)
    if not others.exists():
        raise LastOwner


def _end_seats(member: Member) -> None:
    rows = Seat.objects.filter(
        organization_id=member.organization_id, principal_id=member.user_id, left_at=None
    )
    scopes = list(rows.order_by("pk").values_list("scope_id", flat=True))
    rows.update(left_at=timezone.now())
    for gone in (ScopedRole, PeopleGroupMember):
        gone.objects.filter(organization_id=member.organization_id, principal_id=member.user_id).delete()
    ObjectGrant.objects.filter(organization_id=member.organization_id, user_id=member.user_id).delete()
    for scope_id in scopes:
        log.record(
            events.SeatRemoved(
                organization_id=member.organization_id,
                stream_id=member.pk,
                principal_id=member.user_id,
                scope=scope_id,
            )
        )


def _tell(member: Member, *, actor_id: UUID | None) -> None:
    with tenancy.use(member.organization_id):
        log.record(
            events.MemberChanged(
                organization_id=member.organization_id,
                stream_id=member.organization_id,
                actor_id=actor_id,
                member_id=member.pk,
                principal_id=member.user_id,
                role=member.role.key,
                is_active=member.deactivated_at is None,
            )
        )
