"""Async views: the same checks, remembered for a moment, forgotten at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils import timezone

from apps.accounts.middleware import organization as organization_middleware
from apps.accounts.models import ApiKey, Member
from apps.accounts.services import principal_cache
from apps.accounts.services.requests import async_principal
from apps.core import tenancy
from apps.core.errors import DomainError
from apps.core.events.publishing import publish_ephemeral
from apps.core.realtime.hub import get_hub
from apps.core.threads import in_thread
from tests.accounts.sessions import open_session
from tests.factories.accounts import Key, MemberFactory, api_key
from tests.walls import everywhere

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = "a" * 32


@pytest.fixture
async def hub() -> AsyncIterator[Any]:
    """The hub of this test's event loop."""
    found = await get_hub()
    yield found
    await found.stop()


async def seen(request: HttpRequest) -> HttpResponse:
    """Say who acts and for which organization, or why not."""
    try:
        principal = await async_principal(request)
    except DomainError as error:
        return HttpResponse(error.code, status=error.status)
    return HttpResponse(f"{principal.member_id} {tenancy.current()}")


async def ask(
    headers: dict[str, str], method: str = "GET", cookies: dict[str, str] | None = None
) -> HttpResponse:
    """Send a request through the middleware to an async view."""
    request = RequestFactory().generic(method, "/api/v1/x/", headers=headers)
    request.COOKIES.update(cookies or {})
    response: HttpResponse = await organization_middleware(seen)(request)
    return response


async def make() -> tuple[Member, Key]:
    """Make a member with a key."""

    def work() -> tuple[Member, Key]:
        member = MemberFactory()
        return member, api_key(member)

    return await in_thread(work)


def revoke_elsewhere(member: Member, key: Key) -> None:
    """Do what another process does: change the row, publish what ended."""
    with everywhere():
        ApiKey.objects.filter(pk=key.row.pk).update(revoked_at=timezone.now())
    told = {"organization": member.organization_id, "principal": member.user_id, "session": str(key.row.pk)}
    publish_ephemeral(principal_cache.CHANNEL, orjson.dumps(told))


async def test_a_key_opens_the_organization_for_the_view_only(hub: Any) -> None:
    member, key = await make()
    response = await ask({"Authorization": f"Bearer {key.secret}"})
    assert response.content.decode() == f"{member.pk} {member.organization_id}"
    assert tenancy.find_current() is None


async def test_visitors_and_wrong_keys_are_refused(hub: Any) -> None:
    for headers in ({}, {"Authorization": "Bearer ck_wrong"}):
        response = await ask(headers)
        assert (response.status_code, response.content) == (401, b"core.not_signed_in")


async def test_the_second_request_asks_no_database(hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    member, key = await make()
    headers = {"Authorization": f"Bearer {key.secret}"}
    await ask(headers)
    monkeypatch.setattr("apps.accounts.services.authentication.authenticate", None)
    response = await ask(headers)
    assert response.content.decode() == f"{member.pk} {member.organization_id}"


async def test_a_revocation_in_another_process_is_heard(hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    heard, taken = asyncio.Event(), principal_cache.on_frame

    def take(payload: bytes) -> None:
        taken(payload)
        heard.set()

    monkeypatch.setattr(principal_cache, "on_frame", take)
    member, key = await make()
    headers = {"Authorization": f"Bearer {key.secret}"}
    assert (await ask(headers)).status_code == 200
    await in_thread(revoke_elsewhere, member, key)
    await asyncio.wait_for(heard.wait(), timeout=1)
    assert (await ask(headers)).status_code == 401


@pytest.mark.parametrize("by", ["nothing", "header"])
async def test_a_browsers_write_needs_the_token_of_its_page(hub: Any, by: str) -> None:
    member, _ = await make()
    session = await in_thread(open_session, member.user)
    cookies = {settings.SESSION_COOKIE_NAME: session, settings.CSRF_COOKIE_NAME: TOKEN}
    headers: dict[str, dict[str, str]] = {"nothing": {}, "header": {"X-CSRFToken": TOKEN}}
    read = await ask({}, cookies=cookies)
    written = await ask(headers[by], "POST", cookies)
    assert read.status_code == 200
    assert written.status_code == {"nothing": 403, "header": 200}[by]


async def test_a_program_needs_no_token(hub: Any) -> None:
    _, key = await make()
    assert (await ask({"Authorization": f"Bearer {key.secret}"}, "POST")).status_code == 200


async def test_nothing_is_answered_from_memory_while_the_hub_has_no_redis(hub: Any) -> None:
    _, key = await make()
    headers = {"Authorization": f"Bearer {key.secret}"}
    assert (await ask(headers)).status_code == 200
    hub._subscription.close()
    await asyncio.wait_for(hub._lost.wait(), timeout=2)
    assert principal_cache.find(next(iter(principal_cache._entries))) is None
