"""Second factors: codes work once, secrets lie sealed, other browsers end."""

from __future__ import annotations

import base64
import os
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import generate_totp_secret
from django.core import mail
from django.utils import timezone

from apps.accounts.errors import CodeWrong, FactorNotFound, FactorTaken, MemberNotFound
from apps.accounts.models import SecondFactor, User
from apps.accounts.selectors.factors import has_factor, list_factors
from apps.accounts.selectors.sessions import find_user_id
from apps.accounts.services import factor_secrets, factors
from apps.core.conf.secrets import EnvironmentSecrets
from apps.core.services import key_rotation, secrets
from apps.core.services.secrets import SecretUnreadable
from tests.accounts.events import recorded
from tests.accounts.factors import code_of, enrol
from tests.accounts.sessions import open_session
from tests.factories.accounts import AgentFactory, MemberFactory, OrganizationFactory, PersonFactory
from tests.walls import everywhere

pytestmark = pytest.mark.django_db


def test_an_app_brings_recovery_codes_and_its_secret_is_sealed() -> None:
    person = PersonFactory()
    secret = enrol(person)
    assert {factor.kind for factor in list_factors(user_id=person.pk)} == {"totp", "recovery_codes"}
    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in stored
    codes = factors.show_recovery_codes(user_id=person.pk)
    assert len(set(codes)) == 10
    assert not any(code in stored for code in codes)


def test_a_wrong_first_code_adds_nothing() -> None:
    person, secret = PersonFactory(), generate_totp_secret()
    wrong = f"{(int(code_of(secret)) + 1) % 1_000_000:06}"
    with pytest.raises(CodeWrong):
        factors.add_app(user_id=person.pk, secret=secret, code=wrong, keep_key=None)
    assert not Authenticator.objects.exists()
    assert not SecondFactor.objects.exists()
    assert mail.outbox == []


def test_there_is_one_app_and_only_people_have_factors() -> None:
    person, secret = PersonFactory(), generate_totp_secret()
    enrol(person)
    with pytest.raises(FactorTaken):
        factors.add_app(user_id=person.pk, secret=secret, code=code_of(secret), keep_key=None)
    agent = AgentFactory(organization=OrganizationFactory())
    with pytest.raises(MemberNotFound):
        factors.add_app(user_id=agent.pk, secret=secret, code=code_of(secret), keep_key=None)
    assert Authenticator.objects.filter(type="totp").count() == 1


def test_a_code_works_once_also_half_a_minute_later() -> None:
    person = PersonFactory()
    secret = enrol(person)
    moment = timezone.now()
    with time_machine.travel(moment, tick=False):
        code = code_of(secret)
        assert factors.check_code(user_id=person.pk, code=f" {code[:3]} {code[3:]} ").user_id == person.pk
        with pytest.raises(CodeWrong):
            factors.check_code(user_id=person.pk, code=code)
    with time_machine.travel(moment + timedelta(seconds=30), tick=False), pytest.raises(CodeWrong):
        factors.check_code(user_id=person.pk, code=code)


@pytest.mark.parametrize(("steps", "is_right"), [(-2, False), (-1, True), (1, True), (2, False)])
def test_clocks_may_be_half_a_minute_apart(steps: int, is_right: bool) -> None:
    person = PersonFactory()
    secret = enrol(person)
    with time_machine.travel(timezone.now(), tick=False):
        try:
            factors.check_code(user_id=person.pk, code=code_of(secret, steps=steps))
            taken = True
        except CodeWrong:
            taken = False
    assert taken is is_right


def test_an_older_code_is_refused_after_a_newer_one() -> None:
    person = PersonFactory()
    secret = enrol(person)
    with time_machine.travel(timezone.now(), tick=False):
        factors.check_code(user_id=person.pk, code=code_of(secret, steps=1))
        with pytest.raises(CodeWrong):
            factors.check_code(user_id=person.pk, code=code_of(secret))


@pytest.mark.parametrize("code", ["", "abc", "12345", "١٢٣٤٥٦", "\x00" * 6, "9" * 40, "-123456"])
def test_nonsense_is_a_wrong_code(code: str) -> None:
    person = PersonFactory()
    enrol(person)
    with pytest.raises(CodeWrong):
        factors.check_code(user_id=person.pk, code=code)


def test_codes_of_others_are_wrong() -> None:
    ada, bob = PersonFactory(), PersonFactory()
    secret = enrol(ada)
    enrol(bob)
    with pytest.raises(CodeWrong):
        factors.check_code(user_id=bob.pk, code=code_of(secret))
    with pytest.raises(CodeWrong):
        factors.check_code(user_id=bob.pk, code=factors.show_recovery_codes(user_id=ada.pk)[0])


