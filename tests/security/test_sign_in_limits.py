"""SEC-18: limits on guessing hold over all doors together, by account and by network, whatever the sender varies."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from apps.accounts.models import Member
from apps.accounts.services import attempts, factors, sessions
from apps.core.redis import client as client_of_redis
from apps.core.services import limits
from tests.accounts.factors import code_of, enrol, first_step, second_step
from tests.accounts.sessions import open_session
from tests.factories.accounts import PASSWORD, MemberFactory

pytestmark = pytest.mark.django_db
WRONG = "not the password at all"


@pytest.fixture(autouse=True)
def _forget_what_the_process_knows() -> None:
    sessions._tracked.clear()


@pytest.fixture
def ada() -> Member:
    return MemberFactory()


def guess_password(member: Member, client: Client, **headers: str) -> bool:
    """Try a password; return whether it was looked at."""
    answer = client.post("/accounts/login/", {"login": member.user.email, "password": WRONG}, headers=headers)
    return b"Too many failed" not in answer.content


def guess_mailed_code(member: Member, client: Client, **headers: str) -> bool:
    client.post("/accounts/login/code/", {"email": member.user.email})
    answer = client.post("/accounts/login/code/confirm/", {"code": "WRNG-CODE"}, headers=headers)
    return answer.status_code != 429


def guess_factor(member: Member, client: Client, **headers: str) -> bool:
    answer = client.post("/accounts/second-factor/", {"code": "000000"}, headers=headers)
    return answer.status_code != 429


def guess_password_of_token(member: Member, client: Client, **headers: str) -> bool:
    body = {"email": member.user.email, "password": WRONG}
    answer = client.post("/api/v1/tokens/", body, content_type="application/json", headers=headers)
    return bool(answer.status_code != 429)


def guess_factor_of_token(member: Member, client: Client, **headers: str) -> bool:
    body = {"email": member.user.email, "password": PASSWORD, "code": "000000"}
    answer = client.post("/api/v1/tokens/", body, content_type="application/json", headers=headers)
    return bool(answer.status_code != 429)


def guess_confirmation(member: Member, client: Client, **headers: str) -> bool:
    answer = client.post("/accounts/reauthenticate/", {"password": WRONG, "code": "000000"}, headers=headers)
    return answer.status_code != 429


def prepared(door: Callable[..., bool], member: Member) -> Client:
    """Return a browser that stands before this door."""
    client = Client()
    if door is guess_factor:
        first_step(client, member.user)
    elif door is guess_confirmation:
        client.cookies["session"] = open_session(member.user, age_seconds=3600)
    return client


DOORS = [
    guess_password, guess_mailed_code, guess_factor, guess_confirmation, guess_password_of_token,
    guess_factor_of_token,
]  # fmt: skip


def let_through(doors: list[Callable[..., bool]], member: Member, *, tries: int = 30) -> int:
    """Guess at the doors in turn and return how many guesses were looked at."""
    clients = {door: prepared(door, member) for door in doors}
    return sum(
        door(member, clients[door]) for number in range(tries) for door in [doors[number % len(doors)]]
    )


@pytest.mark.parametrize("door", DOORS)
def test_each_door_stops_after_ten(ada: Member, door: Callable[..., bool]) -> None:
    enrol(ada.user)
    assert let_through([door], ada) == 10


def test_all_doors_together_stop_after_ten(ada: Member) -> None:
    enrol(ada.user)
    assert let_through(DOORS, ada) == 10


@pytest.mark.parametrize(
    "spelling",
    [str.upper, str.title, lambda text: f" {text} ", lambda text: text.replace("@example", "@EXAMPLE")],
)
def test_another_spelling_is_the_same_account(ada: Member, spelling: Callable[[str], str]) -> None:
    client, email = Client(), str(ada.user.email)
    seen = 0
    for number in range(20):
        named = spelling(email) if number % 2 else email
        answer = client.post("/accounts/login/", {"login": named, "password": WRONG})
        seen += b"Too many failed" not in answer.content
    assert seen == 10


def come_back_since(began: float) -> int:
    """Return how many guesses of a network come back meanwhile: ten a minute."""
    return int((time.monotonic() - began) / 6) + 1


HEADERS = ["x-forwarded-for", "x-real-ip", "forwarded", "cf-connecting-ip", "true-client-ip", "x-client-ip"]


@pytest.mark.parametrize("header", HEADERS)
def test_made_up_addresses_change_nothing(header: str) -> None:
    """Fifty guesses of one network at once, each at another account."""
    client, seen, began = Client(), 0, time.monotonic()
    for number in range(70):
        answer = client.post(
            "/accounts/login/", {"login": f"nobody-{number}@example.org", "password": WRONG},
            headers={header: f"198.51.100.{number}"},
        )  # fmt: skip
        seen += b"Too many failed" not in answer.content
    assert 50 <= seen <= 50 + come_back_since(began)


def test_addresses_of_one_ipv6_network_count_together() -> None:
    seen, began = 0, time.monotonic()
    for number in range(70):
        client = Client(REMOTE_ADDR=f"2001:db8:1:2::{number:x}")
        answer = client.post("/accounts/login/", {"login": f"n{number}@example.org", "password": WRONG})
        seen += b"Too many failed" not in answer.content
    assert 50 <= seen <= 50 + come_back_since(began)


def test_new_browsers_and_languages_change_nothing(ada: Member) -> None:
    seen = sum(
        guess_password(ada, Client(), **{"accept-language": "de", "user-agent": f"b{n}"}) for n in range(20)
    )
    # Speaking German the refusal reads otherwise: what counts is that the right password is refused too.
    assert seen >= 10
    assert first_step(Client(), ada.user).status_code == 200


def test_a_blocked_account_does_not_block_others(ada: Member) -> None:
    let_through([guess_password], ada)
    assert first_step(Client(), MemberFactory().user).status_code == 302


def test_right_proofs_cost_nothing(ada: Member) -> None:
    for _ in range(15):
        assert first_step(Client(), ada.user).status_code == 302
    client = Client()
    client.cookies["session"] = open_session(ada.user, age_seconds=3600)
    for _ in range(15):
        assert client.post("/accounts/reauthenticate/", {"password": PASSWORD}).status_code == 302


def test_factors_are_guessed_slower_in_the_long_run(ada: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bucket of the account fills again in minutes, the one of its factor in a day."""
    enrol(ada.user)
    client = Client()
    first_step(client, ada.user)
    seen = 0
    for _ in range(6):
        seen += sum(guess_factor(ada, client) for _ in range(10))
        for key in client_of_redis().scan_iter("limit:sign_in*"):  # five minutes later
            client_of_redis().delete(key)
    assert seen == 20


