"""Families of tokens: one use each, an end that holds, and what ends with them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection

from apps.accounts.errors import (
    KeyScopeAboveOwn,
    KeyScopesMissing,
    TokenNotFound,
    TokenNotValid,
    TokenReused,
    UnknownKeyScope,
)
from apps.accounts.models import Member, Organization, RefreshToken, TokenFamily
from apps.accounts.selectors.principals import principal_for_key
from apps.accounts.selectors.tokens import list_tokens
from apps.accounts.services import access_tokens, authentication, members, operators, sessions, tokens
from apps.accounts.services.authentication import Credentials
from apps.accounts.types import BY_TOKEN, IssuedTokens, Principal
from apps.core.errors import NotSignedIn
from tests.accounts.events import recorded
from tests.core.trail import entries
from tests.factories.accounts import MemberFactory, api_key, principal_of

pytestmark = pytest.mark.django_db
LONG_AGO = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)


def acting_by(issued: IssuedTokens) -> Principal:
    """Return who acts with the access token."""
    return authentication.authenticate(Credentials(authorization=f"Bearer {issued.access_token}"))


def opened(principal: Principal) -> IssuedTokens:
    """Sign a client in."""
    return tokens.open_family(principal=principal, name="Phone", address="192.0.2.9")


def test_a_token_acts_as_its_owner_in_its_organization(
    here: Organization, acting: Callable[..., Principal]
) -> None:
    ada = acting("admin")
    by_token = acting_by(opened(ada))
    assert (by_token.id, by_token.organization_id, by_token.role) == (ada.id, here.pk, "admin")
    assert (by_token.permissions, by_token.key_scopes, by_token.credential) == (
        ada.permissions,
        None,
        BY_TOKEN,
    )


def test_role_and_rights_come_from_the_rows(here: Organization, member: Callable[..., Member]) -> None:
    ada = member("admin")
    issued = opened(principal_of(ada))
    members.change_role(principal=principal_of(member("owner")), member_id=ada.pk, role="guest")
    assert acting_by(issued).role == "guest"


def test_a_narrowed_client_has_no_more_than_its_scopes(
    here: Organization, member: Callable[..., Member]
) -> None:
    ada = principal_of(member("admin"))
    issued = tokens.open_family(principal=ada, name="Reader", scopes=["chat:read"])
    by_token = acting_by(issued)
    assert by_token.key_scopes == {"chat:read"}
    assert by_token.permissions == {"directory.read"}
    with pytest.raises(KeyScopesMissing):
        tokens.open_family(principal=ada, name="x", scopes=[])
    with pytest.raises(UnknownKeyScope):
        tokens.open_family(principal=ada, name="x", scopes=["all"])
    by_key = principal_for_key(api_key(member(), scopes=["chat:read"]).secret)
    with pytest.raises(KeyScopeAboveOwn):
        tokens.open_family(principal=by_key, name="x", scopes=["chat:write"])
    assert TokenFamily.objects.count() == 1


def test_refreshing_gives_new_tokens_of_the_same_family(
    here: Organization, acting: Callable[..., Principal]
) -> None:
    ada = acting()
    first = opened(ada)
    second = tokens.refresh(secret=first.refresh_token, address="198.51.100.4")
    assert second.family == first.family
    assert second.refresh_token != first.refresh_token
    assert acting_by(second).id == acting_by(first).id == ada.id
    assert TokenFamily.objects.get().address == "198.51.100.4"


def test_a_refresh_token_that_comes_again_ends_its_whole_family(
    here: Organization, acting: Callable[..., Principal]
) -> None:
    ada = acting()
    first, other = opened(ada), opened(ada)
    second = tokens.refresh(secret=first.refresh_token)
    with pytest.raises(TokenReused):
        tokens.refresh(secret=first.refresh_token)
    for issued in (first, second):
        with pytest.raises(NotSignedIn):
            acting_by(issued)
        with pytest.raises(TokenNotValid):
            tokens.refresh(secret=issued.refresh_token)
    assert acting_by(other).id == ada.id
    told = {"principal_id": str(ada.id), "session": str(first.family), "reason": "token_reused"}
    assert recorded() == [("access.revoked", told)]


def test_secrets_are_stored_as_hashes_only(here: Organization, acting: Callable[..., Principal]) -> None:
    issued = opened(acting())
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(to_jsonb(r)::text, '') FROM accounts_refreshtoken r")
        (stored,) = cursor.fetchone()
    assert issued.refresh_token not in stored
    assert issued.refresh_token[11:] not in stored


def test_the_access_token_lives_ten_minutes_to_the_second(
    here: Organization, acting: Callable[..., Principal]
) -> None:
    start = datetime.now(UTC).replace(microsecond=0)  # the rows are read by the clock of the database
    with time_machine.travel(start, tick=False) as clock:
        issued = opened(acting())
        clock.move_to(start + timedelta(seconds=access_tokens.ACCESS_SECONDS - 1))
        assert acting_by(issued)
        clock.move_to(start + timedelta(seconds=access_tokens.ACCESS_SECONDS))
        with pytest.raises(TokenNotValid):
            acting_by(issued)


def test_a_family_ends_after_thirty_days_whatever_its_use(
    here: Organization, acting: Callable[..., Principal]
) -> None:
    issued = opened(acting())
    family = TokenFamily.objects.get()
    assert family.ends_at - family.created_at < timedelta(days=30, seconds=5)
    TokenFamily.objects.update(ends_at=family.created_at + timedelta(minutes=5))
    assert tokens.refresh(secret=issued.refresh_token).refresh_expires_at == TokenFamily.objects.get().ends_at


def test_an_old_refresh_token_is_refused(here: Organization, acting: Callable[..., Principal]) -> None:
    issued = opened(acting())
    TokenFamily.objects.update(expires_at=LONG_AGO)
    RefreshToken.objects.update(expires_at=LONG_AGO)
    with pytest.raises(TokenNotValid):
        tokens.refresh(secret=issued.refresh_token)
    assert RefreshToken.objects.get().used_at is None


@pytest.mark.parametrize("wrong", ["", "cr_", "cr_" + "0" * 57, "ck_" + "0" * 57, "\x00", "ey.a.b", "ö" * 60])
def test_made_up_refresh_tokens_are_refused(db: None, wrong: str) -> None:
    with pytest.raises(TokenNotValid):
        tokens.refresh(secret=wrong)
    tokens.revoke_by_secret(secret=wrong)


def test_revoking_ends_the_family_once(here: Organization, acting: Callable[..., Principal]) -> None:
    issued = opened(acting())
    tokens.revoke_by_secret(secret=issued.refresh_token)
    tokens.revoke_by_secret(secret=issued.refresh_token)
    with pytest.raises(NotSignedIn):
        acting_by(issued)
    assert len(recorded("access.revoked")) == 1


def test_the_list_shows_own_clients_and_ends_them(
    here: Organization, acting: Callable[..., Principal]
) -> None:
    ada, ben = acting(), acting()
    issued, foreign = opened(ada), opened(ben)
    (shown,) = list_tokens(acting_by(issued))
    assert (shown.id, shown.name, shown.address, shown.is_current) == (
        issued.family,
        "Phone",
        "192.0.2.9",
        True,
    )
    assert {view.id for view in list_tokens(ada, everyones=True)} == {issued.family, foreign.family}
    with pytest.raises(TokenNotFound):
        tokens.end_family(principal=ada, family_id=foreign.family)
    tokens.end_family(principal=ada, family_id=issued.family)
    with pytest.raises(TokenNotFound):
        tokens.end_family(principal=ada, family_id=issued.family)
    assert list_tokens(ada) == []


@pytest.mark.parametrize("end", ["deactivated", "closed", "password"])
def test_families_end_with_what_they_stand_on(
    here: Organization, member: Callable[..., Member], end: str
) -> None:
    ada = member()
    issued = opened(principal_of(ada))
    owner = principal_of(member("owner"))
    {
        "deactivated": lambda: members.deactivate_member(principal=owner, member_id=ada.pk),
        "closed": lambda: operators.close_account(user_id=ada.user_id, operator_id=owner.id),
        "password": lambda: sessions.end_all(user_id=ada.user_id, reason="password_changed"),
    }[end]()
    with pytest.raises(NotSignedIn):
        acting_by(issued)
    with pytest.raises(TokenNotValid):
        tokens.refresh(secret=issued.refresh_token)
    assert TokenFamily.objects.get().ended_at is not None


def test_a_seat_elsewhere_does_not_help(here: Organization, member: Callable[..., Member]) -> None:
    """A token belongs to one organization: the header cannot choose another one of the same person."""
    ada = member()
    elsewhere = MemberFactory(user=ada.user)
    issued = opened(principal_of(ada))
    shown = Credentials(
        authorization=f"Bearer {issued.access_token}", organization=str(elsewhere.organization_id)
    )
    with pytest.raises(authentication.OrganizationNotFound):
        authentication.authenticate(shown)
    assert acting_by(issued).organization_id == here.pk


def test_the_trail_keeps_sign_in_and_end_without_secrets(
    here: Organization, acting: Callable[..., Principal]
) -> None:
    ada = acting()
    issued = opened(ada)
    tokens.refresh(secret=issued.refresh_token)
    with pytest.raises(TokenReused):
        tokens.refresh(secret=issued.refresh_token)
    kept = entries(here.pk)
    assert [(row.action, row.actor_id, row.object_id) for row in kept] == [
        ("token.opened", ada.id, str(issued.family)),
        ("token.reused", None, str(issued.family)),
    ]
    assert not any(issued.refresh_token[11:] in str(vars(row)) for row in kept)
