"""Keys and tokens at the console: seen, ended, woken; service accounts made and given keys."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.utils import timezone

from apps.accounts.models import ApiKey, Member, Organization, TokenFamily, User
from apps.accounts.selectors.principals import principal_for_key
from apps.accounts.services import tokens
from tests.factories.accounts import MemberFactory, api_key, principal_of
from tests.ops.conftest import Browser
from tests.walls import everywhere

KEYS = "/o/nordlicht/console/keys/"


@pytest.fixture
def ada(organization: Organization) -> Member:
    return MemberFactory(organization=organization, name="Ada Berg")


def test_the_page_shows_everyones_keys_without_secrets(browser: Browser, ada: Member) -> None:
    key = api_key(ada, scopes=["chat:read"])
    tokens.open_family(principal=principal_of(ada), name="Ada's phone")
    stranger = api_key(MemberFactory())
    page = browser("admin").get(KEYS).content.decode()
    assert key.row.prefix in page
    assert "Ada Berg" in page
    assert "Ada&#x27;s phone" in page
    assert key.secret not in page
    assert f"{stranger.row.pk}" not in page


def test_a_key_is_ended_woken_and_found_by_state(browser: Browser, ada: Member) -> None:
    client, key, idle = browser("admin"), api_key(ada).row, api_key(ada).row
    with everywhere():
        ApiKey.objects.filter(pk=idle.pk).update(suspended_at=timezone.now())
    shown = client.get(f"{KEYS}?state=suspended").content.decode()
    assert f"{idle.pk}/wake/" in shown
    assert f"{key.pk}" not in shown
    assert client.post(f"{KEYS}{idle.pk}/wake/").status_code == 302
    assert client.post(f"{KEYS}{key.pk}/end/").status_code == 302
    with everywhere():
        assert not ApiKey.objects.exclude(suspended_at=None).exists()
        assert list(ApiKey.objects.exclude(revoked_at=None).values_list("pk", flat=True)) == [key.pk]


def test_a_program_is_signed_out(browser: Browser, ada: Member) -> None:
    issued = tokens.open_family(principal=principal_of(ada), name="Phone")
    assert browser("admin").post(f"{KEYS}programs/{issued.family}/end/").status_code == 302
    with everywhere():
        assert TokenFamily.objects.get().ended_at is not None


def test_a_service_account_gets_a_key_that_is_shown_once(browser: Browser) -> None:
    client = browser("admin")
    assert client.get(f"{KEYS}accounts/new/").status_code == 200
    assert client.post(f"{KEYS}accounts/new/", {"name": "Importer", "role": "owner"}).status_code == 422
    assert client.post(f"{KEYS}accounts/new/", {"name": "Importer", "role": "member"}).status_code == 302
    with everywhere():
        account = Member.objects.get(user__kind=User.Kind.SERVICE)
    where = f"{KEYS}accounts/{account.pk}/key/"
    assert client.get(where).status_code == 200
    wrong = {"name": "k", "scopes": ["chat:read"], "days": 30, "networks": "nowhere"}
    assert client.post(where, wrong).status_code == 422
    answer = client.post(where, {**wrong, "networks": "192.0.2.0/24, 2001:db8::/32"})
    assert answer.status_code == 200
    with everywhere():
        key = ApiKey.objects.get()
    assert key.networks == ["192.0.2.0/24", "2001:db8::/32"]
    secret = answer.content.decode().partition("data-secret>")[2].partition("<")[0]
    assert principal_for_key(secret, address="192.0.2.1").id == account.user_id
    assert secret not in client.get(KEYS).content.decode()


def test_others_change_nothing(browser: Browser, ada: Member) -> None:
    key = api_key(ada).row
    issued = tokens.open_family(principal=principal_of(ada), name="Phone")
    foreign = api_key(MemberFactory()).row
    client = browser("moderator")
    for path in (f"{key.pk}/end/", f"{key.pk}/wake/", f"programs/{issued.family}/end/", "accounts/new/"):
        assert client.post(KEYS + path).status_code in (403, 404)
    assert browser("owner").post(f"{KEYS}{foreign.pk}/end/").status_code == 404
    with everywhere():
        assert not ApiKey.objects.exclude(revoked_at=None).exists()
        assert TokenFamily.objects.get().ended_at is None


@pytest.mark.parametrize("rows", [1, 20])
def test_the_page_costs_the_same_for_many(
    browser: Browser, ada: Member, rows: int, django_assert_num_queries: Callable[..., object]
) -> None:
    for _ in range(rows):
        api_key(ada)
    client = browser("admin")
    client.get(KEYS)
    # user, its session, seat; emergency accounts; keys, programs, accounts, owners
    with django_assert_num_queries(9):
        assert client.get(KEYS).status_code == 200
