"""The account pages: the closed door, signing in and out, invitations, links, language."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import redis
import time_machine
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core import mail
from django.test import Client
from django.utils import timezone

from apps.accounts.models import Member, Organization, User
from apps.accounts.selectors.principals import session_id
from apps.accounts.selectors.sessions import LONGEST_SECONDS, find_user_id
from apps.accounts.services import invitations, sign_in_links
from apps.accounts.types import Principal
from apps.accounts.views import link_bucket
from apps.core.services import limits
from tests.accounts.events import recorded
from tests.accounts.routes import public_routes
from tests.accounts.sessions import open_session
from tests.factories.accounts import PASSWORD, MemberFactory, OrganizationFactory, PersonFactory, principal_of
from tests.walls import everywhere

pytestmark = pytest.mark.django_db
GOOD = "correct horse battery"


def signed_in(user: User) -> Client:
    """Return a browser with a session of the user."""
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = open_session(user)
    return client


def session_of(client: Client) -> str:
    """Return the session key in a browser's cookie."""
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def sign_in(client: Client, email: str | None, password: str = PASSWORD, **values: str) -> Any:
    """Send the sign-in form."""
    return client.post("/accounts/login/", {"login": email, "password": password, **values})


def test_a_visitor_is_sent_to_sign_in_and_back(organization: Organization) -> None:
    response = Client().get(f"/o/{organization.slug}/?a=1")
    assert response.status_code == 302
    assert response["Location"] == f"/accounts/login/?next=/o/{organization.slug}/%3Fa%3D1"


def test_a_fragment_takes_its_whole_page_to_sign_in(organization: Organization) -> None:
    response = Client().get(f"/o/{organization.slug}/", headers={"HX-Request": "true"})
    assert (response.status_code, response["HX-Redirect"]) == (401, "/accounts/login/")


def test_a_script_is_told_that_it_is_signed_out(organization: Organization) -> None:
    """A redirection would be followed, and the form at its end taken for success: of a draft that is kept, say."""
    response = Client().post(f"/o/{organization.slug}/", headers={"X-Requested-With": "fetch"})
    assert response.status_code == 401
    assert "Location" not in response


def test_signing_in_rotates_the_session_and_lists_it(member: Callable[..., Member]) -> None:
    ada, client = member(), Client()
    anonymous = client.session
    anonymous["fixed"] = "by an attacker"
    anonymous.save()
    before = session_of(client)
    response = sign_in(client, ada.user.email)
    assert (response.status_code, response["Location"]) == (302, "/")
    after = session_of(client)
    assert after != before
    assert (find_user_id(before), find_user_id(after)) == (None, ada.user_id)
    assert UserSession.objects.get().session_key == after
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_nobody_is_sent_to_another_site(member: Callable[..., Member], target: str) -> None:
    assert sign_in(Client(), member().user.email, next=target)["Location"] == "/"


def test_unknown_address_wrong_password_and_closed_account_look_the_same(
    member: Callable[..., Member],
) -> None:
    known, closed = member().user.email, PersonFactory(is_active=False).email
    answers = [
        sign_in(Client(), known, "wrong password 1"),
        sign_in(Client(), "nobody@example.org", "wrong password 1"),
        sign_in(Client(), closed, "wrong password 1"),
    ]
    pages = [
        re.sub(r'value="[^"]*"|"csrf": ?"[^"]*"|nonce="[^"]*"', "", answer.content.decode())
        for answer in answers
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert pages[0] == pages[1] == pages[2]
    assert 'id="form-error"' in pages[0]


def test_agents_cannot_sign_in(organization: Organization) -> None:
    MemberFactory(organization=organization, agent=True)
    assert sign_in(Client(), "", "").status_code == 200
    assert not Session.objects.exists()


def test_attempts_are_counted_by_account_and_a_right_password_costs_nothing(
    member: Callable[..., Member],
) -> None:
    email = member().user.email
    for _ in range(12):
        assert sign_in(Client(), email).status_code == 302
    for _ in range(10):
        assert b"Too many failed" not in sign_in(Client(), email, "wrong password 1").content
    refused = sign_in(Client(), email)
    assert refused.status_code == 200
    assert b"Too many failed" in refused.content
    assert sign_in(Client(), member().user.email).status_code == 302


def test_signing_in_works_while_redis_is_away(
    member: Callable[..., Member], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1",
        }
    }
    away = redis.Redis(host="127.0.0.1", port=1)
    monkeypatch.setattr("apps.core.redis.client", lambda: away)
    monkeypatch.setattr("apps.core.events.publishing.client", lambda: away)
    ada, client = member(), Client()
    assert sign_in(client, ada.user.email)["Location"] == "/"
    assert client.get("/")["Location"] == f"/o/{ada.organization.slug}/"
    assert client.post("/accounts/logout/").status_code == 302
    limits._breaker.forget()


