"""Registered clients and what they do, without a library: the tiny client of the tests."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

from django.conf import settings
from django.test import Client
from lxml import html

from apps.accounts.models import Member, Organization
from apps.accounts.services.oauth_clients import ClientValues, create_client
from apps.accounts.types import IssuedClient
from apps.core import tenancy
from tests.accounts.sessions import open_session
from tests.factories.accounts import MemberFactory, principal_of

REDIRECT = "https://app.example.org/back?from=chat"
ALL_GRANTS = ("authorization_code", "refresh_token", "client_credentials", "device_code")
SCOPES = ("openid", "profile", "email", "offline_access", "chat:read", "chat:write")
DEVICE_URN = "urn:ietf:params:oauth:grant-type:device_code"


@dataclass
class App:
    """A registered client with its secret, and what it keeps between two requests."""

    id: str
    secret: str
    organization_id: UUID
    values: ClientValues
    redirect_uri: str = REDIRECT
    http: Client = field(default_factory=lambda: Client(enforce_csrf_checks=True))

    def question(self, **changed: str | None) -> tuple[str, str]:
        """Return an address to send a browser to, and the verifier that belongs to it."""
        verifier = secrets.token_urlsafe(48)
        digest = hashlib.sha256(verifier.encode()).digest()
        values: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.id,
            "redirect_uri": self.redirect_uri,
            "scope": "openid profile offline_access chat:read",
            "state": secrets.token_urlsafe(8),
            "nonce": "n-1",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            **changed,
        }
        given = {name: value for name, value in values.items() if value is not None}
        return f"/oauth/authorize/?{urlencode(given)}", verifier

    def post(self, path: str, *, basic: bool = True, **values: str) -> Any:
        """Send a form to an endpoint as this client."""
        headers = {}
        if self.secret and basic:
            headers["Authorization"] = basic_header(self.id, self.secret)
        else:
            values = {
                "client_id": self.id,
                **({"client_secret": self.secret} if self.secret else {}),
                **values,
            }
        return self.http.post(
            f"/oauth/{path}/",
            urlencode(values),
            content_type="application/x-www-form-urlencoded",
            headers=headers,
        )

    def exchange(self, code: str, verifier: str, /, **changed: str) -> Any:
        """Exchange a code."""
        values = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": verifier,
        }
        return self.post("token", **{**values, **changed})

    def refresh(self, secret: str) -> Any:
        """Exchange a refresh token."""
        return self.post("token", grant_type="refresh_token", refresh_token=secret)


def basic_header(client_id: str, secret: str) -> str:
    """Return HTTP Basic credentials."""
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def app_of(organization: Organization, *, by: Member | None = None, **changed: Any) -> App:
    """Register a client in an organization, by an owner of its own unless one is named."""
    owner = by or MemberFactory(organization=organization, role="owner")
    values = {
        "name": "Wetterdienst",
        "is_confidential": True,
        "redirect_uris": [REDIRECT],
        "grants": ALL_GRANTS,
        "scopes": SCOPES,
        "service_role": "member",
        **changed,
    }
    said = ClientValues(**values)
    with tenancy.use(organization.pk):
        made: IssuedClient = create_client(principal=principal_of(owner), values=said)
    return App(str(made.id), made.secret, organization.pk, said, (*said.redirect_uris, "")[0])


def public_app(organization: Organization, **changed: Any) -> App:
    """Register a client without a secret."""
    grants = tuple(grant for grant in ALL_GRANTS if grant != "client_credentials")
    return app_of(organization, **{"is_confidential": False, "grants": grants, **changed})


def browser_of(member: Member) -> Client:
    """Return a browser in which the member is signed in, and that sends forms only with their token."""
    client = Client(enforce_csrf_checks=True)
    client.cookies[settings.SESSION_COOKIE_NAME] = open_session(member.user)
    return client


def decide(browser: Client, address: str, decision: str = "allow") -> Any:
    """Look at the consent page and press one of its buttons."""
    page = browser.get(address)
    assert page.status_code == 200, (page.status_code, page.get("Location"), page.content[:500])
    token = html.fromstring(page.content).xpath("//input[@name='csrfmiddlewaretoken']/@value")[0]
    return browser.post(address, {"decision": decision, "csrfmiddlewaretoken": token})


def told(response: Any) -> dict[str, str]:
    """Return what the client is told at its address, by a redirect or by the page that goes on by itself."""
    target = (
        response.get("Location") or html.fromstring(response.content).xpath("//a[@rel='noreferrer']/@href")[0]
    )
    if not response.get("Location"):
        refresh = html.fromstring(response.content).xpath("//meta[@http-equiv='refresh']/@content")[0]
        assert refresh == f"0;url={target}"
    return {name: value for name, (value,) in parse_qs(urlsplit(target).query).items()}


def tokens_for(app: App, member: Member, **changed: str | None) -> dict[str, Any]:
    """Let the app in as the member and return what the token endpoint answered."""
    address, verifier = app.question(**changed)
    browser = browser_of(member)
    page = browser.get(address)
    answer = page if page.status_code == 303 else decide(browser, address)
    exchanged = app.exchange(told(answer)["code"], verifier)
    assert exchanged.status_code == 200, exchanged.content
    found: dict[str, Any] = exchanged.json()
    return found


def me(token: str) -> Any:
    """Ask the API who a token is."""
    return Client().get("/api/v1/me/", headers={"Authorization": f"Bearer {token}"})