def test_the_right_code_is_refused_too_once_the_tries_are_used_up(ada: Member) -> None:
    secret = enrol(ada.user)
    client = Client()
    first_step(client, ada.user)
    for _ in range(15):
        second_step(client, "000000")
    assert second_step(client, code_of(secret)).status_code == 429
    assert "_auth_user_id" not in client.session
    assert len(factors.show_recovery_codes(user_id=ada.user_id)) == 10


def test_nobodys_mailbox_is_filled(ada: Member) -> None:
    client = Client()
    for number in range(30):
        path = "/accounts/login/code/" if number % 2 else "/accounts/password/reset/"
        client.post(path, {"email": ada.user.email})
    assert len([message for message in mail.outbox if message.to == [ada.user.email]]) == 5


@pytest.mark.parametrize("door", [guess_password, guess_mailed_code, guess_password_of_token])
def test_unknown_addresses_are_counted_alike(door: Callable[..., bool]) -> None:
    nobody: Any = type("Nobody", (), {"user": type("User", (), {"email": "nobody@example.org"})()})()
    assert let_through([door], nobody) == 10


def test_without_the_count_everything_is_let_through(ada: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof of bite."""
    enrol(ada.user)
    allowed = limits.Taken("sign_in", 10, 10, 0, 0)
    monkeypatch.setattr(attempts, "take", lambda _buckets: allowed)
    assert let_through(DOORS, ada) == 30
