"""Signing in, passwords and second factors, sessions, keys and tokens."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core import mail
from django.test import Client
from django.utils import timezone

from apps.accounts.models import BreakGlass, User
from apps.accounts.selectors.factors import list_factors
from apps.accounts.services import (
    api_keys,
    break_glass,
    factor_policy,
    factors,
    key_use,
    operators,
    sessions,
    signing_keys,
    tokens,
)
from tests.accounts.factors import enrol
from tests.accounts.sessions import open_session
from tests.factories.accounts import PASSWORD, api_key
from tests.security.acts import Act, Stage


def _login(client: Client, user: User, password: str = PASSWORD) -> Any:
    return client.post("/accounts/login/", {"login": user.email, "password": password})


def _signed_in(stage: Stage) -> Client:
    client = Client()
    _login(client, stage.owner.user)
    return client


def _change_password(stage: Stage, client: Client) -> None:
    client.post(
        "/accounts/password/change/",
        {"oldpassword": PASSWORD, "password1": "another long phrase 7", "password2": "another long phrase 7"},
    )


def _reset_password(stage: Stage, _made: Any) -> None:
    client = Client()
    client.post("/accounts/password/reset/", {"email": stage.owner.user.email})
    (path,) = re.findall(r"http://testserver(/accounts/password/reset/key/\S+)", str(mail.outbox[-1].body))
    form = client.get(path, follow=True).request["PATH_INFO"]
    client.post(form, {"password1": "another long phrase 7", "password2": "another long phrase 7"})


def _key_expires() -> Any:
    return timezone.now() + timedelta(days=30)


def _suspended_key(stage: Stage) -> Any:
    key = api_key(stage.owner)
    key_use.suspend_unused(organization_id=stage.organization.pk, unused_days=-1)
    return key


def _emergency(stage: Stage) -> Any:
    return break_glass.create_break_glass(slug=stage.organization.slug, hours=1, reason="mail is down")


def _emergency_over(stage: Stage) -> None:
    _emergency(stage)
    BreakGlass.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


ACTS: dict[str, Act] = {
    "account.signed_in": Act(lambda s, _: _login(Client(), s.owner.user)),
    "account.signed_out": Act(lambda s, client: client.post("/accounts/logout/"), _signed_in),
    "session.revoked": Act(
        lambda s, key: sessions.end_others(user_id=s.owner.user_id, keep_key=""), lambda s: open_session(s.owner.user)
    ),
    "password.changed": Act(_change_password, _signed_in),
    "password.reset": Act(_reset_password),
    "account.closed": Act(
        lambda s, _: operators.close_account(user_id=s.ben.user_id, operator_id=s.operator.pk), actor="operator"
    ),
    "account.opened": Act(
        lambda s, _: operators.open_account(user_id=s.ben.user_id, operator_id=s.operator.pk), actor="operator"
    ),
    "account.confirmed": Act(
        lambda s, client: client.post("/accounts/reauthenticate/", {"password": PASSWORD}),
        lambda s: s.browser(s.owner.user),
    ),
    "factor.added": Act(lambda s, _: enrol(s.owner.user)),
    "factor.removed": Act(
        lambda s, _: factors.remove_factor(
            user_id=s.owner.user_id, factor_id=list_factors(user_id=s.owner.user_id)[0].id, keep_key=None
        ),
        lambda s: enrol(s.owner.user),
    ),
    "factor.codes_renewed": Act(
        lambda s, _: factors.renew_recovery_codes(user_id=s.owner.user_id, keep_key=None),
        lambda s: enrol(s.owner.user),
    ),
    "factor.codes_shown": Act(
        lambda s, _: factors.show_recovery_codes(user_id=s.owner.user_id), lambda s: enrol(s.owner.user)
    ),
    "factor_policy.changed": Act(
        lambda s, _: factor_policy.set_factor_policy(principal=s.acting, policy="everybody", grace_days=14)
    ),
    "emergency_access.created": Act(lambda s, _: _emergency(s), actor=""),
    "emergency_access.used": Act(
        lambda s, link: Client().post(link.url.removeprefix(settings.PUBLIC_URL)), _emergency, actor="emergency"
    ),
    "emergency_access.closed": Act(lambda s, _: break_glass.close_expired(), _emergency_over, actor=""),
    "api_key.created": Act(
        lambda s, _: api_keys.issue_key(
            principal=s.acting, name="ci", scopes=["chat:read"], expires_at=_key_expires()
        )
    ),
    "api_key.rotated": Act(
        lambda s, key: api_keys.rotate_key(principal=s.acting, key_id=key.row.pk), lambda s: api_key(s.owner)
    ),
    "api_key.revoked": Act(
        lambda s, key: api_keys.revoke_key(principal=s.acting, key_id=key.row.pk), lambda s: api_key(s.owner)
    ),
    "api_key.refused": Act(
        lambda s, key: Client().get("/api/v1/me/", HTTP_AUTHORIZATION=f"Bearer {key.secret}"),
        lambda s: api_key(s.owner, days=-1),
        outcome="refused",
    ),
    "api_key.suspended": Act(
        lambda s, _: key_use.suspend_unused(organization_id=s.organization.pk, unused_days=-1),
        lambda s: api_key(s.owner),
        actor="",
    ),
    "api_key.reactivated": Act(
        lambda s, key: api_keys.reactivate_key(principal=s.acting, key_id=key.row.pk), _suspended_key
    ),
    "token.opened": Act(lambda s, _: tokens.open_family(principal=s.acting, name="cli")),
    "token.revoked": Act(
        lambda s, issued: tokens.revoke_by_secret(secret=issued.refresh_token),
        lambda s: tokens.open_family(principal=s.acting, name="cli"),
    ),
    "signing_key.rotated": Act(lambda s, _: signing_keys.rotate_key(), actor="", trail="platform"),
    "signing_key.revoked": Act(
        lambda s, kid: signing_keys.revoke_key(kid=kid), lambda s: signing_keys.rotate_key(),
        actor="", trail="platform",
    ),
}  # fmt: skip
