"""SEC-16: the second factor cannot be walked around. Every door, and what waits between two steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.internal.flows.trust import IssuedTrust, create_config_fingerprint, encode_trust_cookie
from allauth.mfa.stages import AuthenticateStage
from django.core import mail
from django.core.signing import Signer
from django.test import Client
from django.utils import timezone

from apps.accounts.errors import SecondFactorRequired
from apps.accounts.models import Invitation, Member, SecondFactor, User
from apps.accounts.selectors import seated
from apps.accounts.selectors.principals import hash_secret
from apps.accounts.services import factors, key_use, principal_cache, sessions, sign_in_links
from apps.accounts.services.handshake import principal_of, read
from apps.core.errors import NotSignedIn
from tests.accounts.factors import code_of, enrol, first_step, second_step
from tests.accounts.sessions import open_session
from tests.factories.accounts import PASSWORD, MemberFactory, OrganizationFactory, api_key
from tests.security.sizes import by_size
from tests.security.test_every_entrance import OPEN, address, routes
from tests.walls import everywhere

pytestmark = pytest.mark.django_db
NEW_PASSWORD = "seven green llamas sing"


@pytest.fixture(autouse=True)
def _forget_what_the_process_knows() -> Iterator[None]:
    principal_cache.follow(None)
    key_use._touched.clear()
    sessions._tracked.clear()
    yield
    principal_cache.follow(None)


@pytest.fixture
def ada() -> Member:
    """An operator and owner with an authenticator app."""
    member = MemberFactory(role="owner", user__is_staff=True, user__is_superuser=True)
    enrol(member.user)
    return member


def scope_of(client: Client) -> dict[str, Any]:
    """Return a socket handshake with the client's cookies."""
    cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    headers = [(b"cookie", cookie.encode()), (b"origin", b"http://testserver")]
    return {"type": "websocket", "headers": headers, "query_string": b"", "client": ("127.0.0.1", 1)}


def is_inside(client: Client, member: Member) -> list[str]:
    """Return the doors that take this browser for the member."""
    found = []
    if client.get(f"/o/{member.organization.slug}/settings/").status_code == 200:
        found.append("page")
    if client.get("/api/v1/me/").status_code == 200:
        found.append("api")
    if client.get("/api/v1/conversations/").status_code == 200:  # an async view: no session middleware there
        found.append("async")
    if client.get("/admin/").status_code == 200:
        found.append("admin")
    if client.get("/accounts/factors/").status_code == 200:
        found.append("account")
    try:
        principal_of(read(scope_of(client)))
        found.append("socket")
    except (NotSignedIn, SecondFactorRequired):
        return found
    return found


ALL = ["page", "api", "async", "admin", "account", "socket"]


def by_password(client: Client, member: Member) -> None:
    first_step(client, member.user)


def by_link(client: Client, member: Member) -> None:
    url = sign_in_links.create_link(user_id=member.user_id).url
    client.post(url.removeprefix("http://testserver"))


def by_mailed_code(client: Client, member: Member) -> None:
    client.post("/accounts/login/code/", {"email": member.user.email})
    code = mail.outbox[-1].body.split("\n\n")[1].strip()
    client.post("/accounts/login/code/confirm/", {"code": code})


