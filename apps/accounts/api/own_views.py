"""REST endpoints of the caller itself: profile, sessions, keys."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api import serializers as shapes
from apps.accounts.api.permissions import RequiresRecentSignIn, SignedInByPage, principal_of
from apps.accounts.api.views import require_seen, versioned
from apps.accounts.errors import PermissionMissing
from apps.accounts.selectors import api_keys as key_selectors
from apps.accounts.selectors import members as member_selectors
from apps.accounts.selectors import sessions as session_selectors
from apps.accounts.services import api_keys, members, sessions
from apps.accounts.services.access import can, require
from apps.accounts.types import KeyLimits, Principal
from apps.core.api.paging import NEWEST_FIRST, Order, PageQuery, page_of_list, read_page
from apps.core.api.serializers import validated

_LATEST_FIRST = Order((("last_seen_at", dt.datetime), ("id", str)), descending=True)


class Me(APIView):
    """`me/`."""

    @extend_schema(responses=shapes.MeSerializer)
    def get(self, request: Request) -> Response:
        """Show the caller: account, seat, rights."""
        return versioned(_me(principal_of(request)))

    @extend_schema(request=shapes.MeChange, responses=shapes.MeSerializer)
    def patch(self, request: Request) -> Response:
        """Change the own profile in this organization, or language and theme of the account."""
        principal = principal_of(request)
        if principal.key_scopes is not None and "chat:write" not in principal.key_scopes:
            raise PermissionMissing
        changes = validated(shapes.MeChange(data=request.data))
        account = {name: changes.pop(name) for name in ("language", "theme") if name in changes}
        with transaction.atomic():
            members.lock_own(principal=principal)
            require_seen(request, _me(principal))
            members.update_profile(principal=principal, **changes)
            members.update_preferences(user_id=principal.id, **account)
        return versioned(_me(principal))


class SessionList(APIView):
    """`me/sessions/`."""

    permission_classes = [SignedInByPage]

    @extend_schema(parameters=[PageQuery], responses=shapes.page_of(shapes.SessionSerializer))
    def get(self, request: Request) -> Response:
        """List the browsers the caller is signed in with."""
        position, limit, _ = read_page(request, _LATEST_FIRST)
        found = session_selectors.list_sessions(
            user_id=principal_of(request).id, current_key=request.session.session_key or ""
        )
        page = page_of_list(found, order=_LATEST_FIRST, position=position, limit=limit)
        return Response(page.as_dict(request, shapes.SessionSerializer(page.rows, many=True).data))

    @extend_schema(responses={204: None})
    def delete(self, request: Request) -> Response:
        """Sign out everywhere but here."""
        sessions.end_others(user_id=principal_of(request).id, keep_key=request.session.session_key or "")
        return Response(status=204)


class SessionDetail(APIView):
    """`me/sessions/{id}/`."""

    permission_classes = [SignedInByPage]

    @extend_schema(responses={204: None})
    def delete(self, request: Request, session: str) -> Response:
        """Sign one browser out."""
        sessions.end_session(user_id=principal_of(request).id, session=session)
        return Response(status=204)


class KeyList(APIView):
    """`api-keys/`."""

    permission_classes = [RequiresRecentSignIn]

    @extend_schema(parameters=[shapes.KeyQuery], responses=shapes.page_of(shapes.KeySerializer))
    def get(self, request: Request) -> Response:
        """List the own keys, or everyone's for who may manage them."""
        principal = principal_of(request)
        position, limit, filters = read_page(request, NEWEST_FIRST, shapes.KeyQuery)
        require(principal, "api_key.manage" if filters["everyones"] else "api_key.own")
        found = key_selectors.list_keys(principal, everyones=filters["everyones"])
        page = page_of_list(found, order=NEWEST_FIRST, position=position, limit=limit)
        return Response(page.as_dict(request, shapes.KeySerializer(page.rows, many=True).data))

    @extend_schema(request=shapes.KeyInput, responses={201: shapes.IssuedKeySerializer})
    def post(self, request: Request) -> Response:
        """Make a key; its secret is in this answer and nowhere else."""
        principal = principal_of(request)
        require(principal, "api_key.own")
        values = validated(shapes.KeyInput(data=request.data))
        conversations = values.pop("conversations", None)
        limits = KeyLimits(
            conversations=None if conversations is None else tuple(conversations),
            networks=tuple(values.pop("networks")),
        )
        issued = api_keys.issue_key(principal=principal, limits=limits, **values)
        return Response(shapes.IssuedKeySerializer(issued).data, status=201)


class KeyDetail(APIView):
    """`api-keys/{id}/`."""

    @extend_schema(responses=shapes.KeySerializer)
    def get(self, request: Request, key_id: UUID) -> Response:
        """Show one key without its secret."""
        principal = principal_of(request)
        everyones = bool(can(principal, "api_key.manage"))
        if not everyones:
            require(principal, "api_key.own")
        return Response(
            shapes.KeySerializer(key_selectors.get_key(principal, key_id, everyones=everyones)).data
        )

    @extend_schema(responses={204: None})
    def delete(self, request: Request, key_id: UUID) -> Response:
        """End a key and the sockets opened with it."""
        api_keys.revoke_key(principal=principal_of(request), key_id=key_id)
        return Response(status=204)


class KeyRotation(APIView):
    """`api-keys/{id}/rotate/`."""

    permission_classes = [RequiresRecentSignIn]

    @extend_schema(request=shapes.KeyRotation, responses={201: shapes.IssuedKeySerializer})
    def post(self, request: Request, key_id: UUID) -> Response:
        """Make a successor; both keys work during the overlap."""
        values = validated(shapes.KeyRotation(data=request.data))
        issued = api_keys.rotate_key(
            principal=principal_of(request), key_id=key_id, overlap=timedelta(hours=values["overlap_hours"])
        )
        return Response(shapes.IssuedKeySerializer(issued).data, status=201)


class KeyReactivation(APIView):
    """`api-keys/{id}/reactivate/`."""

    permission_classes = [RequiresRecentSignIn]

    @extend_schema(request=None, responses=shapes.KeySerializer)
    def post(self, request: Request, key_id: UUID) -> Response:
        """Let a key that was suspended for want of use work again."""
        principal = principal_of(request)
        api_keys.reactivate_key(principal=principal, key_id=key_id)
        everyones = bool(can(principal, "api_key.manage"))
        return Response(
            shapes.KeySerializer(key_selectors.get_key(principal, key_id, everyones=everyones)).data
        )


def _me(principal: Principal) -> Mapping[str, Any]:
    """Return the caller as the rows are now. Three queries."""
    member = member_selectors.get_own_member(principal)
    account = member_selectors.get_account(principal.id)
    shown = {
        **asdict(member),
        "organization": member_selectors.get_organization(principal.organization_id),
        "language": account.language,
        "theme": account.theme,
        "permissions": sorted(principal.permissions),
        "key_scopes": None if principal.key_scopes is None else sorted(principal.key_scopes),
    }
    return shapes.MeSerializer(shown).data
