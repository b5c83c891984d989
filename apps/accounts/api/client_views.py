"""REST endpoints of registered OAuth clients, and of what the caller allowed them."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.api.permissions import Requires, RequiresRecentSignIn, SignedInPerson, principal_of
from apps.accounts.api.serializers import page_of
from apps.accounts.models import OAuthClient
from apps.accounts.selectors import oauth as selectors
from apps.accounts.services import oauth_clients, oauth_consents
from apps.accounts.services.oauth_clients import MANAGE, ClientValues
from apps.accounts.types import CODE_GRANT, OAUTH_GRANTS, OAUTH_SCOPES, REFRESH_GRANT, ClientView, Principal
from apps.core.api.paging import BY_NAME, Order, PageQuery, page_of_list, read_page
from apps.core.api.serializers import CleanText, StrictSerializer, validated

_GRANTS = sorted(OAUTH_GRANTS)
_SCOPES = sorted(OAUTH_SCOPES)
_LATEST_FIRST = Order((("given_at", dt.datetime), ("id", UUID)), descending=True)


class ClientSerializer(serializers.Serializer[Any]):
    """A registered client without its secret."""

    id = serializers.UUIDField(help_text=_("The `client_id` of the protocol."))
    name = serializers.CharField()
    is_confidential = serializers.BooleanField(help_text=_("It keeps a secret; false: it runs on devices."))
    redirect_uris = serializers.ListField(child=serializers.CharField())
    grants = serializers.ListField(child=serializers.ChoiceField(choices=_GRANTS))
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=_SCOPES))
    id_token_algorithm = serializers.ChoiceField(choices=OAuthClient.Algorithm.values)
    service_id = serializers.UUIDField(
        allow_null=True, help_text=_("The principal it acts as without a person.")
    )
    secret_prefix = serializers.CharField(allow_blank=True)
    previous_until = serializers.DateTimeField(
        allow_null=True, help_text=_("Until when the secret before works too.")
    )
    disabled_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class IssuedClientSerializer(serializers.Serializer[Any]):
    """A client with its secret, this one time."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    secret = serializers.CharField(allow_blank=True, help_text=_("Empty where the client keeps none."))


class ClientInput(StrictSerializer):
    """A new client."""

    name = CleanText(max_length=80)
    is_confidential = serializers.BooleanField()
    redirect_uris = serializers.ListField(child=CleanText(max_length=500), max_length=10, default=list)
    grants = serializers.ListField(
        child=serializers.ChoiceField(choices=_GRANTS), default=lambda: [CODE_GRANT, REFRESH_GRANT]
    )
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=_SCOPES), default=lambda: ["openid", "profile"]
    )
    id_token_algorithm = serializers.ChoiceField(
        choices=OAuthClient.Algorithm.values, default=OAuthClient.Algorithm.RS256
    )
    service_role = CleanText(
        max_length=40,
        default="guest",
        help_text=_("Of the service account it gets with `client_credentials`."),
    )


class ClientChange(StrictSerializer):
    """What changes of a client; its kind and its service account stay."""

    name = CleanText(max_length=80, required=False)
    redirect_uris = serializers.ListField(child=CleanText(max_length=500), max_length=10, required=False)
    grants = serializers.ListField(child=serializers.ChoiceField(choices=_GRANTS), required=False)
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=_SCOPES), required=False)
    id_token_algorithm = serializers.ChoiceField(choices=OAuthClient.Algorithm.values, required=False)
    is_active = serializers.BooleanField(
        required=False, help_text=_("False ends its tokens, sockets and streams at once.")
    )


class SecretRotation(StrictSerializer):
    """How long the old secret goes on working."""

    overlap_hours = serializers.IntegerField(min_value=0, max_value=168, default=24)


class ConsentSerializer(serializers.Serializer[Any]):
    """What the caller allowed a client."""

    id = serializers.UUIDField()
    client_id = serializers.UUIDField()
    client_name = serializers.CharField()
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=_SCOPES))
    given_at = serializers.DateTimeField(help_text=_("At first, or when it was widened."))


