"""Sign a client in by e-mail and password, through the same counters and factors as the sign-in page.

A person who has a second factor shows it here too, whatever the organization asks; where an organization asks for one,
`principal_of_user` lets nobody in without it.
"""

from __future__ import annotations

from collections.abc import Iterable

from allauth.account.adapter import get_adapter
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from apps.accounts import actions
from apps.accounts.errors import CredentialsNotValid, FactorCodeRequired, TooManyAttempts
from apps.accounts.models import User
from apps.accounts.selectors.factors import has_factor
from apps.accounts.services import factors, proofs, tokens
from apps.accounts.services.authentication import principal_of_user
from apps.accounts.types import AccessContext, IssuedTokens
from apps.core.http.addresses import client_address

_TOO_MANY = "too_many_login_attempts"


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
        FactorCodeRequired: the person has a second factor and no code was given; CodeWrong.
        OrganizationRequired, OrganizationNotFound.
        SecondFactorRequired: the organization asks for a second factor and the person has none.
        NameNotValid, UnknownKeyScope, KeyScopesMissing.
    """
    user = _by_password(request, email, password)
    factor_id = _by_factor(request, user, code)
    principal = principal_of_user(
        user_id=user.pk,
        session="",
        factor_id=factor_id,
        organization=organization,
        context=AccessContext(address=client_address(request)),
    )
    return tokens.open_family(
        principal=principal,
        name=name or _named(request),
        scopes=scopes,
        address=client_address(request),
        factor_id=factor_id,
    )


def _by_factor(request: HttpRequest, user: User, code: str) -> int | None:
    """Return the factor whose code was given, or None for a person without one."""
    if not has_factor(user_id=user.pk):
        return None
    if not code:
        raise FactorCodeRequired
    factor = proofs.counted(
        request,
        user=user,
        action=actions.SIGNED_IN,
        check=lambda: factors.check_code(user_id=user.pk, code=code),
    )
    found: int = factor.pk
    return found


def _by_password(request: HttpRequest, email: str, password: str) -> User:
    try:
        user = get_adapter(request).authenticate(request, email=email, password=password)
    except ValidationError as error:
        raise (TooManyAttempts if error.code == _TOO_MANY else CredentialsNotValid) from error
    if user is None or not user.is_active:
        raise CredentialsNotValid
    found: User = user
    return found


def _named(request: HttpRequest) -> str:
    """Return what the client calls itself, as far as it can be shown."""
    agent = "".join(
        character for character in request.META.get("HTTP_USER_AGENT", "") if character.isprintable()
    )
    return agent[:80].strip() or "API"
