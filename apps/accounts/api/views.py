"""REST endpoints of organizations, members, roles and invitations. Rights are decided by services and selectors."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api import serializers as shapes
from apps.accounts.api.permissions import Requires, SignedIn, account_id_of, principal_of
from apps.accounts.errors import OrganizationNotFound, PermissionMissing
from apps.accounts.selectors import members as member_selectors
from apps.accounts.selectors.seats import organizations_of
from apps.accounts.services import guests, invitations, members, organizations, roles
from apps.accounts.services.access import require
from apps.accounts.types import BY_SESSION, OrganizationView, Principal
from apps.core.api.encoding import encode
from apps.core.api.etags import etag, require_version
from apps.core.api.idempotency import repeatable
from apps.core.api.paging import BY_NAME, NEWEST_FIRST, Order, PageQuery, page_of_list, paginate, read_page
from apps.core.api.serializers import validated

_BY_KEY = Order((("key", str), ("id", UUID)))


class OrganizationList(APIView):
    """`organizations/`."""

    permission_classes = [SignedIn]

    @extend_schema(parameters=[PageQuery], responses=shapes.page_of(shapes.OrganizationSerializer))
    def get(self, request: Request) -> Response:
        """List the organizations the caller belongs to; a key or token has one."""
        position, limit, _ = read_page(request, BY_NAME)
        mine = _organizations(request)
        page = page_of_list(mine, order=BY_NAME, position=position, limit=limit)
        return Response(page.as_dict(request, shapes.OrganizationSerializer(page.rows, many=True).data))


class OrganizationDetail(APIView):
    """`organizations/{id}/`."""

    permission_classes = [SignedIn]

    @extend_schema(responses=shapes.OrganizationSerializer)
    def get(self, request: Request, organization_id: UUID) -> Response:
        """Show one of the caller's organizations."""
        return versioned(shapes.OrganizationSerializer(_organization(request, organization_id)).data)

    @extend_schema(request=shapes.OrganizationChange, responses=shapes.OrganizationSerializer)
    def patch(self, request: Request, organization_id: UUID) -> Response:
        """Change name or language of the organization the request is for."""
        principal = principal_of(request)
        if principal.organization_id != organization_id:
            raise OrganizationNotFound
        changes = validated(shapes.OrganizationChange(data=request.data))
        with transaction.atomic():
            organizations.lock_organization(organization_id=organization_id)
            require_seen(request, shapes.OrganizationSerializer(_organization(request, organization_id)).data)
            organizations.update_organization(principal=principal, **changes)
        return self.get(request, organization_id)


class MemberList(APIView):
    """`members/`."""

    @extend_schema(parameters=[shapes.MemberQuery], responses=shapes.page_of(shapes.MemberSerializer))
    def get(self, request: Request) -> Response:
        """List members by name; guests see only people they share a conversation with."""
        principal = principal_of(request)
        _require_directory(principal)
        position, limit, filters = read_page(request, BY_NAME, shapes.MemberQuery)
        if filters["include_inactive"]:
            require(principal, "member.manage")
        rows = member_selectors.visible_members(principal, **filters)
        page = paginate(rows, order=BY_NAME, position=position, limit=limit).map(
            lambda row: member_selectors.member_view(row, principal)
        )
        return Response(page.as_dict(request, shapes.MemberSerializer(page.rows, many=True).data))


class MemberDetail(APIView):
    """`members/{id}/`."""

    @extend_schema(responses=shapes.MemberSerializer)
    def get(self, request: Request, member_id: UUID) -> Response:
        """Show one member."""
        principal = principal_of(request)
        _require_directory(principal)
        return versioned(_member(principal, member_id))

    @extend_schema(request=shapes.MemberChange, responses=shapes.MemberSerializer)
    def patch(self, request: Request, member_id: UUID) -> Response:
        """Give another role, end the membership (`is_active` false) or open it again."""
        principal = principal_of(request)
        changes = validated(shapes.MemberChange(data=request.data))
        require(principal, "member.manage")
        with transaction.atomic():
            members.lock_member(principal=principal, member_id=member_id)
            require_seen(request, _member(principal, member_id))
            if changes.get("is_active") is True:
                members.reactivate_member(principal=principal, member_id=member_id)
            if "role" in changes:
                members.change_role(principal=principal, member_id=member_id, role=changes["role"])
            if "expires_at" in changes:
                guests.set_expiry(principal=principal, member_id=member_id, expires_at=changes["expires_at"])
            if changes.get("is_active") is False:
                members.deactivate_member(principal=principal, member_id=member_id)
        return versioned(_member(principal, member_id))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, member_id: UUID) -> Response:
        """End the membership: keys, sessions, seats. What the person wrote stays."""
        members.deactivate_member(principal=principal_of(request), member_id=member_id)
        return Response(status=204)


class InvitationList(APIView):
    """`invitations/`."""

    permission_classes = [Requires("member.invite")]

    @extend_schema(parameters=[PageQuery], responses=shapes.page_of(shapes.InvitationSerializer))
    def get(self, request: Request) -> Response:
        """List the open invitations, newest first."""
        position, limit, _ = read_page(request, NEWEST_FIRST)
        found = member_selectors.list_invitations(principal_of(request))
        page = page_of_list(found, order=NEWEST_FIRST, position=position, limit=limit)
        return Response(page.as_dict(request, shapes.InvitationSerializer(page.rows, many=True).data))

    @extend_schema(request=shapes.InvitationInput, responses={201: shapes.IssuedLinkSerializer})
    def post(self, request: Request) -> Response:
        """Invite an address by mail; the link is in this answer and nowhere else."""
        values = validated(shapes.InvitationInput(data=request.data))
        issued = invitations.invite(principal=principal_of(request), **values)
        return Response(shapes.IssuedLinkSerializer(issued).data, status=201)


