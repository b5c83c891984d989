"""Keys: both ceremonies, with a key in software that also lies."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from apps.accounts.errors import PasskeysUnavailable, PasskeyWrong
from apps.accounts.models import SecondFactor
from apps.accounts.selectors.factors import list_factors
from apps.accounts.services import factors, passkeys
from tests.accounts.factors import PRESENT, SoftKey
from tests.accounts.sessions import open_session
from tests.factories.accounts import MemberFactory, PersonFactory

pytestmark = pytest.mark.django_db
ORIGIN = "https://chat.example.org"


@pytest.fixture(autouse=True)
def _address(settings: Any) -> None:
    settings.PUBLIC_URL = ORIGIN


def soft_key(**values: Any) -> SoftKey:
    return SoftKey(**{"origin": ORIGIN, "rp_id": "chat.example.org", **values})


def registered(person: Any, **values: Any) -> SoftKey:
    """Give a person a key."""
    options, state = passkeys.begin_registration(user_id=person.pk)
    key = soft_key(user_handle=person.pk.bytes, **values)
    credential, counter = passkeys.finish_registration(state=json_again(state), answer=key.make(options))
    factors.add_passkey(
        user_id=person.pk, name="Key", credential=credential, sign_count=counter, keep_key=None
    )
    return key


def json_again(state: Any) -> Any:
    """Return the state as a session gives it back."""
    return json.loads(json.dumps(state))


def test_a_key_is_registered_and_used() -> None:
    person = PersonFactory()
    key = registered(person)
    assert {factor.kind for factor in list_factors(user_id=person.pk)} == {"webauthn", "recovery_codes"}
    options, state = passkeys.begin_authentication(user_id=person.pk)
    assert len(options["publicKey"]["allowCredentials"]) == 1
    used = passkeys.finish_authentication(
        state=json_again(state), answer=key.use(options, flags=PRESENT), user_id=person.pk
    )
    assert (used.user_id, used.sign_count) == (person.pk, 1)


def test_a_key_alone_names_its_owner_and_must_have_seen_the_person() -> None:
    person = PersonFactory()
    key = registered(person)
    options, state = passkeys.begin_authentication(user_id=None)
    assert "allowCredentials" not in options["publicKey"]
    with pytest.raises(PasskeyWrong):
        passkeys.finish_authentication(
            state=json_again(state), answer=key.use(options, flags=PRESENT), user_id=None
        )
    used = passkeys.finish_authentication(state=json_again(state), answer=key.use(options), user_id=None)
    assert used.user_id == person.pk


def test_a_challenge_for_the_second_step_is_not_one_for_the_key_alone() -> None:
    person = PersonFactory()
    key = registered(person)
    options, state = passkeys.begin_authentication(user_id=person.pk)
    with pytest.raises(PasskeyWrong):
        passkeys.finish_authentication(state=json_again(state), answer=key.use(options), user_id=None)


@pytest.mark.parametrize(
    "lie",
    [
        {"origin": "https://evil.example"},
        {"origin": "https://sub.chat.example.org"},
        {"origin": "http://chat.example.org"},
        {"origin": f"{ORIGIN}:8443"},
        {"rp_id": "evil.example"},
    ],
)
def test_another_address_is_refused(lie: dict[str, str]) -> None:
    person = PersonFactory()
    key = registered(person)
    for name, value in lie.items():
        setattr(key, name, value)
    options, state = passkeys.begin_authentication(user_id=person.pk)
    with pytest.raises(PasskeyWrong):
        passkeys.finish_authentication(state=json_again(state), answer=key.use(options), user_id=person.pk)
    options, state = passkeys.begin_registration(user_id=person.pk)
    with pytest.raises(PasskeyWrong):
        passkeys.finish_registration(state=json_again(state), answer=soft_key(**lie).make(options))
    assert SecondFactor.objects.filter(authenticator__type="webauthn").count() == 1


def test_old_foreign_and_missing_challenges_are_refused() -> None:
    person = PersonFactory()
    key = registered(person)
    options, state = passkeys.begin_authentication(user_id=person.pk)
    other, _ = passkeys.begin_authentication(user_id=person.pk)
    with pytest.raises(PasskeyWrong):
        passkeys.finish_authentication(state=json_again(state), answer=key.use(other), user_id=person.pk)
    with pytest.raises(PasskeyWrong):
        passkeys.finish_authentication(state=None, answer=key.use(options), user_id=person.pk)
    later = timezone.now() + timedelta(seconds=301)
    with time_machine.travel(later, tick=False), pytest.raises(PasskeyWrong):
        passkeys.finish_authentication(state=json_again(state), answer=key.use(options), user_id=person.pk)


def test_keys_of_others_and_copies_are_refused() -> None:
    ada, bob = PersonFactory(), PersonFactory()
    key = registered(ada)
    registered(bob)
    options, state = passkeys.begin_authentication(user_id=bob.pk)
    with pytest.raises(PasskeyWrong):
        passkeys.finish_authentication(state=json_again(state), answer=key.use(options), user_id=bob.pk)
    options, state = passkeys.begin_authentication(user_id=ada.pk)
    passkeys.finish_authentication(state=json_again(state), answer=key.use(options), user_id=ada.pk)
    key.counter -= 1  # a copy that does not know of the last use
    options, state = passkeys.begin_authentication(user_id=ada.pk)
    with pytest.raises(PasskeyWrong):
        passkeys.finish_authentication(state=json_again(state), answer=key.use(options), user_id=ada.pk)


def test_the_owner_a_key_names_must_own_it() -> None:
    ada, bob = PersonFactory(), PersonFactory()
    key = registered(ada)
    registered(bob)
    key.user_handle = bob.pk.bytes
    options, state = passkeys.begin_authentication(user_id=None)
    with pytest.raises(PasskeyWrong):
        passkeys.finish_authentication(state=json_again(state), answer=key.use(options), user_id=None)


def test_a_key_is_registered_once_in_the_world() -> None:
    ada, bob = PersonFactory(), PersonFactory()
    key = registered(ada)
    options, state = passkeys.begin_registration(user_id=bob.pk)
    credential, _ = passkeys.finish_registration(state=json_again(state), answer=key.make(options))
    with pytest.raises(PasskeyWrong):
        factors.add_passkey(user_id=bob.pk, name="Key", credential=credential, sign_count=1, keep_key=None)
    assert list_factors(user_id=bob.pk) == []


@pytest.mark.parametrize(
    "answer",
    ["", "null", "[]", "{}", '{"id": 1}', "[" * 20_000, '{"id": "x", "rawId": "x", "response": {}}', "\x00",
     '{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"AA","attestationObject":"AA"}}',
     '{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"AA","signature":"AA"}}'],
)  # fmt: skip
def test_nonsense_is_refused(answer: str) -> None:
    person = PersonFactory()
    registered(person)
    _, state = passkeys.begin_authentication(user_id=person.pk)
    with pytest.raises(PasskeyWrong):
        passkeys.finish_authentication(state=json_again(state), answer=answer, user_id=person.pk)
    _, state = passkeys.begin_authentication(user_id=None)
    with pytest.raises(PasskeyWrong):
        passkeys.finish_authentication(state=json_again(state), answer=answer, user_id=None)
    _, state = passkeys.begin_registration(user_id=person.pk)
    with pytest.raises(PasskeyWrong):
        passkeys.finish_registration(state=json_again(state), answer=answer)


@pytest.mark.parametrize(
    ("url", "are"),
    [("http://127.0.0.1:8000", False), ("http://localhost:8000", True), ("https://10.0.0.1", False),
     ("http://chat.example.org", False), ("https://chat.example.org", True), ("https://[::1]", False)],
)  # fmt: skip
def test_keys_need_a_name(url: str, are: bool, settings: Any) -> None:
    settings.PUBLIC_URL = url
    assert passkeys.are_available() is are


def test_without_a_name_nothing_begins(settings: Any) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    with pytest.raises(PasskeysUnavailable):
        passkeys.begin_registration(user_id=PersonFactory().pk)


def test_pages_register_a_key_and_sign_in_with_it_alone() -> None:
    ada = MemberFactory()
    browser = Client()
    browser.cookies["session"] = open_session(ada.user)
    options = browser.post("/accounts/factors/passkeys/options/").json()
    key = soft_key(user_handle=ada.user_id.bytes)
    answer = browser.post("/accounts/factors/passkeys/", {"name": "Phone", "credential": key.make(options)})
    assert answer["Location"] == "/accounts/factors/codes/"
    stranger = Client()
    options = stranger.post("/accounts/passkeys/options/").json()
    answer = stranger.post(
        "/accounts/passkeys/sign-in/",
        {"credential": key.use(options), "next": f"/o/{ada.organization.slug}/"},
    )
    assert answer["Location"] == f"/o/{ada.organization.slug}/"
    assert stranger.session["otp_device_id"].startswith("accounts.secondfactor/")
    again = Client().post("/accounts/passkeys/sign-in/", {"credential": key.use(options)})
    assert again["Location"] == "/accounts/login/"


def test_a_key_is_the_second_step_after_the_password() -> None:
    ada = MemberFactory()
    key = registered(ada.user)
    browser = Client()
    first = browser.post("/accounts/login/", {"login": ada.user.email, "password": "correct horse battery"})
    assert first["Location"] == "/accounts/second-factor/"
    options = browser.post("/accounts/passkeys/options/").json()
    assert len(options["publicKey"]["allowCredentials"]) == 1
    answer = browser.post("/accounts/second-factor/", {"credential": key.use(options, flags=PRESENT)})
    assert answer["Location"] == "/"
    assert browser.get("/")["Location"] == f"/o/{ada.organization.slug}/"
