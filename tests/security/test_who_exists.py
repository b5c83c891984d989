"""SEC-21: nobody finds out who has an account: the same answer, the same work, at every door."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from apps.accounts.models import Member
from apps.core.redis import client as redis
from tests.accounts.factors import enrol
from tests.factories.accounts import MemberFactory, PersonFactory
from tests.security.sizes import by_size

pytestmark = pytest.mark.django_db
PAIRS = by_size(quick=12, standard=40, full=100)


def login(email: str) -> Any:
    return Client().post("/accounts/login/", {"login": email, "password": "wrong password 1"})


def reset(email: str) -> Any:
    return Client().post("/accounts/password/reset/", {"email": email})


def mailed_code(email: str) -> Any:
    return Client().post("/accounts/login/code/", {"email": email})


def code_page(email: str) -> Any:
    client = Client()
    client.post("/accounts/login/code/", {"email": email})
    return client.get("/accounts/login/code/confirm/")


def wrong_code(email: str) -> Any:
    client = Client()
    client.post("/accounts/login/code/", {"email": email})
    return client.post("/accounts/login/code/confirm/", {"code": "WRNG-CODE"})


DOORS = [login, reset, mailed_code, code_page, wrong_code]


def shape(answer: Any, email: str) -> tuple[int, str, str]:
    """Return what can be told apart, without what is random or was sent."""
    body = re.sub(r'value="[^"]*"|nonce="[^"]*"|"csrf": ?"[^"]*"', "", answer.content.decode()).replace(
        email, "EMAIL"
    )
    return answer.status_code, answer.get("Location", ""), body


@pytest.mark.parametrize("door", DOORS)
def test_known_unknown_closed_and_protected_accounts_look_the_same(door: Callable[[str], Any]) -> None:
    known, closed, protected = MemberFactory().user, PersonFactory(is_active=False), MemberFactory().user
    enrol(protected)
    emails = [str(known.email), "nobody@example.org", str(closed.email), str(protected.email)]
    shapes = {shape(door(email), email) for email in emails}
    assert len(shapes) == 1


@pytest.mark.parametrize("door", [reset, mailed_code])
def test_each_address_gets_one_mail_with_the_same_subject(door: Callable[[str], Any]) -> None:
    known = str(MemberFactory().user.email)
    for email in (known, "nobody@example.org"):
        door(email)
    assert [message.to for message in mail.outbox] == [[known], ["nobody@example.org"]]
    assert mail.outbox[0].subject == mail.outbox[1].subject


def test_a_reset_writes_the_same_letters_for_everybody() -> None:
    """And sends one of them: what is drawn for an address tells nothing by the time it takes."""
    known, closed = MemberFactory().user, PersonFactory(is_active=False)
    emails = (str(known.email), "nobody@example.org", str(closed.email))
    drawn = [[template.name for template in reset(email).templates] for email in emails]
    assert drawn[0] == drawn[1] == drawn[2]
    assert {"account/email/password_reset_key_message.txt", "account/email/unknown_account_message.txt"} <= {
        *drawn[0]
    }
    assert ["/accounts/password/reset/key/" in str(letter.body) for letter in mail.outbox] == [
        True,
        False,
        False,
    ]


def processor_seconds(door: Callable[[str], Any], email: str) -> float:
    """Return what the door worked, hashing included: waiting for a turn on a busy machine is no work."""
    redis().flushdb()  # the limits are another test's business
    began = time.process_time()
    door(email)
    return time.process_time() - began


def undisturbed(times: Sequence[float]) -> float:
    """Return the lower quartile: what else runs on the machine only ever adds."""
    return statistics.quantiles(times, n=4)[0]


@pytest.mark.parametrize("door", [login, reset, mailed_code, wrong_code])
def test_the_work_tells_nothing(door: Callable[[str], Any], settings: Any) -> None:
    """Pairs in turn, each in the other order than the one before."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    member: Member = MemberFactory()
    member.user.set_password("correct horse battery")
    member.user.save()
    emails = [str(member.user.email), "nobody@example.org"]
    times: dict[str, list[float]] = {email: [] for email in emails}
    for turn in range(-1, PAIRS):
        for email in emails if turn % 2 else reversed(emails):
            worked = processor_seconds(door, email)
            if turn >= 0:  # the first pair loads what is loaded once
                times[email].append(worked)
    known, unknown = map(undisturbed, times.values())
    assert abs(known - unknown) < max(0.25 * min(known, unknown), 0.004), (known, unknown)


def test_a_difference_would_be_seen(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof of bite: without the hash for unknown addresses, sign-in is quick for them."""
    from allauth.account.auth_backends import AuthenticationBackend

    monkeypatch.setattr(AuthenticationBackend, "_mitigate_timing_attack", lambda *_: None)
    with pytest.raises(AssertionError):
        test_the_work_tells_nothing(login, settings)
