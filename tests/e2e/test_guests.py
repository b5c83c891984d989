"""A guest sees its own conversations only: not in the list, not in search, not by address."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

from tests.e2e.conftest import Stack
from tests.e2e.tour import keep
from tests.e2e.visitor import Visitor

Visit = Callable[..., Visitor]
SECRET = "Tresorkombination"


def test_a_guest_does_not_see_a_private_channel_anywhere(visit: Visit) -> None:
    maren, erik = visit("Maren"), visit("Erik")
    maren.page.goto("/o/nordlicht/channels/new/")
    maren.page.fill('[name="name"]', "vertraulich")
    maren.page.locator("#main .check").check()
    maren.page.locator("#main button[type=submit]").click()
    expect(maren.page.locator("[data-conversation-name]")).to_have_text("vertraulich")
    maren.write(f"Die {SECRET} liegt im Safe")
    address = maren.page.url

    expect(maren.find(SECRET)).to_have_count(1)

    erik.page.goto("/o/nordlicht/")
    expect(erik.page.locator("#list")).to_be_visible()
    expect(erik.page.locator('.conv[data-name="vertraulich"]')).to_have_count(0)
    erik.page.goto(f"/o/nordlicht/search/?q={SECRET}")
    expect(erik.page.locator("#results-title")).to_be_attached()
    expect(erik.page.locator(".hit", has_text=SECRET)).to_have_count(0)
    expect(erik.page.locator(".hit", has_text="vertraulich")).to_have_count(0)
    erik.expected.append("404")
    answer = erik.page.goto(address)
    assert answer is not None
    assert answer.status == 404
    missing = erik.page.goto("/o/nordlicht/c/01a20b91-0000-7000-8000-000000000000/")
    assert missing is not None
    assert missing.status == 404
    assert "vertraulich" not in erik.page.content()


def test_a_guest_sees_when_its_access_ends(visit: Visit, stack: Stack) -> None:
    erik = visit("Erik", language="de-DE", theme="dark", width=360, height=740, is_phone=True)
    page = erik.page
    me = page.evaluate("JSON.parse(document.getElementById('page-data').textContent).me.member")
    answer = page.context.request.patch(
        f"/api/v1/members/{me}/",
        headers={"Authorization": f"Bearer {stack.person('Maren')['api_key']}"},
        data={"expires_at": (datetime.now(UTC) + timedelta(days=30)).isoformat()},
    )
    assert answer.ok, answer.text()
    page.goto("/o/nordlicht/settings/")
    expect(page.locator("#profile .notice")).to_contain_text("Ihr Zugang als Gast endet")
    assert erik.look() == erik.audit() == []
    keep(page, "guest-end")
