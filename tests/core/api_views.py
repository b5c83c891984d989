"""Views for tests of the API conventions; they stand for views of an app."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core.api.idempotency import repeatable
from apps.core.api.serializers import CleanText, StrictSerializer, validated
from apps.core.errors import DomainError, NotFound
from apps.core.models import FeatureFlag

ORGANIZATION = UUID(int=9)


@dataclass(frozen=True)
class FakeCaller:
    id: UUID
    organization_id: UUID = ORGANIZATION
    session: str = ""


class HeaderAuthentication(BaseAuthentication):
    """Believes the headers `Caller`, a number, and `Organization`."""

    def authenticate(self, request: Request) -> None:
        number = request.headers.get("Caller")
        organization = UUID(request.headers.get("Organization", str(ORGANIZATION)))
        request._request.principal = FakeCaller(UUID(int=int(number)), organization) if number else None


class Refused(DomainError):
    code = "core.test_refused"
    status = 422
    message = "No."


class FlagInput(StrictSerializer):
    key = CleanText(max_length=40)
    outcome = serializers.CharField(required=False)


class OpenView(APIView):
    authentication_classes = [HeaderAuthentication]
    permission_classes = [AllowAny]


class Flags(OpenView):
    """Makes a flag, and ends as the body says."""

    @extend_schema(request=FlagInput, responses={201: FlagInput})
    @repeatable
    def post(self, request: Request) -> Response:
        """Make a flag."""
        data = validated(FlagInput(data=request.data))
        FeatureFlag.objects.create(key=data["key"])
        match data.get("outcome"):
            case "refused":
                raise Refused
            case "missing":
                raise NotFound
            case "fault":
                raise RuntimeError
        count = FeatureFlag.objects.count()
        return Response({"key": data["key"], "count": count}, status=201, headers={"Location": "/flags/1"})

    @extend_schema(responses=FlagInput(many=True))
    def get(self, request: Request) -> Response:
        """List flags."""
        return Response([])
