"""SEC-07: a stolen refresh token stops working, whoever of the two uses it first, and however close together."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from apps.accounts.models import Member, RefreshToken, TokenFamily
from apps.accounts.services import sessions, tokens
from apps.accounts.types import IssuedTokens
from tests.factories.accounts import MemberFactory, principal_of
from tests.walls import everywhere

pytestmark = pytest.mark.django_db(transaction=True)


def sign_in(member: Member) -> IssuedTokens:
    return tokens.open_family(principal=principal_of(member), name="Phone")


def refresh(secret: str) -> Any:
    return Client().post(
        "/api/v1/tokens/refresh/", {"refresh_token": secret}, content_type="application/json"
    )


def me(access: str) -> int:
    return Client().get("/api/v1/me/", headers={"Authorization": f"Bearer {access}"}).status_code


def test_the_owner_alone_goes_on_for_ever() -> None:
    """The control."""
    issued = sign_in(MemberFactory())
    secret = issued.refresh_token
    for _ in range(10):
        answer = refresh(secret)
        assert answer.status_code == 200
        secret = answer.json()["refresh_token"]
        assert me(answer.json()["access_token"]) == 200
    with everywhere():
        assert TokenFamily.objects.get().ended_at is None


@pytest.mark.parametrize("first", ["thief", "owner"])
def test_the_second_user_of_a_copy_ends_it_for_both(first: str) -> None:
    issued = sign_in(MemberFactory())
    won = refresh(issued.refresh_token).json()
    again = refresh(issued.refresh_token)
    assert (again.status_code, again.json()["code"]) == (401, "accounts.token_reused"), first
    assert me(won["access_token"]) == me(issued.access_token) == 401
    assert refresh(won["refresh_token"]).status_code == 401


def test_an_older_copy_ends_it_too() -> None:
    issued = sign_in(MemberFactory())
    chain = [issued.refresh_token]
    for _ in range(5):
        chain.append(refresh(chain[-1]).json()["refresh_token"])
    assert refresh(chain[1]).json()["code"] == "accounts.token_reused"
    assert refresh(chain[-1]).json()["code"] == "accounts.token_not_valid"


@pytest.mark.parametrize("round_", range(3))
def test_of_eight_at_once_one_wins_and_the_family_ends(round_: int) -> None:
    issued = sign_in(MemberFactory())
    barrier, answers = threading.Barrier(8), []

    def call() -> None:
        try:
            barrier.wait(10)
            answers.append(refresh(issued.refresh_token))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    codes = Counter(answer.status_code for answer in answers)
    assert codes == {200: 1, 401: 7}, round_
    with everywhere():
        assert TokenFamily.objects.get().end_reason == "token_reused"
    won = next(answer.json() for answer in answers if answer.status_code == 200)
    assert me(won["access_token"]) == 401
    with everywhere():
        assert (
            RefreshToken.objects.filter(used_at=None).count() == 1
        )  # nobody can use it: its family has ended


def test_another_family_of_the_same_person_is_left_alone() -> None:
    ada = MemberFactory()
    stolen, kept = sign_in(ada), sign_in(ada)
    refresh(stolen.refresh_token)
    refresh(stolen.refresh_token)
    assert me(kept.access_token) == 200
    assert refresh(kept.refresh_token).status_code == 200


def test_a_new_password_locks_the_thief_out() -> None:
    ada = MemberFactory()
    issued = sign_in(ada)
    sessions.end_all(user_id=ada.user_id, reason="password_changed")
    assert me(issued.access_token) == 401
    assert refresh(issued.refresh_token).status_code == 401


def test_changed_spellings_of_a_token_are_not_it() -> None:
    issued = sign_in(MemberFactory())
    secret = issued.refresh_token
    for text in (
        secret + "A",
        secret[:-1],
        secret.swapcase(),
        secret.replace("cr_", "ck_"),
        f"Bearer {secret}",
    ):
        assert refresh(text).status_code == 401
    assert refresh(secret).status_code == 200  # and none of them used it up


def test_bite_without_the_mark_of_use_a_copy_works(monkeypatch: pytest.MonkeyPatch) -> None:
    issued = sign_in(MemberFactory())
    refresh(issued.refresh_token)
    with everywhere():
        RefreshToken.objects.update(used_at=None)
    assert refresh(issued.refresh_token).status_code == 200
