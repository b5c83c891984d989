"""Input and output of the token endpoints."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from apps.accounts.types import IDENTITY_SCOPES, KEY_SCOPES, OFFLINE
from apps.core.api.serializers import CleanText, StrictSerializer

_SCOPES = sorted({*KEY_SCOPES, *IDENTITY_SCOPES, OFFLINE})


class TokenSignIn(StrictSerializer):
    """Who signs in, where, with what."""

    email = CleanText(max_length=254)
    password = serializers.CharField(max_length=200, trim_whitespace=False)
    organization = CleanText(
        max_length=40, required=False, help_text=_("Id or short name; needed by members of several.")
    )
    code = CleanText(max_length=20, required=False, help_text=_("Of the second factor, where one is needed."))
    name = CleanText(max_length=80, required=False, help_text=_("What the list of clients calls it."))
    scopes = serializers.ListField(
        child=CleanText(max_length=40),
        max_length=len(KEY_SCOPES),
        required=False,
        help_text=_("Left out: all that the person may do."),
    )


class RefreshSecret(StrictSerializer):
    """A refresh token."""

    refresh_token = CleanText(max_length=100)


class IssuedTokensSerializer(serializers.Serializer[Any]):
    """New tokens, shown once."""

    family = serializers.UUIDField(help_text=_("The line of refresh tokens, which ends as one."))
    token_type = serializers.SerializerMethodField()
    access_token = serializers.CharField()
    access_expires_at = serializers.DateTimeField()
    refresh_token = serializers.CharField()
    refresh_expires_at = serializers.DateTimeField()

    def get_token_type(self, issued: Any) -> str:  # noqa: ARG002 - DRF's signature
        """Name the scheme of the header."""
        return "Bearer"


class TokenSerializer(serializers.Serializer[Any]):
    """A client that is signed in by tokens."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=_SCOPES), allow_null=True)
    address = serializers.IPAddressField(allow_null=True)
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    is_current = serializers.BooleanField()
