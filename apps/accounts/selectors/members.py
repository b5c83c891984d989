"""Members, roles, invitations and the organization itself, for those who manage them."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from apps.accounts.conditions import read
from apps.accounts.errors import (
    InvitationNotFound,
    LinkNotValid,
    MemberNotFound,
    OrganizationNotFound,
    RoleNotFound,
)
from apps.accounts.models import Invitation, Member, Organization, Role, User
from apps.accounts.selectors.people import known_to
from apps.accounts.selectors.principals import hash_secret
from apps.accounts.types import (
    AccountView,
    InvitationView,
    MemberView,
    OrganizationView,
    Principal,
    RoleView,
)
from apps.core import tenancy


def visible_members(
    principal: Principal, *, query: str = "", role: str = "", include_inactive: bool = False
) -> QuerySet[Member]:
    """Return the members the viewer may know of; every list of members starts here."""
    rows = known_to(principal)
    if not include_inactive:
        rows = rows.filter(deactivated_at=None)
    if role:
        rows = rows.filter(role__key=role)
    for word in query.replace("\x00", "").split():
        rows = rows.filter(Q(name__icontains=word) | Q(user__email__istartswith=word))
    return rows


def list_members(
    principal: Principal,
    *,
    query: str = "",
    role: str = "",
    include_inactive: bool = False,
    offset: int = 0,
    limit: int = 50,
) -> list[MemberView]:
    """Return a page of members by name; e-mail addresses only for who manages members. One query."""
    rows = visible_members(principal, query=query, role=role, include_inactive=include_inactive)
    return [member_view(row, principal) for row in rows.order_by("name", "pk")[offset : offset + limit]]


def holders_of(permissions: Collection[str]) -> list[UUID]:
    """Return the active people of the current organization whose role has all of these permissions. One query.

    Says nothing of the conditions of a role, nor of what single audiences add.
    """
    rows = Member.objects.filter(
        organization_id=tenancy.current(),
        deactivated_at=None,
        user__kind=User.Kind.PERSON,
        user__is_active=True,
        role__permissions__contains=list(permissions),
    )
    return list(rows.order_by("pk").values_list("user_id", flat=True))


def get_member(principal: Principal, member_id: UUID) -> MemberView:
    """Return one member the viewer may know of, also a deactivated one. One query.

    Raises:
        MemberNotFound.
    """
    row = known_to(principal).filter(pk=member_id).first()
    if row is None:
        raise MemberNotFound
    return member_view(row, principal)


def get_own_member(principal: Principal) -> MemberView:
    """Return the acting principal's own seat. One query.

    Raises:
        MemberNotFound.
    """
    return get_member(principal, principal.member_id)


def member_view(row: Member, viewer: Principal) -> MemberView:
    """Return the member as this viewer may see it: the address only for itself and who manages members."""
    sees_address = row.user_id == viewer.id or bool({"member.manage", "member.invite"} & viewer.permissions)
    return MemberView(
        id=row.user_id,
        member_id=row.pk,
        name=row.name,
        title=row.title,
        kind=row.user.kind,
        role=row.role.key,
        is_active=row.deactivated_at is None,
        avatar_file_id=row.avatar_file_id,
        email=row.user.email if sees_address else None,
        about=row.about,
        joined_at=row.created_at,
        expires_at=row.expires_at,
    )


def list_roles(principal: Principal) -> list[RoleView]:
    """Return the roles of the organization with their number of active members. One query."""
    return [_role(row) for row in _roles(principal).order_by("key")]


def get_role(principal: Principal, role_id: UUID) -> RoleView:
    """Return one role.

    Raises:
        RoleNotFound.
    """
    row = _roles(principal).filter(pk=role_id).first()
    if row is None:
        raise RoleNotFound
    return _role(row)


def list_invitations(principal: Principal) -> list[InvitationView]:
    """Return the open invitations, newest first, also those too old to use. One query."""
    rows = _invitations().filter(organization_id=principal.organization_id, accepted_at=None, revoked_at=None)
    return [_invitation(row) for row in rows.order_by("-created_at", "-pk")]


def get_invitation(principal: Principal, invitation_id: UUID) -> InvitationView:
    """Return one open invitation.

    Raises:
        InvitationNotFound.
    """
    row = (
        _invitations()
        .filter(
            organization_id=principal.organization_id, pk=invitation_id, accepted_at=None, revoked_at=None
        )
        .first()
    )
    if row is None:
        raise InvitationNotFound
    return _invitation(row)


def unclaimed_people(*, organization_id: UUID, address: str) -> QuerySet[User]:
    """Return whom an import of the organization made for an address and nobody ever was: at most one row.

    Nobody can have signed in as that person: there is no password, and no sign-in by a mailed code or link happened.
    Whoever was let in before, was switched off or works on this server is not among them.
    """
    waiting = Member.objects.filter(organization_id=organization_id, user_id=OuterRef("pk"))
    return User.objects.filter(
        Exists(waiting.exclude(deactivated_at=None)),
        kind=User.Kind.PERSON,
        email=address,
        imported_by=organization_id,
        is_active=True,
        is_staff=False,
        is_superuser=False,
        last_login=None,
        password__startswith=UNUSABLE_PASSWORD_PREFIX,
    )


def name_of_before(*, organization_id: UUID, address: str) -> str:
    """Return what the imported person of an address is called, or nothing. One query."""
    people = unclaimed_people(organization_id=organization_id, address=address)
    rows = Member.objects.filter(organization_id=organization_id, user__in=people)
    return rows.values_list("name", flat=True).first() or ""


def is_mailed(invitation: Invitation, mailed: str) -> bool:
    """Return whether a link is the one of the mail, so that whoever opens it reads the address's mail."""
    return (
        bool(mailed)
        and invitation.mailed_hash is not None
        and constant_time_compare(bytes(invitation.mailed_hash), hash_secret(mailed))
    )


