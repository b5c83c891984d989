"""REST endpoints of tokens: sign a client in, refresh, revoke, list the own ones; and the public key set."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api import token_serializers as shapes
from apps.accounts.api.permissions import SignedInPerson, principal_of
from apps.accounts.api.serializers import page_of
from apps.accounts.selectors import tokens as token_selectors
from apps.accounts.services import signing_keys, token_sign_in, tokens
from apps.core.api.paging import Order, PageQuery, page_of_list, read_page
from apps.core.api.serializers import validated
from apps.core.http.addresses import client_address, network
from apps.core.services import limits
from apps.core.services.limits import Bucket

_LATEST_FIRST = Order((("last_used_at", dt.datetime), ("id", UUID)), descending=True)
_TAGS = ["tokens"]
_KEY_SET_SECONDS = 300


class _Open(APIView):
    """Shows its own secret: no header and no cookie counts here, so no foreign page can use a browser's."""

    authentication_classes = []
    permission_classes = [AllowAny]


class TokenSignIn(_Open):
    """`tokens/`."""

    @extend_schema(
        request=shapes.TokenSignIn, responses={201: shapes.IssuedTokensSerializer}, tags=_TAGS, auth=[]
    )
    def post(self, request: Request) -> Response:
        """Sign a person's client in by e-mail and password, bound to one organization."""
        values = validated(shapes.TokenSignIn(data=request.data))
        issued = token_sign_in.sign_in(request=request._request, **values)  # noqa: SLF001 - DRF's name
        return Response(shapes.IssuedTokensSerializer(issued).data, status=201)


class TokenRefresh(_Open):
    """`tokens/refresh/`."""

    @extend_schema(request=shapes.RefreshSecret, responses=shapes.IssuedTokensSerializer, tags=_TAGS, auth=[])
    def post(self, request: Request) -> Response:
        """Exchange a refresh token for new tokens. A refresh token works once; a second use ends all of its line."""
        values = validated(shapes.RefreshSecret(data=request.data))
        address = client_address(request._request)  # noqa: SLF001
        _limit(address)
        issued = tokens.refresh(secret=values["refresh_token"], address=address)
        return Response(shapes.IssuedTokensSerializer(issued).data)


class TokenRevocation(_Open):
    """`tokens/revoke/`."""

    @extend_schema(request=shapes.RefreshSecret, responses={204: None}, tags=_TAGS, auth=[])
    def post(self, request: Request) -> Response:
        """Sign a client out: its tokens, sockets and streams end. An unknown token gets the same answer."""
        values = validated(shapes.RefreshSecret(data=request.data))
        _limit(client_address(request._request))  # noqa: SLF001
        tokens.revoke_by_secret(secret=values["refresh_token"])
        return Response(status=204)


class OwnTokenList(APIView):
    """`me/tokens/`."""

    permission_classes = [SignedInPerson]

    @extend_schema(parameters=[PageQuery], responses=page_of(shapes.TokenSerializer), tags=_TAGS)
    def get(self, request: Request) -> Response:
        """List the clients the caller is signed in with by tokens, latest use first."""
        position, limit, _ = read_page(request, _LATEST_FIRST)
        found = token_selectors.list_tokens(principal_of(request))
        page = page_of_list(found, order=_LATEST_FIRST, position=position, limit=limit)
        return Response(page.as_dict(request, shapes.TokenSerializer(page.rows, many=True).data))


class OwnTokenDetail(APIView):
    """`me/tokens/{id}/`."""

    permission_classes = [SignedInPerson]

    @extend_schema(responses={204: None}, tags=_TAGS)
    def delete(self, request: Request, token_id: UUID) -> Response:
        """Sign one of the own clients out."""
        tokens.end_family(principal=principal_of(request), family_id=token_id)
        return Response(status=204)


@require_safe
@login_not_required
def key_set(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 - Django's signature
    """Answer `/.well-known/jwks.json`: the public keys of access tokens."""
    response = JsonResponse(signing_keys.key_set(), content_type="application/jwk-set+json")
    response.headers["Cache-Control"] = f"public, max-age={_KEY_SET_SECONDS}"
    return response


def _limit(address: str) -> None:
    """Count attempts at refresh tokens by network.

    Raises:
        TooManyRequests.
    """
    limits.take([Bucket("refresh", network(address), 120, 240)]).require()
