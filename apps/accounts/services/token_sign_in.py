"""Sign a client in by e-mail and password, through the same counters and factors as the sign-in page.

A part that asks for more than the password registers a gate: it raises what is missing, and no token is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from allauth.account.adapter import get_adapter
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from apps.accounts.errors import CredentialsNotValid, TooManyAttempts
from apps.accounts.services import tokens
from apps.accounts.services.authentication import principal_of_user
from apps.accounts.types import IssuedTokens, Principal
from apps.core.http.addresses import client_address

_TOO_MANY = "too_many_login_attempts"


@dataclass(frozen=True)
class Attempt:
    """A sign-in whose password was right.

    Attributes:
        code: of a second factor, as it was typed; empty when none was given.
    """

    request: HttpRequest
    user_id: UUID
    principal: Principal
    code: str


Gate = Callable[[Attempt], None]
_gates: list[Gate] = []


def register_gate(gate: Gate) -> None:
    """Ask this too before tokens are made; it raises `SecondFactorRequired` or another refusal."""
    if gate not in _gates:
        _gates.append(gate)


def sign_in(
    *,
    request: HttpRequest,
    email: str,
    password: str,
    organization: str = "",
    code: str = "",
    name: str = "",
    scopes: Iterable[str] | None = None,
) -> IssuedTokens:
    """Return tokens for a person in one organization.

    Args:
        organization: id or slug; empty for the only one.

    Raises:
        CredentialsNotValid: unknown address, wrong password or closed account; they are not told apart.
        TooManyAttempts.
        OrganizationRequired, OrganizationNotFound.
        SecondFactorRequired: the account or the organization asks for one and none was given.
        NameNotValid, UnknownKeyScope, KeyScopesMissing.
    """
    user = _by_password(request, email, password)
    principal = principal_of_user(user_id=user, session="", organization=organization)
    for gate in _gates:
        gate(Attempt(request, user, principal, code))
    return tokens.open_family(
        principal=principal, name=name or _named(request), scopes=scopes, address=client_address(request)
    )


def _by_password(request: HttpRequest, email: str, password: str) -> UUID:
    try:
        user = get_adapter(request).authenticate(request, email=email, password=password)
    except ValidationError as error:
        raise (TooManyAttempts if error.code == _TOO_MANY else CredentialsNotValid) from error
    if user is None or not user.is_active:
        raise CredentialsNotValid
    found: UUID = user.pk
    return found


def _named(request: HttpRequest) -> str:
    """Return what the client calls itself, as far as it can be shown."""
    agent = "".join(
        character for character in request.META.get("HTTP_USER_AGENT", "") if character.isprintable()
    )
    return agent[:80].strip() or "API"
