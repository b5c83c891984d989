"""Programs that people let in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from apps.accounts.selectors.oauth import find_known, list_consents
from apps.accounts.services import oauth_clients, oauth_consents, oauth_devices
from apps.accounts.services.oauth_devices import start_device
from apps.accounts.types import Proof
from tests.accounts.oauth import App, app_of, browser_of, decide, told
from tests.security.acts import Act, Stage


def _app(stage: Stage, **values: Any) -> App:
    return app_of(stage.organization, by=stage.owner, **values)


def _disabled(stage: Stage) -> App:
    app = _app(stage)
    oauth_clients.disable_client(principal=stage.acting, client_id=UUID(app.id))
    return app


def _app_of_ben(stage: Stage) -> UUID:
    """Let an app in and return the consent."""
    oauth_consents.give_consent(principal=stage.member, client_id=UUID(_app(stage).id), scopes=["openid"])
    (given,) = list_consents(stage.member)
    return given.id


def _used_code(stage: Stage) -> Callable[[], object]:
    """Return the second use of a code of Ben's."""
    app = _app(stage)
    address, verifier = app.question()
    code = told(decide(browser_of(stage.ben), address))["code"]
    app.exchange(code, verifier)
    return lambda: app.exchange(code, verifier)


def _device(stage: Stage) -> str:
    client = find_known(_app(stage).id)
    assert client is not None
    return start_device(client=client, scopes=("openid",)).user_code


ACTS: dict[str, Act] = {
    "oauth_client.created": Act(lambda s, _: _app(s)),
    "oauth_client.changed": Act(
        lambda s, app: oauth_clients.update_client(
            principal=s.acting, client_id=UUID(app.id), values=replace(app.values, name="Wetter")
        ),
        _app,
    ),
    "oauth_client.rotated": Act(
        lambda s, app: oauth_clients.rotate_secret(principal=s.acting, client_id=UUID(app.id)), _app
    ),
    "oauth_client.disabled": Act(
        lambda s, app: oauth_clients.disable_client(principal=s.acting, client_id=UUID(app.id)), _app
    ),
    "oauth_client.enabled": Act(
        lambda s, app: oauth_clients.enable_client(principal=s.acting, client_id=UUID(app.id)),
        _disabled,
    ),
    "oauth_client.refused": Act(
        lambda s, app: replace(app, secret="wrong").post("token", grant_type="client_credentials"),
        _app, actor="", outcome="refused",
    ),
    "oauth_code.reused": Act(lambda s, use_again: use_again(), _used_code, actor=""),
    "oauth_consent.given": Act(
        lambda s, app: decide(browser_of(s.ben), app.question()[0]), _app, actor="ben"
    ),
    "oauth_consent.ended": Act(
        lambda s, consent: oauth_consents.end_consent(principal=s.member, consent_id=consent), _app_of_ben,
        actor="ben",
    ),
    "oauth_device.approved": Act(
        lambda s, code: oauth_devices.approve_device(principal=s.member, user_code=code, proof=Proof(0, ())),
        _device, actor="ben",
    ),
    "oauth_device.denied": Act(
        lambda s, code: oauth_devices.deny_device(principal=s.member, user_code=code), _device, actor="ben"
    ),
}  # fmt: skip
