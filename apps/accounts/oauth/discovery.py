"""What this server can do as an authorization server (RFC 8414, OpenID Connect Discovery)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from apps.accounts.models import OAuthClient
from apps.accounts.services import access_tokens
from apps.accounts.services.oauth_tokens import DEVICE_URN
from apps.accounts.types import CLIENT_GRANT, CODE_GRANT, OAUTH_SCOPES, REFRESH_GRANT

_SECONDS = 3600


@require_safe
@login_not_required
def configuration(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 - Django's signature
    """Answer both documents: OpenID Connect adds to the one of OAuth."""
    response = JsonResponse(_document())
    response.headers["Cache-Control"] = f"public, max-age={_SECONDS}"
    return response


def _document() -> dict[str, Any]:
    with_secret = ["client_secret_basic", "client_secret_post"]
    return {
        "issuer": access_tokens.issuer(),
        "authorization_endpoint": _at("oauth_authorize"),
        "token_endpoint": _at("oauth_token"),
        "device_authorization_endpoint": _at("oauth_device_authorization"),
        "userinfo_endpoint": _at("oauth_userinfo"),
        "introspection_endpoint": _at("oauth_introspection"),
        "revocation_endpoint": _at("oauth_revocation"),
        "jwks_uri": _at("key_set"),
        "scopes_supported": list(OAUTH_SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [CODE_GRANT, REFRESH_GRANT, CLIENT_GRANT, DEVICE_URN],
        "code_challenge_methods_supported": ["S256"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": list(OAuthClient.Algorithm.values),
        "token_endpoint_auth_methods_supported": [*with_secret, "none"],
        "revocation_endpoint_auth_methods_supported": [*with_secret, "none"],
        "introspection_endpoint_auth_methods_supported": with_secret,
        "claims_supported": [
            "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "amr", "at_hash", "name", "locale", "updated_at",
            "email", "email_verified", "organization", "organization_name",
        ],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "ui_locales_supported": [code for code, _name in settings.LANGUAGES],
        "authorization_response_iss_parameter_supported": True,
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }  # fmt: skip


def _at(name: str) -> str:
    return f"{settings.PUBLIC_URL}{reverse(name)}"
