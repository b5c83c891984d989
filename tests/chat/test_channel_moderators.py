"""Who moderates one channel sees and decides its reports in the chat; a report always finds somebody who may."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import pytest
from lxml import html

from apps.accounts.selectors.principals import principal_of_member
from apps.accounts.services.groups import add_people, create_group
from apps.accounts.services.scoped_roles import give_group_role, give_scoped_role
from apps.accounts.types import Principal
from apps.chat.models import Report
from apps.chat.selectors import reported
from apps.chat.selectors.conversations import get_conversation
from apps.chat.services import moderation, notifying
from apps.chat.types import ReportReason, ReportState, SentMessage
from apps.notify.models import Notification
from apps.notify.selectors.notifications import list_page
from tests.chat.test_pages import Reader
from tests.chat.world import World


@dataclass
class Channel:
    """A channel with who moderates it alone, two members, and another channel that she does not moderate."""

    world: World
    owner: Principal
    mona: Reader
    ada: Reader
    ben: Principal
    here: UUID
    there: UUID

    def report(self, sent: SentMessage, by: Principal | None = None) -> UUID:
        """Report a message, and let the consumer run."""
        reporter = by or self.ada.person
        made = moderation.report_message(principal=reporter, message_id=sent.id, reason=ReportReason.SPAM)
        notifying.tell_of_report(message_id=sent.id, reporter_id=reporter.id)
        return made


@pytest.fixture
def channel(world: World) -> Channel:
    owner, mona = world.person("Olga", role="owner"), world.person("Mona")
    ada, ben = world.person("Ada"), world.person("Ben")
    here, there = (world.channel(owner, name, [mona, ada, ben]) for name in ("werft", "hafen"))
    give_scoped_role(
        principal=owner,
        member_id=mona.member_id,
        role="moderator",
        scope_id=get_conversation(owner, here).scope,
    )
    return Channel(world, owner, Reader(mona), Reader(ada), ben, here, there)


def bell(person: Principal) -> list[tuple[str, str]]:
    """Return titles and addresses of what the person is told, with the rights it has now."""
    now = principal_of_member(organization_id=person.organization_id, user_id=person.id)
    return [(view.described.title, view.described.url) for view in list_page(now).rows]


def links(reader: Reader, address: str, name: str) -> list[html.HtmlElement]:
    """Return the links on a page that lead to another."""
    found: list[html.HtmlElement] = reader.page(address).xpath(f'//a[@href="{reader.url(name)}"]')
    return found


def test_reports_of_the_own_channel_are_seen_and_decided_in_the_chat(channel: Channel) -> None:
    made = channel.report(channel.world.say(channel.ben, channel.here, "Buy my boat"))
    channel.report(channel.world.say(channel.ben, channel.there, "Buy my car"))
    mona = channel.mona
    address = mona.url("reported", report_id=made)
    assert bell(mona.person) == [("A message was reported", address)]
    (link,) = links(mona, mona.url("drafts"), "reports")
    assert "1" in link.text_content()
    page = mona.page(mona.url("reports"))
    assert page.xpath("//td//a/@href") == [address]
    assert page.xpath("//blockquote") == []
    assert mona.page(address).xpath("//blockquote")[0].text_content().strip() == "Buy my boat"
    decided = mona.client.post(mona.url("decide_report", report_id=made), {"decision": "removed"})
    assert (decided.status_code, decided.headers["Location"]) == (302, mona.url("reports"))
    assert Report.objects.get(pk=made).state == ReportState.REMOVED
    assert bell(mona.person) == []


def test_it_hides_a_message_until_it_is_decided(channel: Channel) -> None:
    made = channel.report(channel.world.say(channel.ben, channel.here, "Buy my boat"))
    mona = channel.mona
    mona.client.post(mona.url("hide_reported", report_id=made))
    assert "Hidden until somebody decides" in mona.page(mona.url("reported", report_id=made)).text_content()


def test_reports_elsewhere_are_not_there_for_who_moderates_another_channel(channel: Channel) -> None:
    made = channel.report(channel.world.say(channel.ben, channel.there, "Buy my boat"))
    mona = channel.mona
    assert bell(mona.person) == []
    assert mona.client.get(mona.url("reported", report_id=made)).status_code == 404
    for name in ("decide_report", "hide_reported"):
        answer = mona.client.post(mona.url(name, report_id=made), {"decision": "dismissed"})
        assert answer.status_code == 404
    assert Report.objects.get(pk=made).state == ReportState.OPEN


def test_who_moderates_nothing_has_no_such_page(channel: Channel) -> None:
    ada = channel.ada
    assert ada.client.get(ada.url("reports")).status_code == 404
    assert links(ada, ada.url("drafts"), "reports") == []


def test_a_group_that_moderates_a_channel_is_told(channel: Channel) -> None:
    owner = channel.owner
    group = create_group(principal=owner, name="Wachen")
    add_people(principal=owner, group_id=group, people=[channel.ben.id])
    scope = get_conversation(owner, channel.there).scope
    give_group_role(principal=owner, group_id=group, role="moderator", scope_id=scope)
    sent = channel.world.say(channel.mona.person, channel.there, "Buy my boat")
    made = channel.report(sent)
    assert set(reported.who_decides(sent.id)) == {owner.id, channel.ben.id}
    assert bell(channel.ben) == [("A message was reported", channel.mona.url("reported", report_id=made))]


def test_her_own_message_goes_to_those_who_moderate_everywhere(channel: Channel) -> None:
    made = channel.report(channel.world.say(channel.mona.person, channel.here, "You are all fools"))
    mona = channel.mona
    assert bell(mona.person) == []
    assert mona.client.get(mona.url("reported", report_id=made)).status_code == 404
    assert bell(channel.owner) == [
        ("A message was reported", f"/o/{channel.world.organization.slug}/console/reports/{made}/")
    ]


def test_where_only_the_author_may_decide_those_who_give_roles_are_told(channel: Channel) -> None:
    manager = channel.world.role_of("Pia", {"member.manage", "console.view"})
    channel.report(channel.world.say(channel.owner, channel.there, "You are all fools"))
    assert bell(channel.owner) == []
    ((title, url),) = bell(manager)
    assert title == "A report waits, and nobody may decide about it"
    assert url == f"/o/{channel.world.organization.slug}/console/people/"


def test_who_reports_hears_that_only_the_author_could_decide(channel: Channel) -> None:
    sent = channel.world.say(channel.owner, channel.there, "You are all fools")
    ada = channel.ada
    address = ada.url("report", conversation_id=channel.there, message_id=sent.id)
    page = ada.client.post(address, {"reason": "harassment"}, follow=True)
    assert "Only the author could decide about it now" in page.content.decode()
    assert not Notification.objects.exists()