class ClientList(APIView):
    """`oauth-clients/`."""

    permission_classes = [Requires(MANAGE), RequiresRecentSignIn]

    @extend_schema(parameters=[PageQuery], responses=page_of(ClientSerializer))
    def get(self, request: Request) -> Response:
        """List the registered clients by name."""
        position, limit, _filters = read_page(request, BY_NAME)
        found = selectors.list_clients(principal_of(request))
        page = page_of_list(found, order=BY_NAME, position=position, limit=limit)
        return Response(page.as_dict(request, ClientSerializer(page.rows, many=True).data))

    @extend_schema(request=ClientInput, responses={201: IssuedClientSerializer})
    def post(self, request: Request) -> Response:
        """Register a client; its secret is in this answer and nowhere else."""
        values = ClientValues(**validated(ClientInput(data=request.data)))
        issued = oauth_clients.create_client(principal=principal_of(request), values=values)
        return Response(IssuedClientSerializer(issued).data, status=201)


class ClientDetail(APIView):
    """`oauth-clients/{id}/`."""

    permission_classes = [Requires(MANAGE), RequiresRecentSignIn]

    @extend_schema(responses=ClientSerializer)
    def get(self, request: Request, client_id: UUID) -> Response:
        """Show one client."""
        return Response(ClientSerializer(selectors.get_client(principal_of(request), client_id)).data)

    @extend_schema(request=ClientChange, responses=ClientSerializer)
    def patch(self, request: Request, client_id: UUID) -> Response:
        """Change a client, switch it off or on again."""
        principal = principal_of(request)
        changed = validated(ClientChange(data=request.data))
        is_active = changed.pop("is_active", None)
        present = selectors.get_client(principal, client_id)
        if changed:
            oauth_clients.update_client(
                principal=principal, client_id=client_id, values=_changed(present, changed)
            )
        _switch(principal, client_id, is_active=is_active)
        return Response(ClientSerializer(selectors.get_client(principal, client_id)).data)


class SecretRotationView(APIView):
    """`oauth-clients/{id}/rotate/`."""

    permission_classes = [Requires(MANAGE), RequiresRecentSignIn]

    @extend_schema(request=SecretRotation, responses={201: IssuedClientSerializer})
    def post(self, request: Request, client_id: UUID) -> Response:
        """Give a client a new secret; both work during the overlap."""
        values = validated(SecretRotation(data=request.data))
        issued = oauth_clients.rotate_secret(
            principal=principal_of(request),
            client_id=client_id,
            overlap=dt.timedelta(hours=values["overlap_hours"]),
        )
        return Response(IssuedClientSerializer(issued).data, status=201)


class ConsentList(APIView):
    """`me/consents/`."""

    permission_classes = [SignedInPerson]

    @extend_schema(parameters=[PageQuery], responses=page_of(ConsentSerializer))
    def get(self, request: Request) -> Response:
        """List what the caller allowed clients, newest first."""
        position, limit, _filters = read_page(request, _LATEST_FIRST)
        found = selectors.list_consents(principal_of(request))
        page = page_of_list(found, order=_LATEST_FIRST, position=position, limit=limit)
        return Response(page.as_dict(request, ConsentSerializer(page.rows, many=True).data))


class ConsentDetail(APIView):
    """`me/consents/{id}/`."""

    permission_classes = [SignedInPerson]

    @extend_schema(responses={204: None})
    def delete(self, request: Request, consent_id: UUID) -> Response:
        """Take a consent back: the client's tokens for the caller end, with sockets and streams."""
        oauth_consents.end_consent(principal=principal_of(request), consent_id=consent_id)
        return Response(status=204)


def _changed(present: ClientView, changed: dict[str, Any]) -> ClientValues:
    values: dict[str, Any] = {
        "name": present.name,
        "redirect_uris": present.redirect_uris,
        "grants": present.grants,
        "scopes": present.scopes,
        "id_token_algorithm": present.id_token_algorithm,
    }
    return ClientValues(is_confidential=present.is_confidential, **{**values, **changed})


def _switch(principal: Principal, client_id: UUID, *, is_active: bool | None) -> None:
    if is_active is True:
        oauth_clients.enable_client(principal=principal, client_id=client_id)
    elif is_active is False:
        oauth_clients.disable_client(principal=principal, client_id=client_id)
