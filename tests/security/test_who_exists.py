"""SEC-21: nobody finds out who has an account: the same answer, the same work, at every door."""

from __future__ import annotations

import gc
import re
import statistics
import time
from collections.abc import Callable
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
LOOKS = 3


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
    """Return what the door worked, hashing included: waiting for a turn on a busy machine is no work.

    Nor is collecting what other tests left behind, which would fall on either side by chance.
    """
    redis().flushdb()  # the limits are another test's business
    gc.collect(0)
    gc.disable()
    try:
        began = time.process_time()
        door(email)
        return time.process_time() - began
    finally:
        gc.enable()


def looks_different(door: Callable[[str], Any], emails: tuple[str, str]) -> str:
    """Ask for both in turn, each pair in the other order; say what differs, nothing where it can't be told.

    What else runs on the machine disturbs a pair alike or one of its sides by chance: the median of the pairs'
    differences counts, beside the lower quartile of the work.
    """
    pairs: list[tuple[float, float]] = []
    for turn in range(-1, PAIRS):
        first, second = emails if turn % 2 else reversed(emails)
        worked = {email: processor_seconds(door, email) for email in (first, second)}
        if turn >= 0:  # the first pair loads what is loaded once
            pairs.append((worked[emails[0]], worked[emails[1]]))
    apart = statistics.median(known - unknown for known, unknown in pairs)
    work = statistics.quantiles([min(pair) for pair in pairs], n=4)[0]
    return f"{apart:.4f} s of {work:.4f}" if abs(apart) >= max(0.25 * work, 0.004) else ""


@pytest.mark.parametrize("door", [login, reset, mailed_code, wrong_code])
def test_the_work_tells_nothing(door: Callable[[str], Any], settings: Any) -> None:
    """A difference that is there is there in each of three looks; one by chance is not."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    member: Member = MemberFactory()
    member.user.set_password("correct horse battery")
    member.user.save()
    emails = (str(member.user.email), "nobody@example.org")
    seen: list[str] = []
    while len(seen) < LOOKS and (found := looks_different(door, emails)):
        seen.append(found)
    assert len(seen) < LOOKS, seen


def test_a_difference_would_be_seen(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof of bite: without the hash for unknown addresses, sign-in is quick for them."""
    from allauth.account.auth_backends import AuthenticationBackend

    monkeypatch.setattr(AuthenticationBackend, "_mitigate_timing_attack", lambda *_: None)
    with pytest.raises(AssertionError):
        test_the_work_tells_nothing(login, settings)
