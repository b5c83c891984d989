"""Who opens a WebSocket: a browser by cookie from exactly our own page, a program by key or token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.utils import translation

from apps.accounts.errors import OriginNotAllowed
from apps.accounts.selectors.principals import Signed, look_again
from apps.accounts.selectors.sessions import session_keys_of, who_signed_in
from apps.accounts.selectors.view_as import is_open
from apps.accounts.services import authentication
from apps.accounts.services.authentication import Credentials, authenticate
from apps.accounts.services.sessions import track
from apps.accounts.types import BY_SESSION, Principal, SignedIn
from apps.core.http.addresses import believed


@dataclass(frozen=True)
class Opening:
    """What an ASGI scope shows, read once.

    Attributes:
        headers: by lower-case name.
        is_foreign: a cookie without Origin, or any Origin that is not ours.
    """

    headers: Mapping[str, str]
    credentials: Credentials
    is_foreign: bool

    @property
    def address(self) -> str:
        """Return the address of the client."""
        return self.credentials.address


def read(scope: Mapping[str, Any]) -> Opening:
    """Return what the scope of a socket shows. No query."""
    headers = {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope.get("headers", [])
    }
    query = scope.get("query_string", b"").decode("latin-1")
    credentials = Credentials(
        authorization=headers.get("authorization", ""),
        session_key=_cookie(headers.get("cookie", ""), settings.SESSION_COOKIE_NAME),
        organization=parse_qs(query).get("organization", [""])[-1] if query else "",
        query=query,
        address=believed((scope.get("client") or ("",))[0], headers.get("x-forwarded-for", "")),
    )
    origins = [value for name, value in scope.get("headers", []) if name.lower() == b"origin"]
    shows_cookie = credentials.by_session and bool(credentials.session_key)
    return Opening(headers, credentials, bool(origins or shows_cookie) and not _is_own_page(origins))


def principal_of(opening: Opening) -> Principal:
    """Return who opens the socket, bound to one organization.

    A session names it with `?organization=<id or slug>`, or has only one; a key has its own.

    Raises:
        OriginNotAllowed: it is shown by a page that is not ours.
        NotSignedIn, KeyInAddress, OrganizationRequired, OrganizationNotFound, SecondFactorRequired.
    """
    if opening.is_foreign:
        raise OriginNotAllowed
    credentials = opening.credentials
    principal = authenticate(credentials)
    if credentials.by_session:
        track(
            user_id=principal.id,
            session_key=credentials.session_key,
            address=credentials.address,
            user_agent=opening.headers.get("user-agent", ""),
        )
    return principal


def find_kept(opening: Opening) -> Principal | None:
    """Return who opens the socket with a key or token, where this process remembers it. No query, no waiting.

    Once the socket hears of its own revocations, ask again: None means that something changed meanwhile.

    Raises:
        OriginNotAllowed.
    """
    if opening.is_foreign:
        raise OriginNotAllowed
    return None if opening.credentials.by_session else authentication.find_kept(opening.credentials)


def refresh(principal: Principal) -> Principal | None:
    """Look at the rows again: the same principal with its present rights, or None when its access ended."""
    return refresh_each([principal])[0]


def refresh_each(principals: Sequence[Principal]) -> list[Principal | None]:
    """Look at the rows of several again, see `refresh`, in order.

    For sockets and streams, every 30 s and at each sign of change. For each organization one query for keys, one for
    families of tokens and one for sessions; before it two for all sessions, and one of each that is viewed as another.
    """
    signed_in = _signed_in([one for one in principals if one.credential == BY_SESSION])
    factors = {signed: found.factor_id for signed, found in signed_in.items()}
    answers: list[Principal | None] = [None] * len(principals)
    for organization_id in {one.organization_id for one in principals}:
        places = [place for place, one in enumerate(principals) if one.organization_id == organization_id]
        again = look_again([principals[place] for place in places], factors)
        for place, current in zip(places, again, strict=True):
            found = signed_in.get((current.id, current.session)) if current is not None else None
            is_viewing = bool(found and found.view_as and current and is_open(current, found.view_as))
            answers[place] = None if is_viewing else current
    return answers


def _signed_in(principals: Sequence[Principal]) -> dict[Signed, SignedIn]:
    """Return what the sessions of these principals say now; those that ended, or are somebody else's, are left out."""
    if not principals:
        return {}
    known = session_keys_of({one.id for one in principals})
    keys = {signed: known[signed] for one in principals if (signed := (one.id, one.session)) in known}
    open_now = who_signed_in(set(keys.values()))
    return {
        signed: open_now[key]
        for signed, key in keys.items()
        if key in open_now and open_now[key].user_id == signed[0]
    }


def language_of(opening: Opening) -> str:
    """Return the language for refusals on this socket: cookie, then Accept-Language, then the default."""
    cookie = _cookie(opening.headers.get("cookie", ""), settings.LANGUAGE_COOKIE_NAME)
    asked = opening.headers.get("accept-language", "").split(",")
    for code in [cookie, *(part.partition(";")[0] for part in asked)]:
        if translation.check_for_language(code.strip()[:5] or "-") and (
            found := code.strip()[:2].lower()
        ) in dict(settings.LANGUAGES):
            return found
    return settings.LANGUAGE_CODE


def allowed_origins() -> frozenset[str]:
    """Return the exact origins of our own pages."""
    return frozenset({settings.PUBLIC_URL, *settings.CSRF_TRUSTED_ORIGINS})


def _is_own_page(origins: list[bytes]) -> bool:
    """Return whether exactly one origin is named and it is ours, letter for letter."""
    return len(origins) == 1 and origins[0].decode("latin-1") in allowed_origins()


def _cookie(header: str, name: str) -> str:
    if not header:
        return ""
    try:
        morsel = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return morsel.value if morsel else ""
