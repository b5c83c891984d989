"""REST endpoints of service accounts; `members/{id}/` changes their role and ends them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api import serializers as shapes
from apps.accounts.api.permissions import Requires, RequiresRecentSignIn, principal_of
from apps.accounts.selectors import members as member_selectors
from apps.accounts.selectors.service_accounts import list_service_accounts
from apps.accounts.services.access import require
from apps.accounts.services.service_accounts import create_service_account
from apps.core.api.idempotency import repeatable
from apps.core.api.paging import BY_NAME, PageQuery, page_of_list, read_page
from apps.core.api.serializers import CleanText, StrictSerializer, validated


class ServiceAccountInput(StrictSerializer):
    """A new service account."""

    name = CleanText(max_length=80)
    role = CleanText(max_length=40, default="guest")


class ServiceAccountList(APIView):
    """`service-accounts/`."""

    permission_classes = [Requires("api_key.manage"), RequiresRecentSignIn]

    @extend_schema(parameters=[PageQuery], responses=shapes.page_of(shapes.MemberSerializer))
    def get(self, request: Request) -> Response:
        """List the service accounts by name."""
        position, limit, _ = read_page(request, BY_NAME)
        found = list_service_accounts(principal_of(request))
        page = page_of_list(found, order=BY_NAME, position=position, limit=limit)
        return Response(page.as_dict(request, shapes.MemberSerializer(page.rows, many=True).data))

    @extend_schema(request=ServiceAccountInput, responses={201: shapes.MemberSerializer})
    @repeatable
    def post(self, request: Request) -> Response:
        """Make a principal for a program: it has a role and keys and cannot sign in."""
        principal = principal_of(request)
        require(principal, "member.manage")
        values: dict[str, Any] = validated(ServiceAccountInput(data=request.data))
        made = create_service_account(principal=principal, **values)
        shown = next(view for view in list_service_accounts(principal) if view.id == made)
        return Response(
            shapes.MemberSerializer(member_selectors.get_member(principal, shown.member_id)).data, status=201
        )