def test_pages_know_their_reader(member: Callable[..., Member]) -> None:
    ada = member(name="Ada", user__theme="dark")
    other = MemberFactory(user=ada.user).organization
    client = signed_in(ada.user)
    client.get(f"/o/{ada.organization.slug}/")
    context = client.get("/accounts/logout/").context
    assert (context["me"].name, context["theme"]) == ("Ada", "dark")
    assert (context["organization"].slug, context["viewer"].id) == (ada.organization.slug, ada.user_id)
    assert {each.slug for each in context["organizations"]} == {ada.organization.slug, other.slug}
    visitor = Client().get("/accounts/login/").context
    assert (visitor["me"], visitor["organization"], visitor["theme"]) == (None, None, "system")


def test_the_start_page_leads_to_the_organization_used_last(member: Callable[..., Member]) -> None:
    ada = member()
    other = MemberFactory(user=ada.user, organization=OrganizationFactory(name="A first one")).organization
    client = signed_in(ada.user)
    assert client.get("/")["Location"] == f"/o/{other.slug}/"
    client.get(f"/o/{ada.organization.slug}/")
    assert client.get("/")["Location"] == f"/o/{ada.organization.slug}/"
    with everywhere():
        Member.objects.filter(pk=ada.pk).update(deactivated_at=timezone.now())
    assert client.get("/")["Location"] == f"/o/{other.slug}/"


def test_the_start_page_says_where_there_is_no_organization() -> None:
    response = signed_in(PersonFactory()).get("/")
    assert response.status_code == 403
    assert b"No organization yet" in response.content


def test_the_start_page_of_a_visitor_is_signing_in(db: None) -> None:
    assert Client().get("/")["Location"] == "/accounts/login/"


