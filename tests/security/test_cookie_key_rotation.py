"""SEC-28: the key of sessions and forms changes without a failed request, over real web processes.

Three steps, each rolled out while the one before still answers: the new key is known everywhere, then it signs, then
the old one is gone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import httpx2
import pytest

from apps.accounts.models import Member
from tests.core.web_process import WebProcess, web_process
from tests.factories.accounts import PASSWORD, MemberFactory

pytestmark = [pytest.mark.enable_socket, pytest.mark.timeout(300)]
OLD, NEW = (os.urandom(32).hex() for _ in range(2))
STAGES = [(OLD, ""), (OLD, NEW), (NEW, OLD), (NEW, "")]


@contextmanager
def stage(number: int) -> Iterator[WebProcess]:
    key, fallbacks = STAGES[number]
    with web_process(
        DJANGO_SETTINGS_MODULE="chatsystem.settings.test",
        CHATSYSTEM_SECRET_KEY=key,
        CHATSYSTEM_SECRET_KEY_FALLBACKS=fallbacks,
    ) as web:
        yield web


def sign_in(web: WebProcess, member: Member) -> httpx2.Client:
    client = web.client()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', client.get("/accounts/login/").text)
    assert token is not None
    fields = {"csrfmiddlewaretoken": token[1], "login": member.user.email, "password": PASSWORD}
    assert client.post("/accounts/login/", data=fields).status_code == 302
    return client


def use(web: WebProcess, client: httpx2.Client) -> list[int]:
    """A page, the API, and a form with its token, as the browser of `client`."""
    client.base_url = web.url
    me = client.get("/api/v1/me/")
    form = client.post("/language/", data={"language": "de", "csrfmiddlewaretoken": client.cookies["csrf"]})
    return [me.status_code, client.get("/accounts/password/change/").status_code, form.status_code]


def test_the_cookie_key_changes_without_a_failed_request(transactional_db: None) -> None:
    member = MemberFactory(role="owner")
    answers: list[list[int]] = []
    with ExitStack() as running:
        before = running.enter_context(stage(0))
        client = running.enter_context(closing(sign_in(before, member)))
        idle = running.enter_context(
            closing(sign_in(before, member))
        )  # comes back only after the old key is gone
        for number in (1, 2, 3):
            after = running.enter_context(stage(number))
            for _ in range(5):  # a load balancer sends one browser here and there
                answers += [use(before, client), use(after, client)]
            before.stop()
            before = after
        assert {tuple(codes) for codes in answers} == {(200, 200, 302)}, answers
        assert (
            use(before, idle)[0] == 401
        )  # the control: what only the old key signed is worth nothing any more
