"""Operators look at everything here and change only through services."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from apps.accounts import models
from apps.accounts.errors import MemberNotFound
from apps.accounts.models import ApiKey, Member, User
from apps.accounts.selectors.principals import principal_for_key
from apps.accounts.selectors.sessions import find_user_id
from apps.accounts.services import operators
from apps.core.errors import NotSignedIn
from tests.accounts.events import recorded
from tests.accounts.sessions import open_session
from tests.factories.accounts import PersonFactory, SeatFactory, api_key
from tests.walls import everywhere

pytestmark = pytest.mark.django_db
SHOWN = (
    "organization", "user", "member", "peoplegroup", "peoplegroupmember", "role", "scope", "seat", "apikey",
    "invitation",
)  # fmt: skip


def browser(**account: bool) -> Client:
    """Return a browser of a new account."""
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = open_session(PersonFactory(**account))
    return client


@pytest.fixture
def operator() -> Client:
    """A browser of an operator of this server."""
    return browser(is_staff=True, is_superuser=True)


@pytest.mark.parametrize("name", SHOWN)
def test_lists_show_and_offer_no_change(operator: Client, member: Callable[..., Member], name: str) -> None:
    ada = member()
    api_key(ada)
    SeatFactory(member=ada, scope__organization=ada.organization)
    model = next(each for each in admin.site._registry if each._meta.label_lower == f"accounts.{name}")
    listed = operator.get(reverse(f"admin:accounts_{name}_changelist"))
    assert listed.status_code == 200
    assert operator.get(reverse(f"admin:accounts_{name}_add")).status_code == 403
    with everywhere():
        first = model.objects.first()
    paths = [reverse(f"admin:accounts_{name}_change", args=[first.pk])] if first else []
    for path in paths:
        assert operator.get(path).status_code == 200
        assert operator.post(path, {"name": "changed"}).status_code == 403
        assert operator.post(f"{path.removesuffix('change/')}delete/", {"post": "yes"}).status_code == 403


def test_every_model_but_the_one_time_secrets_is_there() -> None:
    ours = {getattr(models, name) for name in models.__all__} - {
        models.SignInLink,
        models.RefreshToken,
        models.SecondFactor,
        models.OAuthCode,
        models.OAuthDevice,
    }
    assert ours <= set(admin.site._registry)


def test_secrets_are_not_shown(operator: Client, member: Callable[..., Member]) -> None:
    key = api_key(member())
    page = operator.get(reverse("admin:accounts_apikey_change", args=[key.row.pk])).content.decode()
    assert bytes(key.row.hash).hex() not in page
    assert "hash" not in page
    account = operator.get(
        reverse("admin:accounts_user_change", args=[key.row.principal_id])
    ).content.decode()
    assert "md5$" not in account


def test_only_operators_come_in(member: Callable[..., Member]) -> None:
    path = reverse("admin:accounts_user_changelist")
    assert Client().get(path)["Location"].startswith("/accounts/login/")
    assert browser().get(path).status_code in (302, 403)
    assert Client().get("/admin/login/")["Location"].startswith("/accounts/login/")
    assert browser().get("/admin/login/?next=/admin/").status_code == 403


def test_a_key_is_revoked_through_the_service(operator: Client, member: Callable[..., Member]) -> None:
    key = api_key(member())
    action = {"action": "revoke", "_selected_action": [str(key.row.pk)]}
    assert operator.post(reverse("admin:accounts_apikey_changelist"), action).status_code == 302
    with everywhere():
        assert ApiKey.objects.get(pk=key.row.pk).revoked_at is not None
    assert [payload["reason"] for _, payload in recorded("access.revoked")] == ["key_revoked"]


def test_an_account_is_signed_out_everywhere(operator: Client, member: Callable[..., Member]) -> None:
    ada = member()
    session = open_session(ada.user)
    action = {"action": "end_sessions", "_selected_action": [str(ada.user_id)]}
    assert operator.post(reverse("admin:accounts_user_changelist"), action).status_code == 302
    assert find_user_id(session) is None
    assert [payload["reason"] for _, payload in recorded("access.revoked")] == ["ended_by_operator"]
    assert User.objects.get(pk=ada.user_id).is_active is True


def test_an_account_is_switched_off_and_on(operator: Client, member: Callable[..., Member]) -> None:
    ada, path = member(), reverse("admin:accounts_user_changelist")
    session, key = open_session(ada.user), api_key(ada)
    own = User.objects.get(is_superuser=True)
    action = {"action": "close_accounts", "_selected_action": [str(ada.user_id), str(own.pk)]}
    assert operator.post(path, action).status_code == 302
    assert set(User.objects.filter(is_active=False)) == {ada.user}
    assert find_user_id(session) is None
    with pytest.raises(NotSignedIn):
        principal_for_key(key.secret)
    assert [payload["reason"] for _, payload in recorded("access.revoked")] == ["account_closed"]
    assert operator.post(path, {**action, "action": "open_accounts"}).status_code == 302
    assert principal_for_key(key.secret).id == ada.user_id
    assert find_user_id(session) is None


def test_an_unknown_account_is_refused(db: None) -> None:
    for change in (operators.close_account, operators.open_account):
        with pytest.raises(MemberNotFound):
            change(user_id=uuid4(), operator_id=uuid4())