class InvitationDetail(APIView):
    """`invitations/{id}/`."""

    permission_classes = [Requires("member.invite")]

    @extend_schema(responses=shapes.InvitationSerializer)
    def get(self, request: Request, invitation_id: UUID) -> Response:
        """Show one open invitation."""
        found = member_selectors.get_invitation(principal_of(request), invitation_id)
        return Response(shapes.InvitationSerializer(found).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, invitation_id: UUID) -> Response:
        """Take the invitation back."""
        invitations.revoke_invitation(principal=principal_of(request), invitation_id=invitation_id)
        return Response(status=204)


class InvitationRenewal(APIView):
    """`invitations/{id}/renew/`."""

    permission_classes = [Requires("member.invite")]

    @extend_schema(request=None, responses=shapes.IssuedLinkSerializer)
    def post(self, request: Request, invitation_id: UUID) -> Response:
        """Send a new link; the old one stops working."""
        issued = invitations.renew_invitation(principal=principal_of(request), invitation_id=invitation_id)
        return Response(shapes.IssuedLinkSerializer(issued).data)


class RoleList(APIView):
    """`roles/`."""

    @extend_schema(parameters=[PageQuery], responses=shapes.page_of(shapes.RoleSerializer))
    def get(self, request: Request) -> Response:
        """List the roles and how many active members have each."""
        principal = principal_of(request)
        require(principal, "directory.read")
        position, limit, _ = read_page(request, _BY_KEY)
        page = page_of_list(
            member_selectors.list_roles(principal), order=_BY_KEY, position=position, limit=limit
        )
        return Response(page.as_dict(request, shapes.RoleSerializer(page.rows, many=True).data))

    @extend_schema(request=shapes.RoleInput, responses={201: shapes.RoleSerializer})
    @repeatable
    def post(self, request: Request) -> Response:
        """Create a role with rights the caller has."""
        principal = principal_of(request)
        require(principal, "role.manage")
        values = validated(shapes.RoleInput(data=request.data))
        role_id = roles.create_role(principal=principal, **values)
        return versioned(_role(principal, role_id), status=201)


class RoleDetail(APIView):
    """`roles/{id}/`."""

    @extend_schema(responses=shapes.RoleSerializer)
    def get(self, request: Request, role_id: UUID) -> Response:
        """Show one role."""
        principal = principal_of(request)
        require(principal, "directory.read")
        return versioned(_role(principal, role_id))

    @extend_schema(request=shapes.RoleChange, responses=shapes.RoleSerializer)
    def patch(self, request: Request, role_id: UUID) -> Response:
        """Change a custom role; its members have the new rights at once."""
        principal = principal_of(request)
        changes = validated(shapes.RoleChange(data=request.data))
        with transaction.atomic():
            roles.lock_role(principal=principal, role_id=role_id)
            require_seen(request, _role(principal, role_id))
            roles.update_role(principal=principal, role_id=role_id, **changes)
        return versioned(_role(principal, role_id))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, role_id: UUID) -> Response:
        """Delete a custom role that nobody has."""
        roles.delete_role(principal=principal_of(request), role_id=role_id)
        return Response(status=204)


def versioned(data: Mapping[str, Any], *, status: int = 200) -> Response:
    """Return an answer with the version of what it shows."""
    return Response(data, status=status, headers={"ETag": etag(version_of(data))})


def version_of(data: Mapping[str, Any]) -> str:
    """Return a version that changes with anything the caller sees."""
    return hashlib.sha256(encode(data)).hexdigest()[:20]


def require_seen(request: Request, data: Mapping[str, Any]) -> None:
    """Refuse a change made from another version than this; the caller holds the row's lock.

    Raises:
        PreconditionFailed.
    """
    require_version(request._request, version_of(data))  # noqa: SLF001 - DRF's name for Django's request


def _organizations(request: Request) -> list[OrganizationView]:
    caller: object = request.user
    if isinstance(caller, Principal) and caller.credential != BY_SESSION:
        return [member_selectors.get_organization(caller.organization_id)]
    return organizations_of(account_id_of(request))


def _organization(request: Request, organization_id: UUID) -> OrganizationView:
    for found in _organizations(request):
        if found.id == organization_id:
            return found
    raise OrganizationNotFound


def _member(principal: Principal, member_id: UUID) -> Mapping[str, Any]:
    return shapes.MemberSerializer(member_selectors.get_member(principal, member_id)).data


def _role(principal: Principal, role_id: UUID) -> Mapping[str, Any]:
    return shapes.RoleSerializer(member_selectors.get_role(principal, role_id)).data


def _require_directory(principal: Principal) -> None:
    """Refuse keys and roles without the directory; guests have their own small one."""
    if principal.key_scopes is not None and "chat:read" not in principal.key_scopes:
        raise PermissionMissing
    if not principal.is_guest:
        require(principal, "directory.read")
