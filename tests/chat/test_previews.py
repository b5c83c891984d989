"""Link previews: looked at once after the commit, through the safe fetcher; off by a switch, removed by hand."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from apps.accounts.errors import PermissionMissing
from apps.accounts.types import Principal
from apps.chat.errors import MessageNotFound, NotTheAuthor
from apps.chat.models import LinkPreview, MessagePreview
from apps.chat.rendering.pages import summary_of
from apps.chat.selectors.messages import get_message
from apps.chat.services import members, messages, policy, previews
from apps.core.models import AuditEntry, Event
from apps.core.outbound import fetching
from apps.core.outbound.errors import AddressNotAllowed
from apps.core.outbound.types import Fetch, Fetched
from apps.runs.models import Run
from tests.chat.test_api import caller_of
from tests.chat.world import World

PAGE = (
    "<html><head><title>Old</title><meta property='og:title' content='The &lt;b&gt; crane'>"
    "<meta name='description' content='  It\n lifts. '><meta property='og:site_name' content='Harbour'></head></html>"
)


@pytest.fixture
def ada(world: World) -> Principal:
    return world.person("Ada")


@pytest.fixture
def channel(world: World, ada: Principal) -> UUID:
    return world.channel(ada, "allgemein", [world.person("Ben")])


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Fetch]:
    """The internet: every page is the same, one host is not allowed."""
    seen: list[Fetch] = []

    def fetch(wanted: Fetch) -> Fetched:
        seen.append(wanted)
        if "inside" in wanted.url:
            raise AddressNotAllowed
        return Fetched(url=wanted.url, status=200, content_type="text/html", headers={}, body=PAGE.encode())

    monkeypatch.setattr(fetching, "fetch", fetch)
    return seen


def look(message_id: UUID, who: Principal) -> None:
    """What the consumer starts and the worker does."""
    previews.look_at_links(organization_id=who.organization_id, message_id=message_id)
    for pk in LinkPreview.objects.filter(fetched_at=None).values_list("pk", flat=True):
        previews.fetch_preview(organization_id=who.organization_id, preview_id=pk)


def shown(who: Principal, message_id: UUID) -> list[tuple[str, str, str]]:
    return [(one.title, one.description, one.site) for one in get_message(who, message_id).previews]


def test_a_page_says_what_it_is_as_plain_text() -> None:
    summary = summary_of(PAGE)
    assert (summary.title, summary.description, summary.site) == ("The <b> crane", "It lifts.", "Harbour")
    assert summary_of("<title>a\x00\u202eb</title>" + "x" * 400_000).title == "a b"
    assert len(summary_of(f"<title>{'t' * 999}</title>").title) == 200
    assert summary_of("no page at all").title == ""


def test_an_address_is_looked_at_once_for_all_its_messages(
    world: World, ada: Principal, channel: UUID, asked: list[Fetch]
) -> None:
    first = world.say(ada, channel, "see https://a.example/x and https://a.example/x")
    look(first.id, ada)
    second = world.say(ada, channel, "again https://a.example/x")
    look(second.id, ada)
    assert [one.url for one in asked] == ["https://a.example/x"]
    assert asked[0].purpose == "link_preview"
    for message in (first, second):
        assert shown(ada, message.id) == [("The <b> crane", "It lifts.", "Harbour")]
    assert Run.objects.filter(kind=previews.KIND).count() == 1
    told = (
        Event.objects.filter(stream_id=channel, type="message.previews_changed").order_by("-sequence").first()
    )
    assert told is not None
    view = get_message(ada, second.id).previews[0]
    assert told.payload["previews"] == [
        {
            "id": str(view.id),
            "url": view.url,
            "title": view.title,
            "description": view.description,
            "site": view.site,
        }
    ]


@pytest.mark.parametrize(
    "body", ["http://inside.example/", "no link", "mail a@b.example", "`https://a.example`"]
)
def test_what_is_no_link_or_not_allowed_has_no_preview(
    world: World, ada: Principal, channel: UUID, asked: list[Fetch], body: str
) -> None:
    sent = world.say(ada, channel, body)
    look(sent.id, ada)
    assert shown(ada, sent.id) == []
    assert not LinkPreview.objects.exclude(state="nothing").exists()


def test_three_links_are_enough_and_edits_change_them(
    world: World, ada: Principal, channel: UUID, asked: list[Fetch]
) -> None:
    sent = world.say(ada, channel, " ".join(f"https://{name}.example/" for name in "abcd"))
    look(sent.id, ada)
    assert len(shown(ada, sent.id)) == 3
    messages.edit_message(principal=ada, message_id=sent.id, body="https://b.example/ only")
    look(sent.id, ada)
    assert [one.url for one in get_message(ada, sent.id).previews] == ["https://b.example/"]
    messages.delete_message(principal=ada, message_id=sent.id)
    assert not MessagePreview.objects.exists()


def test_a_removed_preview_stays_away(
    world: World, ada: Principal, channel: UUID, asked: list[Fetch]
) -> None:
    sent = world.say(ada, channel, "https://a.example/")
    look(sent.id, ada)
    preview = LinkPreview.objects.get().pk
    ben, eve = world.person("Bea"), world.person("Eve")
    members.join(principal=ben, conversation_id=channel)
    with pytest.raises(NotTheAuthor):
        previews.hide_preview(principal=ben, message_id=sent.id, preview_id=preview)
    secret = world.say(ada, world.channel(ada, "geheim", is_private=True), "https://a.example/")
    with pytest.raises(MessageNotFound):
        previews.hide_preview(principal=eve, message_id=secret.id, preview_id=preview)
    previews.hide_preview(principal=ada, message_id=sent.id, preview_id=preview)
    messages.edit_message(principal=ada, message_id=sent.id, body="still https://a.example/")
    look(sent.id, ada)
    assert shown(ada, sent.id) == []


def test_an_organization_switches_it_off(
    world: World, ada: Principal, channel: UUID, asked: list[Fetch]
) -> None:
    with pytest.raises(PermissionMissing):
        policy.change_rules(principal=ada, link_previews=False)
    policy.change_rules(principal=world.person("Olga", role="owner"), link_previews=False)
    sent = world.say(ada, channel, "https://a.example/")
    look(sent.id, ada)
    assert (asked, LinkPreview.objects.count()) == ([], 0)
    assert AuditEntry.objects.filter(action="messages.policy_changed").count() == 1


def test_the_api_removes_and_switches(
    world: World, ada: Principal, channel: UUID, asked: list[Fetch]
) -> None:
    sent = world.say(ada, channel, "https://a.example/")
    look(sent.id, ada)
    client, address = caller_of(ada), f"/api/v1/messages/{sent.id}/"
    (found,) = client.get(address).json()["previews"]
    assert client.delete(f"{address}previews/{found['id']}/").status_code == 204
    assert client.get(address).json()["previews"] == []
    assert client.get("/api/v1/message-policy/").json() == {"link_previews": True, "edit_minutes": None}
    refused: Any = client.put("/api/v1/message-policy/", {"link_previews": False}, "application/json")
    assert refused.status_code == 403
