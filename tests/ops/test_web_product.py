"""The product behind its real server: pages, static files, REST on threads and on the loop, and the closed socket."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
import websockets

from apps.accounts.types import Principal
from apps.chat.services import conversations
from apps.core import tenancy
from tests.accounts.sessions import open_session
from tests.core.web_process import WebProcess, web_process
from tests.factories.accounts import MemberFactory, api_key, principal_of

pytestmark = [pytest.mark.enable_socket, pytest.mark.timeout(180)]


@pytest.fixture
def web(transactional_db: None) -> Iterator[WebProcess]:
    with web_process(
        DJANGO_SETTINGS_MODULE="tests.ops.product_settings", CHATSYSTEM_PUBLIC_URL="http://127.0.0.1"
    ) as running:
        yield running


def channel_of(principal: Principal) -> str:
    with tenancy.use(principal.organization_id):
        return str(
            conversations.create_channel(
                principal=principal, name="Harbour", description="", is_private=False, people=()
            )
        )


def test_everything_answers(web):
    member = MemberFactory(role="owner")
    channel = channel_of(principal_of(member))
    key = {"Authorization": f"Bearer {api_key(member).secret}"}
    session = open_session(member.user)
    with web.client() as visitor, web.client() as caller, web.client() as browser:
        caller.headers.update(key)
        browser.cookies.set("session", session)

        page = visitor.get("/accounts/login/")
        assert page.status_code == 200
        assert "default-src 'none'" in page.headers["content-security-policy"]
        style = visitor.get("/static/css/base.css")
        assert (style.status_code, style.headers["x-content-type-options"]) == (200, "nosniff")
        assert visitor.get("/o/nowhere/").status_code == 302

        assert browser.get(f"/o/{member.organization.slug}/", follow_redirects=True).status_code == 200
        assert "swagger-ui-bundle.js" in browser.get("/api/v1/schema/swagger/").text
        assert visitor.get("/api/v1/schema/swagger/").status_code == 302

        document = caller.get("/api/v1/schema/")
        assert document.status_code == 200
        assert "/api/v1/conversations/{conversation_id}/messages/" in document.json()["paths"]
        assert caller.get("/api/v1/me/").status_code == 200

        hot = f"/api/v1/conversations/{channel}/messages/"
        sent = caller.post(hot, json={"body": "Hello", "client_key": "k1"})
        assert sent.status_code == 201, sent.text
        again = caller.post(hot, json={"body": "Hello", "client_key": "k1"})
        assert (again.status_code, again.json()["id"]) == (200, sent.json()["id"])
        listed = caller.get(hot)
        assert [message["id"] for message in listed.json()["messages"]] == [sent.json()["id"]]
        assert int(listed.headers["ratelimit-remaining"]) > 0
        assert visitor.get(hot).status_code == 401
        assert visitor.get(hot).json()["code"] == "core.not_signed_in"


def test_visitors_get_no_socket(web):
    async def knock() -> None:
        async with websockets.connect(f"ws://127.0.0.1:{web.port}/ws/v1/", open_timeout=50) as socket:
            await socket.recv()

    with pytest.raises((websockets.InvalidStatus, websockets.ConnectionClosed)):
        asyncio.run(knock())
