"""Who gets the right to moderate hears once how many reports wait there already."""

from __future__ import annotations

from uuid import UUID

import pytest

from apps.accounts.events import AccessChanged
from apps.accounts.selectors.principals import principal_of_member
from apps.accounts.services.members import change_role
from apps.accounts.services.scoped_roles import give_scoped_role
from apps.accounts.types import Principal
from apps.chat.handlers import tell_new_moderator
from apps.chat.selectors.conversations import get_conversation
from apps.chat.services import moderation, notifying
from apps.chat.types import ReportReason, ReportState
from apps.core.models import Event
from apps.notify.models import Notification
from apps.notify.selectors.notifications import list_page, unread_count
from tests.chat.world import World

TITLE = "You may decide about reports now"


@pytest.fixture
def owner(world: World) -> Principal:
    return world.person("Olga", role="owner")


def report(world: World, place: UUID, by: Principal, of: Principal) -> UUID:
    """Report a new message, and let the consumer run."""
    sent = world.say(of, place, "Buy my boat")
    made = moderation.report_message(principal=by, message_id=sent.id, reason=ReportReason.SPAM)
    notifying.tell_of_report(message_id=sent.id, reporter_id=by.id)
    return made


def hear(world: World, person: Principal) -> None:
    """Let the consumer hear twice of the last change of a person's rights."""
    row = Event.objects.filter(type=AccessChanged.type, stream_id=person.member_id).latest("id")
    assert row.payload["principal_id"] == str(person.id)
    for _ in range(2):
        tell_new_moderator(
            AccessChanged(
                organization_id=world.organization.pk,
                stream_id=person.member_id,
                principal_id=person.id,
                role=row.payload["role"],
            )
        )


def bell(person: Principal) -> list[tuple[str, str, str]]:
    """Return what the person is told, with the rights it has now."""
    now = principal_of_member(organization_id=person.organization_id, user_id=person.id)
    return [(view.described.title, view.described.text, view.described.url) for view in list_page(now).rows]


def test_a_new_moderator_hears_once_how_many_reports_wait(world: World, owner: Principal) -> None:
    rude, ada, mona = world.person("Rude"), world.person("Ada"), world.person("Mona")
    place = world.channel(rude, "open", [ada])
    made = [report(world, place, ada, rude) for _ in range(2)]
    change_role(principal=owner, member_id=mona.member_id, role="moderator")
    hear(world, mona)
    address = f"/o/{world.organization.slug}/console/reports/"
    assert bell(mona) == [(TITLE, "2 reported messages wait.", address)]
    assert unread_count(mona) == 1
    assert not Notification.objects.filter(kind="chat.waiting").exclude(recipient_id=mona.id).exists()
    for one in made:
        moderation.decide(principal=owner, report_id=one, decision=ReportState.DISMISSED)
    assert bell(mona) == [(TITLE, "None waits any more.", address)]


def test_who_loses_the_right_and_gets_it_again_hears_it_again(world: World, owner: Principal) -> None:
    rude, ada, mona = world.person("Rude"), world.person("Ada"), world.person("Mona")
    report(world, world.channel(rude, "open", [ada]), ada, rude)
    for role, told in (("moderator", 1), ("member", 0), ("moderator", 1)):
        change_role(principal=owner, member_id=mona.member_id, role=role)
        hear(world, mona)
        assert [title for title, _, _ in bell(mona)] == [TITLE] * told
        assert unread_count(mona) == told


def test_who_moderates_one_channel_hears_of_its_reports_alone(world: World, owner: Principal) -> None:
    rude, ada, mona = world.person("Rude"), world.person("Ada"), world.person("Mona")
    here, there, quiet = (world.channel(owner, name, [rude, ada, mona]) for name in ("a", "b", "c"))
    for place in (here, there, there):
        report(world, place, ada, rude)
    for place in (quiet, here, there):
        give_scoped_role(
            principal=owner, member_id=mona.member_id, role="moderator",
            scope_id=get_conversation(owner, place).scope,
        )  # fmt: skip
        hear(world, mona)
    address = f"/o/{world.organization.slug}/reports/"
    assert bell(mona) == [
        (TITLE, "2 reported messages wait.", address),
        (TITLE, "1 reported message waits.", address),
    ]


def test_who_moderated_before_or_finds_nothing_hears_nothing(world: World, owner: Principal) -> None:
    rude, ada, mona = world.person("Rude"), world.person("Ada"), world.person("Mona")
    change_role(principal=owner, member_id=mona.member_id, role="moderator")
    hear(world, mona)
    assert bell(mona) == []
    report(world, world.channel(rude, "open", [ada]), ada, rude)
    change_role(principal=owner, member_id=mona.member_id, role="admin")
    hear(world, mona)
    assert [title for title, _, _ in bell(mona)] == ["A message was reported"]
