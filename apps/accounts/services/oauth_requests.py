"""Read what a client asks a person for (RFC 6749 4.1, RFC 7636, OpenID Connect Core 3.1.2), and refuse the rest."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from apps.accounts.errors import ClientNotFound, OAuthRefusal, RedirectNotRegistered
from apps.accounts.selectors.oauth import find_known
from apps.accounts.services.oauth_clients import matching_redirect
from apps.accounts.types import CODE_GRANT, OFFLINE, OPENID, REFRESH_GRANT, AuthorizationRequest, KnownClient

Parameters = Mapping[str, Sequence[str]]
LONGEST = 2048
LONGEST_NONCE = 255
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_PROMPTS = frozenset({"none", "login", "consent", "select_account"})
_LONGEST_AGE = 10 * 365 * 24 * 3600


def read_client(parameters: Parameters) -> tuple[KnownClient, str]:
    """Return who asks and the registered address to go back to.

    Raises:
        ClientNotFound, RedirectNotRegistered: for the person; nobody is sent anywhere.
    """
    named, asked = parameters.get("client_id", []), parameters.get("redirect_uri", [])
    client = find_known(named[0]) if len(named) == 1 else None
    if client is None:
        raise ClientNotFound
    redirect = matching_redirect(client.redirect_uris, asked[0]) if len(asked) == 1 else None
    if redirect is None:
        raise RedirectNotRegistered
    return client, redirect


def read_request(parameters: Parameters, client: KnownClient, redirect_uri: str) -> AuthorizationRequest:
    """Return the checked request.

    Raises:
        OAuthRefusal: told to the client, at its registered address.
    """
    _require_plain(parameters)
    if one(parameters, "response_type") != "code":
        raise OAuthRefusal("unsupported_response_type", "Only response_type=code is supported.")
    if CODE_GRANT not in client.grants:
        raise OAuthRefusal("unauthorized_client", "This client may not use authorization codes.")
    return AuthorizationRequest(
        client=client,
        redirect_uri=redirect_uri,
        scopes=read_scopes(one(parameters, "scope"), client),
        state=one(parameters, "state"),
        challenge=_challenge(parameters),
        nonce=_nonce(parameters),
        prompt=_prompt(parameters),
        max_age=_max_age(parameters),
    )


def read_scopes(text: str, client: KnownClient) -> tuple[str, ...]:
    """Return scopes that the client may ask for, each once; nothing asked for is `openid`, where it has that.

    Raises:
        OAuthRefusal: `invalid_scope`.
    """
    wanted = tuple(dict.fromkeys(text.split(" "))) if text else (OPENID,)
    if not set(wanted) <= set(client.scopes):
        raise OAuthRefusal(
            "invalid_scope", "The client may not ask for one of these scopes, or it does not exist."
        )
    if set(wanted) == {OFFLINE}:
        raise OAuthRefusal("invalid_scope", "offline_access goes with another scope only.")
    return wanted


def is_refreshable(scopes: Sequence[str], client: KnownClient) -> bool:
    """Return whether the client gets a refresh token: it may have one, and the person allowed it."""
    return OFFLINE in scopes and REFRESH_GRANT in client.grants


def one(parameters: Parameters, name: str) -> str:
    """Return a parameter, or an empty text.

    Raises:
        OAuthRefusal: it came twice, or is too long.
    """
    values = parameters.get(name, [])
    if len(values) > 1:
        raise OAuthRefusal("invalid_request", f"The parameter {name} came more than once.")
    if values and (len(values[0]) > LONGEST or "\x00" in values[0]):
        raise OAuthRefusal("invalid_request", f"The parameter {name} is too long or holds a NUL.")
    return values[0] if values else ""


def _require_plain(parameters: Parameters) -> None:
    for name in ("request", "request_uri"):
        if parameters.get(name):
            raise OAuthRefusal(f"{name}_not_supported", f"The parameter {name} is not supported.")
    if one(parameters, "response_mode") not in ("", "query"):
        raise OAuthRefusal("invalid_request", "Only response_mode=query is supported.")


def _challenge(parameters: Parameters) -> str:
    challenge = one(parameters, "code_challenge")
    if not challenge:
        raise OAuthRefusal("invalid_request", "PKCE is required: code_challenge is missing.")
    if one(parameters, "code_challenge_method") != "S256":
        raise OAuthRefusal("invalid_request", "PKCE is required with code_challenge_method=S256.")
    if not _CHALLENGE.fullmatch(challenge):
        raise OAuthRefusal("invalid_request", "code_challenge is not the base64url of a SHA-256.")
    return challenge


def _nonce(parameters: Parameters) -> str:
    nonce = one(parameters, "nonce")
    if len(nonce) > LONGEST_NONCE:
        raise OAuthRefusal("invalid_request", "nonce is longer than 255 characters.")
    return nonce


def _prompt(parameters: Parameters) -> frozenset[str]:
    asked = frozenset(one(parameters, "prompt").split())
    if not asked <= _PROMPTS or ("none" in asked and len(asked) > 1):
        raise OAuthRefusal("invalid_request", "prompt is unknown, or none stands with another.")
    return asked


def _max_age(parameters: Parameters) -> int | None:
    text = one(parameters, "max_age")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and int(text[:12]) <= _LONGEST_AGE):
        raise OAuthRefusal("invalid_request", "max_age is no number of seconds.")
    return int(text)
