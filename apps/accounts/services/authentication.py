"""From what a request carries to who acts: one way for REST, async views and sockets."""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote
from uuid import UUID

from apps.accounts.conditions import NOWHERE, AccessContext
from apps.accounts.errors import AddressNotAllowed, KeyInAddress, OrganizationNotFound, ViewAsReadOnly
from apps.accounts.selectors.principals import (
    principal_for_family,
    principal_for_key,
    principal_for_session,
    session_id,
)
from apps.accounts.selectors.seated import within
from apps.accounts.selectors.seats import organizations_of
from apps.accounts.selectors.sessions import find_signed_in
from apps.accounts.selectors.view_as import is_open
from apps.accounts.services import access_tokens, api_keys, key_use, principal_cache
from apps.accounts.services.secrets import is_well_formed
from apps.accounts.types import Principal
from apps.core import tenancy
from apps.core.errors import NotSignedIn, OrganizationRequired

_LONGEST_KEY = 512
_CHECKED_LENGTH = 60  # keys made before they had a checksum are shorter
_SHOWN = re.compile(r"c[krs]_[0-9A-Za-z]{30}|ey[\w-]{10,}\.ey[\w-]{10,}\.")


@dataclass(frozen=True)
class Credentials:
    """What a request shows.

    Attributes:
        authorization: the header; `Bearer ck_...` or a signed token.
        session_key: from the session cookie.
        organization: id or slug the caller names; a key has its own.
        query: the query string, looked at only to refuse keys in it.
        address: of the client, for keys that are bound to networks.
    """

    authorization: str = ""
    session_key: str = ""
    organization: str = ""
    query: str = ""
    address: str = ""

    @property
    def by_session(self) -> bool:
        """A browser's cookie, so the caller must also prove that its own page asked."""
        return not self.authorization

    @property
    def cache_key(self) -> str:
        """A name for these credentials that opens nothing."""
        secret = self.session_key if self.by_session else f"{self.authorization}\n{self.address}"
        shown = f"{self.by_session}\n{secret}\n{self.organization}"
        return hashlib.sha256(shown.encode("utf-8", "surrogatepass")).hexdigest()


def find_kept(credentials: Credentials) -> Principal | None:
    """Return the principal from this process's memory, or None. No query, no waiting.

    Conditions of its role are asked again for this call: the cookie may come from another address, at another time.
    """
    kept = None if shows_key(credentials.query) else principal_cache.find(credentials.cache_key)
    if kept is None or not kept.conditions:
        return kept
    context = AccessContext(address=credentials.address, has_factor=kept.context.has_factor)
    return within(kept, context)


def authenticate(credentials: Credentials) -> Principal:
    """Return who acts. One query for a key or token, three or four for a session.

    Raises:
        NotSignedIn: nothing shown, or nothing that is valid.
        KeyInAddress: a key in the query string, valid or not.
        OrganizationRequired: a session whose user belongs to several organizations, or to none, names none.
        OrganizationNotFound: the named one is missing, not the key's, or the user has no open seat in it.
        AddressNotAllowed: the key is bound to other networks.
        ViewAsReadOnly: the browser looks at pages as somebody else.
        SecondFactorRequired: the organization asks for one, and session or token were not proved with it, or the
            key's person has none.
    """
    if shows_key(credentials.query):
        raise KeyInAddress
    since = principal_cache.generation()
    seconds = float("inf")
    if credentials.by_session:
        principal = _by_session(credentials)
    else:
        principal, seconds = _by_header(credentials)
    if principal_cache.is_followed() and not principal.held:
        principal_cache.keep(credentials.cache_key, principal, since=since, seconds=seconds)
    return principal


def principal_of_user(
    *,
    user_id: UUID,
    session: str,
    factor_id: int | None = None,
    organization: str = "",
    context: AccessContext = NOWHERE,
) -> Principal:
    """Return a signed-in user in the named organization, or in the only one.

    Raises:
        OrganizationRequired, OrganizationNotFound, SecondFactorRequired.
    """
    who: dict[str, Any] = {
        "user_id": user_id,
        "session": session,
        "factor_id": factor_id,
        "context": context,
    }
    if not organization:
        mine = organizations_of(user_id)
        if len(mine) != 1:
            raise OrganizationRequired
        return principal_for_session(**who, organization_id=mine[0].id)
    named = _named(organization)
    if isinstance(named, UUID):
        return principal_for_session(**who, organization_id=named)
    return principal_for_session(**who, slug=named)


def shows_key(query: str) -> bool:
    """Return whether a key or token stands in the query string, where logs and histories would keep it."""
    return bool(query) and _SHOWN.search(unquote(query)) is not None


def _by_header(credentials: Credentials) -> tuple[Principal, float]:
    """Return who acts, and for how many seconds the credential is valid at most."""
    seconds = float("inf")
    scheme, _, secret = credentials.authorization.partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer":
        raise NotSignedIn
    if access_tokens.looks_like_one(secret):
        claims = access_tokens.read(secret)
        seconds = claims.expires_at - time.time()
        principal = principal_for_family(
            claims.family_id, owner_id=claims.principal_id, address=credentials.address
        )
    else:
        principal = _by_key(secret, address=credentials.address)
    if credentials.organization and _named(credentials.organization) not in (
        principal.organization_id,
        principal.organization_slug,
    ):
        raise OrganizationNotFound
    return principal, seconds


def _by_key(secret: str, *, address: str) -> Principal:
    if not secret.startswith(api_keys.PREFIX) or len(secret) > _LONGEST_KEY:
        raise NotSignedIn
    if len(secret) == _CHECKED_LENGTH and not is_well_formed(secret, api_keys.PREFIX):
        raise NotSignedIn
    try:
        principal = principal_for_key(secret, address=address)
    except (NotSignedIn, AddressNotAllowed):
        key_use.note_refused(secret)
        raise
    with tenancy.use(principal.organization_id):
        key_use.touch_key(UUID(principal.session), address=address)
    return principal


def _by_session(credentials: Credentials) -> Principal:
    found = find_signed_in(credentials.session_key) if credentials.session_key else None
    if found is None:
        raise NotSignedIn
    principal = principal_of_user(
        user_id=found.user_id,
        session=session_id(credentials.session_key),
        factor_id=found.factor_id,
        organization=credentials.organization,
        context=AccessContext(address=credentials.address),
    )
    if found.view_as and is_open(principal, found.view_as):
        raise ViewAsReadOnly  # neither the API nor a socket is a page to look at
    return principal


def _named(organization: str) -> UUID | str:
    try:
        return UUID(organization)
    except ValueError:
        return organization