def invitation_by_secret(secret: str, mailed: str = "") -> tuple[InvitationView, UUID | None, str]:
    """Return what an open invitation's link says, the account of its address that has to sign in, and a name.

    The name is that of the imported person whom the link lets in. Three queries, four with an account.

    Args:
        mailed: what the link in the mail has besides; with it an imported person needs no sign-in.

    Raises:
        LinkNotValid.
    """
    organization_id = find_inviting(secret)
    if organization_id is None:
        raise LinkNotValid
    with tenancy.use(organization_id):
        row = (
            _invitations()
            .filter(
                organization_id=organization_id,
                hash=hash_secret(secret),
                accepted_at=None,
                revoked_at=None,
                expires_at__gt=timezone.now(),
                organization__is_active=True,
            )
            .first()
        )
        if row is None:
            raise LinkNotValid
        account = User.objects.filter(email=row.email, is_active=True).values_list("pk", flat=True).first()
        name = ""
        if account is not None and is_mailed(row, mailed):
            name = name_of_before(organization_id=organization_id, address=row.email)
    return _invitation(row), None if name else account, name


def find_inviting(secret: str) -> UUID | None:
    """Return the organization an invitation's link is of, used up or not; None for an unknown one. One query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT accounts_find_invitation(%s)", [hash_secret(secret)])
        organization_id: UUID | None = cursor.fetchone()[0]
    return organization_id


def get_organization(organization_id: UUID) -> OrganizationView:
    """Return an organization by id.

    Raises:
        OrganizationNotFound.
    """
    row = Organization.objects.filter(pk=organization_id).first()
    if row is None:
        raise OrganizationNotFound
    return OrganizationView(row.pk, row.slug, row.name, row.language)


def list_organization_ids() -> list[UUID]:
    """Return all organizations, oldest first; for duties that fan out over them."""
    return list(Organization.objects.order_by("pk").values_list("pk", flat=True))


def get_account(user_id: UUID) -> AccountView:
    """Return a user's own account.

    Raises:
        MemberNotFound.
    """
    row = User.objects.filter(pk=user_id).first()
    if row is None:
        raise MemberNotFound
    return AccountView(row.pk, row.email, row.language, row.theme)


def _roles(principal: Principal) -> QuerySet[Role]:
    active = Member.objects.filter(role_id=OuterRef("pk"), deactivated_at=None).order_by()
    count = active.values("role_id").annotate(number=Count("pk")).values("number")
    return Role.objects.filter(organization_id=principal.organization_id).annotate(
        members=Coalesce(Subquery(count), 0)
    )


def _role(row: Role) -> RoleView:
    members: int = getattr(row, "members")  # noqa: B009 - annotated by `_roles`
    return RoleView(
        row.pk, row.key, row.name, tuple(row.permissions), row.is_builtin, members, read(row.conditions)
    )


def _invitations() -> QuerySet[Invitation]:
    return Invitation.objects.select_related("role", "organization")


def _invitation(row: Invitation) -> InvitationView:
    return InvitationView(
        row.pk, row.email, row.role.key, row.organization.name, row.expires_at, row.created_at
    )