def test_a_foreign_organization_is_missing(member: Callable[..., Member]) -> None:
    client, foreign = signed_in(member().user), OrganizationFactory()
    answers = [client.get(f"/o/{slug}/") for slug in (foreign.slug, "missing")]
    texts = [
        re.sub(r'[0-9a-f-]{36}|[0-9a-f]{32}|nonce="[^"]*"', "", answer.content.decode()) for answer in answers
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert texts[0].replace(foreign.slug, "missing") == texts[1]


@pytest.mark.parametrize("slug", ["%00", "%ff", "a%2fb", "x" * 500, "Ä"])
def test_strange_addresses_are_missing(member: Callable[..., Member], slug: str) -> None:
    assert signed_in(member().user).get(f"/o/{slug}/").status_code == 404


def test_signing_out_ends_this_session_and_its_sockets(member: Callable[..., Member]) -> None:
    ada = member()
    client, other = signed_in(ada.user), open_session(ada.user)
    key = session_of(client)
    assert client.get("/accounts/logout/").status_code == 200
    assert client.post("/accounts/logout/")["Location"] == "/"
    assert (find_user_id(key), find_user_id(other)) == (None, ada.user_id)
    told = {"principal_id": str(ada.user_id), "session": session_id(key), "reason": "signed_out"}
    assert recorded() == [("access.revoked", told)]
    again = Client()
    again.cookies[settings.SESSION_COOKIE_NAME] = key
    assert again.get("/")["Location"] == "/accounts/login/"


def test_a_session_ends_after_thirty_days_whatever_its_use(member: Callable[..., Member]) -> None:
    ada, client = member(), Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = open_session(ada.user, age_seconds=LONGEST_SECONDS + 1)
    assert client.get("/")["Location"] == "/accounts/login/"


def test_use_moves_the_idle_end_on_once_a_day(member: Callable[..., Member]) -> None:
    client, now = signed_in(member().user), timezone.now()
    client.get("/")
    first = Session.objects.get().expire_date
    with time_machine.travel(now + timedelta(days=13), tick=False):
        answers = [client.get("/") for _ in range(2)]
    assert Session.objects.get().expire_date > first + timedelta(days=12)
    assert [settings.SESSION_COOKIE_NAME in answer.cookies for answer in answers] == [True, False]
    with time_machine.travel(now + timedelta(days=20), tick=False):
        assert client.get("/")["Location"].startswith("/o/")
    with time_machine.travel(now + timedelta(days=20 + 15), tick=False):
        assert client.get("/")["Location"] == "/accounts/login/"


def test_a_new_password_ends_the_other_sessions(member: Callable[..., Member]) -> None:
    ada = member()
    client, other = signed_in(ada.user), open_session(ada.user)
    before = session_of(client)
    change = {
        "oldpassword": PASSWORD,
        "password1": "a longer new sentence",
        "password2": "a longer new sentence",
    }
    assert client.get("/accounts/password/change/").status_code == 200
    response = client.post("/accounts/password/change/", change)
    assert response.status_code == 302, response.content
    assert session_of(client) != before
    assert (find_user_id(before), find_user_id(other)) == (None, None)
    assert find_user_id(session_of(client)) == ada.user_id
    assert [payload["reason"] for _, payload in recorded("access.revoked")] == ["password_changed"]
    assert sign_in(Client(), ada.user.email, "a longer new sentence").status_code == 302


def test_a_wrong_old_password_changes_nothing(member: Callable[..., Member]) -> None:
    ada = member()
    client, other = signed_in(ada.user), open_session(ada.user)
    change = {
        "oldpassword": "wrong",
        "password1": "a longer new sentence",
        "password2": "a longer new sentence",
    }
    assert client.post("/accounts/password/change/", change).status_code == 200
    assert find_user_id(other) == ada.user_id
    assert recorded() == []


def test_resetting_a_password_by_mail(member: Callable[..., Member]) -> None:
    ada, client = member(), Client()
    old = open_session(ada.user)
    assert client.get("/accounts/password/reset/").status_code == 200
    asked = client.post("/accounts/password/reset/", {"email": ada.user.email})
    assert asked["Location"] == "/accounts/password/reset/done/"
    (message,) = mail.outbox
    url = re.search(r"http://testserver(/accounts/password/reset/key/\S+)", message.body)
    assert url is not None
    page = client.get(url[1], follow=True)
    assert page.status_code == 200
    set_at = page.redirect_chain[-1][0]
    chosen = {"password1": "a longer new sentence", "password2": "a longer new sentence"}
    done = client.post(set_at, chosen, follow=True)
    assert b"Sign in with your new password" in done.content
    assert find_user_id(old) is None
    assert sign_in(Client(), ada.user.email, "a longer new sentence").status_code == 302
    used = Client().get(url[1], follow=True)
    assert b"This link is used up" in used.content


def test_a_mail_server_that_is_away_does_not_tell_who_has_an_account(
    member: Callable[..., Member], settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    known, unknown = member().user.email, "nobody@example.org"
    answers = [Client().post("/accounts/password/reset/", {"email": email}) for email in (known, unknown)]
    assert [(answer.status_code, answer["Location"]) for answer in answers] == [
        (302, "/accounts/password/reset/done/")
    ] * 2
    assert "account.not_mailed" in [record.message for record in caplog.records]


def test_a_reset_does_not_tell_who_has_an_account(member: Callable[..., Member]) -> None:
    known, unknown = member().user.email, "nobody@example.org"
    answers = [Client().post("/accounts/password/reset/", {"email": email}) for email in (known, unknown)]
    assert answers[0]["Location"] == answers[1]["Location"]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert [message.to for message in mail.outbox] == [[known], [unknown]]
    assert mail.outbox[0].subject == mail.outbox[1].subject


def test_a_mailbox_is_not_filled(member: Callable[..., Member]) -> None:
    email = member().user.email
    answers = [Client().post("/accounts/password/reset/", {"email": email}).status_code for _ in range(6)]
    assert answers == [302] * 5 + [429]
    assert len(mail.outbox) == 5


def test_nobody_signs_up_from_outside(db: None) -> None:
    form = {"email": "eve@example.org", "password1": GOOD, "password2": GOOD}
    for response in (Client().get("/accounts/signup/"), Client().post("/accounts/signup/", form)):
        assert response.status_code == 200
        assert b"By invitation only" in response.content
    assert not User.objects.exists()


def invited(principal: Principal, email: str) -> str:
    """Invite an address and return the path of its link."""
    return invitations.invite(principal=principal, email=email).url.removeprefix("http://testserver")


def test_an_invitation_makes_an_account_and_signs_in(
    here: Organization, acting: Callable[..., Principal]
) -> None:
    path, client = invited(acting("admin"), "bob@example.org"), Client()
    page = client.get(path)
    assert page.status_code == 200
    assert here.name in page.content.decode()
    response = client.post(path, {"name": "Bob", "password": GOOD})
    assert response["Location"] == f"/o/{here.slug}/"
    bob = User.objects.get(email="bob@example.org")
    assert find_user_id(session_of(client)) == bob.pk
    assert client.get("/")["Location"] == f"/o/{here.slug}/"
    assert Client().get(path).status_code == 410


@pytest.mark.parametrize(
    "form",
    [{}, {"name": "", "password": GOOD}, {"name": "Bob", "password": "short"}, {"name": "B\x00", "password": GOOD},
     {"name": "Bob", "password": "\x00" * 20}, {"name": "x" * 81, "password": GOOD}],
)  # fmt: skip
def test_a_wrong_form_makes_no_account(
    here: Organization, acting: Callable[..., Principal], form: dict[str, str]
) -> None:
    path = invited(acting("admin"), "bob@example.org")
    response = Client().post(path, form)
    assert response.status_code == 400
    assert b"field__error" in response.content
    assert not User.objects.filter(email="bob@example.org").exists()


def test_who_has_an_account_signs_in_to_join(here: Organization, acting: Callable[..., Principal]) -> None:
    known, other = PersonFactory(), PersonFactory()
    path = invited(acting("admin"), known.email)
    visitor = Client().get(path)
    assert f'href="/accounts/login/?next={path}"' in visitor.content.decode()
    assert Client().post(path, {"name": "Eve", "password": GOOD}).status_code == 400
    assert signed_in(other).post(path).status_code == 403
    assert not Member.objects.filter(user__in=[known, other]).exists()
    client = signed_in(known)
    assert b"Join" in client.get(path).content
    assert client.post(path)["Location"] == f"/o/{here.slug}/"
    assert Member.objects.filter(user=known, organization=here).exists()


@pytest.mark.parametrize("page", ["invite", "sign-in"])
def test_unknown_links_say_so(db: None, page: str) -> None:
    for secret in ("x" * 43, "%00", "%ff%fe"):
        assert Client().get(f"/{page}/{secret}/").status_code == 410
        assert Client().post(f"/{page}/{secret}/").status_code == 410


def test_links_cannot_be_guessed_at_speed(db: None) -> None:
    limits.take([link_bucket("127.0.0.1")], cost=59)
    answers = [Client().get(f"/sign-in/{number}/").status_code for number in range(2)]
    assert answers == [410, 429]
    assert Client().get("/invite/1/").status_code == 429


def test_a_one_time_link_asks_first_and_signs_in_once(member: Callable[..., Member]) -> None:
    ada = member()
    path = sign_in_links.create_link(user_id=ada.user_id).url.removeprefix("http://testserver")
    client = Client()
    assert client.get(path).status_code == 200
    assert client.get(path).status_code == 200
    response = client.post(path)
    assert (response.status_code, response["Location"]) == (302, "/")
    assert find_user_id(session_of(client)) == ada.user_id
    assert Client().get(path).status_code == 410
    assert Client().post(path).status_code == 410


def test_a_link_replaces_who_was_signed_in(member: Callable[..., Member]) -> None:
    eve, ada = member(), member()
    client = signed_in(eve.user)
    before = session_of(client)
    client.post(sign_in_links.create_link(user_id=ada.user_id).url.removeprefix("http://testserver"))
    assert session_of(client) != before
    assert find_user_id(session_of(client)) == ada.user_id
    assert find_user_id(before) is None


def test_every_form_wants_the_token_of_its_page(member: Callable[..., Member]) -> None:
    ada = member()
    link = sign_in_links.create_link(user_id=ada.user_id).url.removeprefix("http://testserver")
    for path in ("/accounts/login/", "/accounts/logout/", "/accounts/password/reset/", "/language/", link):
        client = Client(enforce_csrf_checks=True)
        client.cookies[settings.SESSION_COOKIE_NAME] = open_session(ada.user)
        assert client.post(path, {"language": "de"}).status_code == 403


def test_the_language_follows_account_cookie_and_browser(member: Callable[..., Member]) -> None:
    german = {"Accept-Language": "de-DE,de;q=0.9"}
    assert Client().get("/accounts/login/")["Content-Language"] == "en"
    assert Client().get("/accounts/login/", headers=german)["Content-Language"] == "de"
    client = Client()
    response = client.post("/language/", {"language": "en", "next": "/accounts/login/"})
    assert (response["Location"], client.cookies["language"].value) == ("/accounts/login/", "en")
    assert client.get("/accounts/login/", headers=german)["Content-Language"] == "en"
    ada = member()
    client = signed_in(ada.user)
    client.post("/language/", {"language": "de", "next": "//evil.example/"})
    assert User.objects.get(pk=ada.user_id).language == "de"
    client.cookies["language"] = "en"
    assert client.get("/accounts/logout/")["Content-Language"] == "de"


def test_an_unknown_language_is_left_out(db: None) -> None:
    client = Client()
    assert client.post("/language/", {"language": "tlh", "next": "https://evil.example/"})["Location"] == "/"
    assert "language" not in client.cookies


def test_exactly_these_pages_are_public() -> None:
    assert public_routes() == {
        "", ".well-known/jwks.json", "csp-report/",
        "language/", "invite/<str:secret>/", "sign-in/<str:secret>/", "accounts/login/", "accounts/logout/",
        "accounts/inactive/", "accounts/signup/", "accounts/password/reset/", "accounts/password/reset/done/",
        "^accounts/password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        "accounts/password/reset/key/done/", "livez", "readyz", "metrics", "f/<str:token>/<str:name>",
        "accounts/login/code/", "accounts/login/code/confirm/", "accounts/login/cancel/", "accounts/second-factor/",
        "accounts/passkeys/options/", "accounts/passkeys/sign-in/",
        ".well-known/openid-configuration", ".well-known/oauth-authorization-server", "oauth/authorize/",
        "oauth/token/", "oauth/device-authorization/", "oauth/introspect/", "oauth/revoke/", "oauth/userinfo/",
        "notifications/unsubscribe/<str:token>/",
    }  # fmt: skip


@pytest.mark.parametrize("rows", [1, 20])
def test_what_a_page_costs_before_its_view(
    rows: int, django_assert_num_queries: Any, member: Callable[..., Member]
) -> None:
    ada = member()
    for _ in range(rows - 1):
        MemberFactory(user=ada.user)
        open_session(ada.user)
    client = signed_in(ada.user)
    client.get(f"/o/{ada.organization.slug}/")
    with django_assert_num_queries(3):  # session, user, seat
        client.get("/")


def test_use_is_listed(member: Callable[..., Member]) -> None:
    ada = member()
    client = signed_in(ada.user)
    UserSession.objects.all().delete()
    client.get("/", headers={"User-Agent": "Browser"})
    row = UserSession.objects.get()
    assert (row.session_key, row.ip, row.user_agent) == (session_of(client), "127.0.0.1", "Browser")


def test_a_person_may_be_signed_in_to_two_organizations_in_one_browser(member: Callable[..., Member]) -> None:
    ada = member("admin")
    other = MemberFactory(user=ada.user, role="guest")
    assert principal_of(other).role == "guest"
    client = signed_in(ada.user)
    with time_machine.travel(timezone.now() + timedelta(minutes=2), tick=False):
        first = client.get(f"/o/{ada.organization.slug}/").wsgi_request
        second = client.get(f"/o/{other.organization.slug}/").wsgi_request
    assert (first.principal.role, second.principal.role) == ("admin", "guest")
