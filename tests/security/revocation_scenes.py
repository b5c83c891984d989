"""Ways that somebody comes in, and ways that it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.utils import timezone

from apps.accounts.errors import TokenReused
from apps.accounts.models import ApiKey, Member
from apps.accounts.selectors.oauth import list_consents
from apps.accounts.selectors.principals import principal_for_family, principal_for_key, session_id
from apps.accounts.services import (
    api_keys,
    key_use,
    members,
    oauth_clients,
    oauth_consents,
    operators,
    roles,
    sessions,
    tokens,
)
from apps.accounts.services.oauth_clients import ClientValues
from apps.accounts.types import BUILTIN_ROLES, OAUTH_SCOPES, OFFLINE, Principal
from apps.chat.selectors.conversations import scopes_of
from apps.chat.services import conversations
from apps.chat.services import members as chat_members
from apps.core import tenancy
from tests.accounts.sessions import open_session
from tests.core.web_process import WebProcess
from tests.factories.accounts import MemberFactory, api_key, principal_of

RIGHTS = sorted(BUILTIN_ROLES["admin"])
_APP_SCOPES = tuple(scope for scope in OAUTH_SCOPES if scope != OFFLINE)


@dataclass
class Scene:
    """Ada with a custom role in a private channel of Olga's, and one credential of hers."""

    web: WebProcess
    owner: Principal
    ada: Member
    role_id: UUID
    channel: UUID
    scope: UUID
    headers: dict[str, str] = field(default_factory=dict)
    principal: Principal | None = None
    secrets: dict[str, Any] = field(default_factory=dict)

    @property
    def acting(self) -> Principal:
        assert self.principal is not None
        return self.principal


def build(web: WebProcess) -> Scene:
    owner = MemberFactory(role="owner")
    principal = principal_of(owner)
    with tenancy.use(owner.organization_id):
        role_id = roles.create_role(principal=principal, key="crew", name="Crew", permissions=RIGHTS)
        ada = MemberFactory(organization=owner.organization, role="crew")
        channel = conversations.create_channel(
            principal=principal, name="quay", is_private=True, people=[ada.user_id]
        )
        scope = scopes_of(principal, [channel])[channel]
    return Scene(web, principal, ada, role_id, channel, scope)


# --- credentials: how Ada comes in ---


def by_key(scene: Scene) -> None:
    key = api_key(scene.ada)
    scene.headers = {"Authorization": f"Bearer {key.secret}"}
    scene.principal, scene.secrets["key"] = principal_for_key(key.secret), key.row.pk


def by_token(scene: Scene) -> None:
    issued = tokens.open_family(principal=principal_of(scene.ada), name="Phone")
    scene.headers = {"Authorization": f"Bearer {issued.access_token}"}
    scene.principal = principal_for_family(issued.family, owner_id=scene.ada.user_id)
    scene.secrets["tokens"] = issued


def by_app(scene: Scene) -> None:
    values = ClientValues(
        name="App", is_confidential=True, redirect_uris=["https://app.example.org/"], scopes=_APP_SCOPES
    )
    with tenancy.use(scene.ada.organization_id):
        made = oauth_clients.create_client(principal=scene.owner, values=values)
    person = principal_of(scene.ada)
    oauth_consents.give_consent(principal=person, client_id=made.id, scopes=_APP_SCOPES)
    issued = tokens.open_for_client(
        principal=person, client_id=made.id, name="App", scopes=_APP_SCOPES, is_refreshable=True
    )
    scene.headers = {"Authorization": f"Bearer {issued.access_token}"}
    scene.principal = principal_for_family(issued.family, owner_id=scene.ada.user_id)
    scene.secrets |= {"tokens": issued, "app": made.id}


def by_session(scene: Scene) -> None:
    key = open_session(scene.ada.user)
    scene.headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={key}", "Origin": settings.PUBLIC_URL}
    scene.principal, scene.secrets["session"] = principal_of(scene.ada, session=session_id(key)), key


# --- revocations ---


def reuse(scene: Scene) -> None:
    first = scene.secrets["tokens"].refresh_token
    tokens.refresh(secret=first)
    with pytest.raises(TokenReused):
        tokens.refresh(secret=first)


def suspend(scene: Scene) -> None:
    ApiKey.objects.filter(pk=scene.secrets["key"]).update(created_at=timezone.now() - timedelta(days=400))
    ApiKey.objects.filter(pk=scene.secrets["key"]).update(last_used_at=None)
    assert key_use.suspend_unused(organization_id=scene.ada.organization_id, unused_days=90) == 1


def deactivate(scene: Scene) -> None:
    members.deactivate_member(principal=scene.owner, member_id=scene.ada.pk)


def close(scene: Scene) -> None:
    operators.close_account(user_id=scene.ada.user_id, operator_id=scene.owner.id)


def change_password(scene: Scene) -> None:
    sessions.end_all(user_id=scene.ada.user_id, reason="password_changed")


def revoke_key(scene: Scene) -> None:
    api_keys.revoke_key(principal=scene.owner, key_id=scene.secrets["key"])


def end_family(scene: Scene) -> None:
    tokens.end_family(principal=principal_of(scene.ada), family_id=scene.secrets["tokens"].family)


def end_session(scene: Scene) -> None:
    sessions.end_session(user_id=scene.ada.user_id, session=scene.acting.session)


def disable_app(scene: Scene) -> None:
    oauth_clients.disable_client(principal=scene.owner, client_id=scene.secrets["app"])


def take_app_out(scene: Scene) -> None:
    person = principal_of(scene.ada)
    (consent,) = list_consents(person)
    oauth_consents.end_consent(principal=person, consent_id=consent.id)


def sign_out(scene: Scene) -> None:
    sessions.end_key(user_id=scene.ada.user_id, session_key=scene.secrets["session"])


def lose_seat(scene: Scene) -> None:
    chat_members.remove_person(
        principal=scene.owner, conversation_id=scene.channel, person_id=scene.ada.user_id
    )


def lose_role(scene: Scene) -> None:
    members.change_role(principal=scene.owner, member_id=scene.ada.pk, role="guest")


def narrow_role(scene: Scene) -> None:
    roles.update_role(principal=scene.owner, role_id=scene.role_id, permissions=[])


Step = Callable[[Scene], None]