def test_a_recovery_code_works_once_and_new_ones_end_the_old() -> None:
    person = PersonFactory()
    enrol(person)
    first, second, *_ = factors.show_recovery_codes(user_id=person.pk)
    factors.check_code(user_id=person.pk, code=first)
    with pytest.raises(CodeWrong):
        factors.check_code(user_id=person.pk, code=first)
    assert len(factors.show_recovery_codes(user_id=person.pk)) == 9
    factors.renew_recovery_codes(user_id=person.pk, keep_key=None)
    new = factors.show_recovery_codes(user_id=person.pk)
    assert second not in new
    with pytest.raises(CodeWrong):
        factors.check_code(user_id=person.pk, code=second)
    factors.check_code(user_id=person.pk, code=new[0])


def test_a_change_of_factors_ends_the_other_browsers_and_is_told(django_capture_on_commit_callbacks) -> None:
    ada = MemberFactory()
    here, there = open_session(ada.user), open_session(ada.user)
    secret = generate_totp_secret()
    with django_capture_on_commit_callbacks(execute=True):
        factor = factors.add_app(user_id=ada.user_id, secret=secret, code=code_of(secret), keep_key=here)
    assert (find_user_id(here), find_user_id(there)) == (ada.user_id, None)
    assert [told["reason"] for name, told in recorded("access.revoked")] == ["factor_changed"]
    assert [message.to for message in mail.outbox] == [[ada.user.email]]
    there = open_session(ada.user)
    with django_capture_on_commit_callbacks(execute=True):
        factors.remove_factor(user_id=ada.user_id, factor_id=factor.pk, keep_key=here)
    assert (find_user_id(here), find_user_id(there)) == (ada.user_id, None)
    assert len(mail.outbox) == 2


def test_recovery_codes_go_with_the_last_factor_and_not_before() -> None:
    person = PersonFactory()
    enrol(person)
    app, codes = list_factors(user_id=person.pk)
    with pytest.raises(FactorNotFound):
        factors.remove_factor(user_id=person.pk, factor_id=codes.id, keep_key=None)
    factors.remove_factor(user_id=person.pk, factor_id=app.id, keep_key=None)
    assert not has_factor(user_id=person.pk)
    with pytest.raises(FactorNotFound):
        factors.show_recovery_codes(user_id=person.pk)


def test_nobody_removes_the_factor_of_another() -> None:
    ada, bob = PersonFactory(), PersonFactory()
    enrol(ada)
    app = list_factors(user_id=ada.pk)[0]
    with pytest.raises(FactorNotFound):
        factors.remove_factor(user_id=bob.pk, factor_id=app.id, keep_key=None)
    assert has_factor(user_id=ada.pk)


def test_an_operator_removes_all_of_a_person() -> None:
    person = PersonFactory()
    enrol(person)
    key = open_session(person)
    factors.remove_all(user_id=person.pk, operator_id=PersonFactory(is_staff=True).pk)
    assert not has_factor(user_id=person.pk)
    assert find_user_id(key) is None


def test_secrets_move_to_a_new_key_and_still_work(monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = (
        "".join([name, ":", base64.urlsafe_b64encode(os.urandom(32)).decode()]) for name in ("old", "new")
    )
    place = factor_secrets.PLACE
    assert place in key_rotation.places()
    _keys(monkeypatch, old)
    person = PersonFactory()
    secret = enrol(person)
    codes = factors.show_recovery_codes(user_id=person.pk)
    _keys(monkeypatch, f"{new},{old}")
    assert place.count(None) == Counter({"old": 2})
    assert [place.rotate(None), place.rotate(None)] == [2, 0]
    assert place.count(None) == Counter({"new": 2})
    _keys(monkeypatch, new)
    assert factors.show_recovery_codes(user_id=person.pk) == codes
    assert factors.check_code(user_id=person.pk, code=code_of(secret)).authenticator.type == "totp"
    _keys(monkeypatch, old)
    with pytest.raises(SecretUnreadable):
        factors.show_recovery_codes(user_id=person.pk)


def _keys(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setattr(secrets._kept, "providers", [EnvironmentSecrets({secrets.VARIABLE: value})])
    secrets.forget()


@pytest.fixture(autouse=True)
def _keys_as_before() -> Iterator[None]:
    yield
    secrets.forget()


def test_a_deleted_person_leaves_no_secret() -> None:
    person = PersonFactory()
    enrol(person)
    with everywhere():
        User.objects.filter(pk=person.pk).delete()
    assert not Authenticator.objects.exists()
    assert not SecondFactor.objects.exists()