def by_reset(client: Client, member: Member) -> None:
    client.post("/accounts/password/reset/", {"email": member.user.email})
    url = next(line for line in mail.outbox[-1].body.splitlines() if line.startswith("http"))
    page = client.get(url.removeprefix("http://testserver"))
    client.post(page["Location"], {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    first_step(client, User.objects.get(pk=member.user_id), NEW_PASSWORD)


def by_invitation(client: Client, member: Member) -> None:
    """An invitation to the address, opened in the browser that knows only the password."""
    first_step(client, member.user)
    invitation(member)
    client.post("/invite/a-secret/", {"name": "Ada", "password": NEW_PASSWORD})


def by_admin(client: Client, member: Member) -> None:
    client.post("/admin/login/", {"username": member.user.email, "password": PASSWORD, "next": "/admin/"})


def by_tokens(client: Client, member: Member) -> None:
    """A program that knows the password: what it is given goes along from then on."""
    body = {"email": member.user.email, "password": PASSWORD}
    answer = client.post("/api/v1/tokens/", body, content_type="application/json")
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {answer.json().get('access_token', 'none')}"


def invitation(member: Member) -> Invitation:
    other = OrganizationFactory()
    owner = MemberFactory(organization=other, role="owner")
    with everywhere():
        return Invitation.objects.create(
            organization=other, email=member.user.email, role=owner.role, invited_by=owner.user,
            hash=hash_secret("a-secret"), expires_at=timezone.now() + timedelta(days=1),
        )  # fmt: skip


DOORS = [by_password, by_link, by_mailed_code, by_reset, by_invitation, by_admin, by_tokens]


@pytest.mark.parametrize("door", DOORS)
def test_no_door_skips_the_factor(ada: Member, door: Callable[[Client, Member], None]) -> None:
    client = Client()
    door(client, ada)
    assert is_inside(client, ada) == []
    assert "_auth_user_id" not in client.session
    with everywhere():
        assert Member.objects.filter(user=ada.user).count() == 1


@pytest.mark.parametrize("door", [by_password, by_link, by_mailed_code, by_reset])
def test_with_the_factor_every_door_opens(ada: Member, door: Callable[[Client, Member], None]) -> None:
    """The control: the same ways end inside once the code is typed."""
    client = Client()
    door(client, ada)
    code = factors.show_recovery_codes(user_id=ada.user_id)[0]
    assert second_step(client, code).status_code == 302
    assert is_inside(client, ada) == ALL


@pytest.mark.parametrize("door", [by_password, by_link, by_mailed_code, by_reset])
def test_without_the_stage_the_doors_would_open(
    ada: Member, door: Callable[[Client, Member], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proof of bite."""
    monkeypatch.setattr(AuthenticateStage, "_should_handle", lambda *_: False)
    client = Client()
    door(client, ada)
    assert is_inside(client, ada) == ALL


def test_between_the_steps_one_is_a_visitor_everywhere(ada: Member) -> None:
    """Every route, with the session that waits for its second step."""
    client = Client(raise_request_exception=False)
    first_step(client, ada.user)
    waiting = client.cookies["session"].value
    allowed = {*OPEN, "accounts/second-factor/"}
    methods = ("GET", "POST", "DELETE")
    for place, (route, _) in enumerate(routes()):
        if route in allowed or route == "accounts/login/cancel/":
            continue
        for method in by_size(quick=[methods[place % 3]], standard=methods, full=methods):
            client.cookies["session"] = waiting
            answer = client.generic(method, address(route), b"{}", content_type="application/json")
            said = f"{method} {route} answers {answer.status_code} between the steps"
            assert answer.status_code >= 300, said
            assert answer.status_code < 500, said
    assert SecondFactor.objects.count() == 2


@pytest.mark.parametrize(
    "path", ["/accounts/reauthenticate/", "/accounts/factors/app/", "/accounts/password/change/"]
)
def test_nothing_of_the_account_changes_between_the_steps(ada: Member, path: str) -> None:
    client = Client()
    first_step(client, ada.user)
    before = User.objects.get(pk=ada.user_id).password
    answer = client.post(path, {"password": PASSWORD, "oldpassword": PASSWORD, "password1": NEW_PASSWORD,
                                "password2": NEW_PASSWORD, "code": "000000"})  # fmt: skip
    assert answer["Location"].startswith("/accounts/login/")
    assert User.objects.get(pk=ada.user_id).password == before
    assert is_inside(client, ada) == []


def test_the_code_of_another_person_is_worth_nothing(ada: Member) -> None:
    mallory = MemberFactory()
    secret = enrol(mallory.user)
    client = Client()
    first_step(client, ada.user)
    assert second_step(client, code_of(secret)).status_code == 400
    assert second_step(client, factors.show_recovery_codes(user_id=mallory.user_id)[0]).status_code == 400
    assert is_inside(client, ada) == []


def test_a_code_is_not_used_twice_at_two_doors(ada: Member) -> None:
    User.objects.filter(pk=ada.user_id).update(is_staff=False)
    factors.remove_all(user_id=ada.user_id, operator_id=ada.user_id)
    secret = enrol(ada.user)
    code = code_of(secret)
    client, thief = Client(), Client()
    first_step(client, ada.user)
    first_step(thief, ada.user)
    assert second_step(client, code).status_code == 302
    assert second_step(thief, code).status_code == 400
    body = {"email": ada.user.email, "password": PASSWORD, "code": code}
    by_token = Client().post("/api/v1/tokens/", body, content_type="application/json")
    assert by_token.json()["code"] == "accounts.code_wrong"
    stale = Client()
    stale.cookies["session"] = open_session(ada.user, age_seconds=3600)
    assert stale.post("/accounts/reauthenticate/", {"code": code}).status_code == 400


def test_mixed_sessions_do_not_lend_their_steps(ada: Member) -> None:
    """Mallory's finished second step in the same browser is no step of Ada's."""
    mallory = MemberFactory()
    secret = enrol(mallory.user)
    client = Client()
    first_step(client, mallory.user)
    second_step(client, code_of(secret))
    assert is_inside(client, mallory) != []
    client.post("/accounts/logout/")
    first_step(client, ada.user)
    assert is_inside(client, ada) == []
    first_step(client, mallory.user)
    assert is_inside(client, mallory) == []


def test_a_trust_cookie_is_not_looked_at(ada: Member) -> None:
    client = Client()
    forged = encode_trust_cookie([IssuedTrust(create_config_fingerprint(ada.user), 4_000_000_000)])
    client.cookies["mfa_trusted"] = forged
    assert Signer().unsign_object(forged)
    first_step(client, ada.user)
    assert is_inside(client, ada) == []


def test_a_new_password_ends_a_sign_in_that_waits(ada: Member) -> None:
    waiting = Client()
    first_step(waiting, ada.user)
    by_reset(Client(), ada)
    code = factors.show_recovery_codes(user_id=ada.user_id)[0]
    assert second_step(waiting, code)["Location"] == "/accounts/login/"
    assert is_inside(waiting, ada) == []
    assert code in factors.show_recovery_codes(user_id=ada.user_id)


def test_a_closed_account_does_not_finish(ada: Member) -> None:
    waiting = Client()
    first_step(waiting, ada.user)
    User.objects.filter(pk=ada.user_id).update(is_active=False)
    second_step(waiting, factors.show_recovery_codes(user_id=ada.user_id)[0])
    assert is_inside(waiting, ada) == []


def test_taking_the_factor_away_does_not_finish_what_waits(ada: Member) -> None:
    waiting = Client()
    first_step(waiting, ada.user)
    factors.remove_all(user_id=ada.user_id, operator_id=ada.user_id)
    assert waiting.get("/accounts/second-factor/")["Location"] == "/accounts/login/"
    assert second_step(waiting, "000000")["Location"] == "/accounts/login/"
    assert is_inside(waiting, ada) == []


def test_a_session_from_before_the_set_up_ends_with_it(ada: Member) -> None:
    bob = MemberFactory()
    old = Client()
    old.cookies["session"] = open_session(bob.user)
    assert "page" in is_inside(old, bob)
    enrol(bob.user)
    assert is_inside(old, bob) == []


def test_marks_of_a_foreign_or_made_up_factor_prove_nothing(ada: Member) -> None:
    organization = ada.organization
    organization.factor_policy, organization.factor_grace_days = "everybody", 0
    organization.save()
    bob = MemberFactory(organization=organization)
    adas = SecondFactor.objects.filter(user=ada.user).first()
    assert adas is not None
    for mark in (adas.persistent_id, "accounts.secondfactor/999999", "x", "accounts.secondfactor/-1"):
        client = Client()
        client.cookies["session"] = open_session(bob.user)
        session = client.session
        session["otp_device_id"] = mark
        session.save()
        assert is_inside(client, bob) == ["account"], mark


def test_a_key_is_no_way_around_the_policy(ada: Member) -> None:
    organization = ada.organization
    organization.factor_policy, organization.factor_grace_days = "everybody", 0
    organization.save()
    bob = MemberFactory(organization=organization)
    for member, expected in ((bob, 403), (ada, 200)):
        key = api_key(member).secret
        for path in ("/api/v1/me/", "/api/v1/conversations/"):
            answer = Client().get(path, headers={"Authorization": f"Bearer {key}"})
            assert answer.status_code == expected, (member, path)


def test_without_the_policy_in_the_query_everybody_would_be_in(
    ada: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proof of bite of the gate."""
    organization = ada.organization
    organization.factor_policy, organization.factor_grace_days = "everybody", 0
    organization.save()
    bob = MemberFactory(organization=organization)
    client = Client()
    client.cookies["session"] = open_session(bob.user)
    assert is_inside(client, bob) == ["account"]
    monkeypatch.setattr(seated, "_required", lambda principal, *_: principal)
    assert {"page", "api", "async", "socket"} <= set(is_inside(client, bob))
