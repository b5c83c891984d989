"""Who is told of a message and why; what takes it back; that twice tells nobody twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.chat.services import acknowledging, messages, notifying, reading, reminders, threads
from apps.chat.services.members import remove_person, set_preferences
from apps.core.models import Event
from apps.notify.errors import SubjectInvalid
from apps.notify.models import Delivery, Notification
from apps.notify.selectors.levels import list_levels
from apps.notify.selectors.notifications import list_page, unread_count
from apps.notify.services import noticing, preferences
from tests.chat.world import World
from tests.notify.telling import levels_told, log_of, mention, told


def test_a_mention_tells_by_name_and_all_by_group(world: World) -> None:
    ada, ben, eve = world.person("Ada"), world.person("Ben"), world.person("Eve")
    channel = world.channel(ada, "allgemein", [ben, eve])
    sent = world.say(ada, channel, f"{mention(ben)} and @all")
    assert told(sent.id) == {ben.id: "mention", eve.id: "group_mention"}
    assert (unread_count(ben), unread_count(ada)) == (1, 0)


def test_a_second_run_tells_nobody_twice(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    sent = world.say(ada, world.channel(ada, "allgemein", [ben]), mention(ben))
    told(sent.id)
    before = (Notification.objects.count(), Delivery.objects.count(), Event.objects.count())
    told(sent.id)
    assert (Notification.objects.count(), Delivery.objects.count(), Event.objects.count()) == before


def test_direct_messages_threads_keywords_and_whole_conversations(world: World) -> None:
    ada, ben, eve, kim = (world.person(name) for name in ("Ada", "Ben", "Eve", "Kim"))
    channel = world.channel(ada, "allgemein", [ben, eve, kim])
    root = world.say(ben, channel, "who comes?")
    preferences.add_keyword(eve, word="Ferry")
    preferences.set_level(kim, place=f"conversation:{channel}", level="all")
    sent = world.say(ada, channel, "me, with the ferry.", thread=root.id)
    assert told(sent.id) == {ben.id: "followed_thread", eve.id: "keyword", kim.id: "conversation"}
    assert told(world.say(ada, channel, "the ferryman, too").id) == {kim.id: "conversation"}


def test_everything_everywhere_is_a_persons_or_an_organizations_wish(world: World) -> None:
    ada, ben, eve, olga = (world.person(name, role) for name, role in (
        ("Ada", "member"), ("Ben", "member"), ("Eve", "member"), ("Olga", "owner"),
    ))  # fmt: skip
    channel = world.channel(ada, "allgemein", [ben, eve])
    preferences.change(ben, level="all")
    assert told(world.say(ada, channel, "one").id) == {ben.id: "conversation"}
    preferences.set_standing(olga, level="all")
    preferences.set_level(ben, place=f"conversation:{channel}", level="mentions")
    assert told(world.say(ada, channel, "two").id) == {eve.id: "conversation"}
    assert not Notification.objects.exclude(held_by="").exists()


def test_an_answer_reads_what_it_answers(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    sent = world.say(ada, world.channel(ada, "allgemein", [ben]), mention(ben))
    told(sent.id)
    who = {"organization_id": ben.organization_id, "principal_id": ben.id, "subject": f"message:{sent.id}"}
    assert (noticing.read_subject(**who), noticing.read_subject(**who)) == (1, 0)
    assert unread_count(ben) == 0


def test_a_thread_that_was_left_is_silent_and_reading_one_reads_the_bell(world: World) -> None:
    ada, ben, eve = world.person("Ada"), world.person("Ben"), world.person("Eve")
    channel = world.channel(ada, "allgemein", [ben, eve])
    root = world.say(ben, channel, "who comes?")
    threads.set_followed(principal=eve, message_id=root.id, is_followed=True)
    first = world.say(ada, channel, "me", thread=root.id)
    assert told(first.id) == {ben.id: "followed_thread", eve.id: "followed_thread"}
    threads.mark_read(principal=eve, message_id=root.id, sequence=first.sequence)
    assert unread_count(eve) == 0
    threads.set_followed(principal=ben, message_id=root.id, is_followed=False)
    threads.set_followed(principal=eve, message_id=root.id, is_followed=False)
    assert told(world.say(ada, channel, "me again", thread=root.id).id) == {}


def test_an_urgent_message_is_urgent_until_it_is_acknowledged(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    sent = world.say(ada, world.channel(ada, "allgemein", [ben]), mention(ben), priority="urgent")
    told(sent.id)
    row = Notification.objects.get()
    assert (row.is_urgent, row.repeat_at is not None) == (True, True)
    acknowledging.acknowledge(principal=ben, message_id=sent.id)
    row.refresh_from_db()
    assert (row.repeat_at, unread_count(ben)) == (None, 0)


def test_a_reminder_rings_each_time_and_goes_with_it(world: World) -> None:
    ada = world.person("Ada")
    now = timezone.now()
    pk = reminders.remind(principal=ada, due_at=now + timedelta(hours=1), note="call Ben")
    for hours in (1, 1, 2):
        notifying.tell_of_reminder(
            reminder_id=pk, principal_id=ada.id, due_at=now + timedelta(hours=hours), message_id=None
        )
    assert [(view.described.title, view.described.text) for view in list_page(ada).rows] == [
        ("Reminder", "call Ben"),
        ("Reminder", "call Ben"),
    ]
    reminders.delete_reminder(principal=ada, reminder_id=pk)
    assert (unread_count(ada), list_page(ada).rows) == (0, [])


def test_a_reminder_of_a_deleted_message_says_so(world: World) -> None:
    ada = world.person("Ada")
    sent = world.say(ada, world.channel(ada, "allgemein"), "call Ben")
    soon = timezone.now() + timedelta(hours=1)
    of_message = reminders.remind(principal=ada, due_at=soon, message_id=sent.id)
    plain = reminders.remind(principal=ada, due_at=soon)
    for pk, message_id in ((of_message, sent.id), (plain, None)):
        notifying.tell_of_reminder(reminder_id=pk, principal_id=ada.id, due_at=soon, message_id=message_id)
    assert [view.described.text for view in list_page(ada).rows] == ["", "call Ben"]
    messages.delete_message(principal=ada, message_id=sent.id)
    assert [view.described.text for view in list_page(ada).rows] == ["", "Its message is gone."]


def test_nobody_outside_hears_a_keyword(world: World) -> None:
    ada, eve = world.person("Ada"), world.person("Eve")
    preferences.add_keyword(eve, word="ferry")
    sent = world.say(ada, world.channel(ada, "geheim", is_private=True), "the ferry")
    assert told(sent.id) == {}


def test_a_level_of_nothing_holds_even_a_mention_and_says_so(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    channel = world.channel(ada, "allgemein", [ben])
    preferences.set_level(ben, place=f"conversation:{channel}", level="nothing")
    assert told(world.say(ada, channel, mention(ben)).id) == {}
    assert log_of(ben) == {"in_app": "level"}
    assert unread_count(ben) == 0
    assert [view.row.held_by for view in list_page(ben, state="held").rows] == ["level"]


def test_the_nearest_place_counts(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    channel = world.channel(ada, "allgemein", [ben])
    root = world.say(ben, channel, "root")
    preferences.set_level(ben, place=f"conversation:{channel}", level="all")
    preferences.set_level(ben, place=f"thread:{root.id}", level="nothing")
    assert told(world.say(ada, channel, "in it", thread=root.id).id) == {}
    assert told(world.say(ada, channel, "outside").id) == {ben.id: "conversation"}


def test_a_muted_conversation_lets_only_personal_ones_through(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    channel = world.channel(ada, "allgemein", [ben])
    set_preferences(principal=ben, conversation_id=channel, is_muted=True)
    assert told(world.say(ada, channel, "@all").id) == {}
    assert told(world.say(ada, channel, mention(ben)).id) == {ben.id: "mention"}


def test_an_edit_that_adds_a_mention_tells_and_one_that_removes_it_takes_it_back(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    channel = world.channel(ada, "allgemein", [ben])
    sent = world.say(ada, channel, "hello")
    assert told(sent.id) == {}
    reading.move_marker(principal=ben, conversation_id=channel, sequence=sent.sequence)
    messages.edit_message(principal=ada, message_id=sent.id, body=mention(ben))
    notifying.tell_of_edit(sent.id)
    assert unread_count(ben) == 1
    messages.edit_message(principal=ada, message_id=sent.id, body="never mind")
    notifying.tell_of_edit(sent.id)
    assert unread_count(ben) == 0
    assert log_of(ben)["mail"] == "gone"
    messages.edit_message(principal=ada, message_id=sent.id, body=f"{mention(ben)} after all")
    notifying.tell_of_edit(sent.id)
    assert unread_count(ben) == 1
    assert log_of(ben)["mail"] == "waiting"


def test_reading_the_conversation_reads_the_bell_and_stops_the_mail(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    channel = world.channel(ada, "allgemein", [ben])
    first, second = world.say(ada, channel, mention(ben)), world.say(ada, channel, mention(ben))
    told(first.id)
    told(second.id)
    reading.move_marker(principal=ben, conversation_id=channel, sequence=first.sequence)
    assert unread_count(ben) == 1
    assert list(Delivery.objects.filter(channel="mail").order_by("pk").values_list("outcome", flat=True)) == [
        "read",
        "",
    ]


def test_who_has_read_it_already_is_told_nothing(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    channel = world.channel(ada, "allgemein", [ben])
    sent = world.say(ada, channel, mention(ben))
    reading.move_marker(principal=ben, conversation_id=channel, sequence=sent.sequence)
    assert told(sent.id) == {}


def test_a_deleted_message_is_taken_back_everywhere(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    sent = world.say(ada, world.channel(ada, "allgemein", [ben]), mention(ben))
    told(sent.id)
    messages.delete_message(principal=ada, message_id=sent.id)
    assert unread_count(ben) == 0
    assert list_page(ben).rows == []
    assert log_of(ben)["mail"] == "gone"
    assert told(sent.id) == {}


def test_whoever_leaves_is_told_no_more(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    channel = world.channel(ada, "geheim", [ben], is_private=True)
    told(world.say(ada, channel, mention(ben)).id)
    remove_person(principal=ada, conversation_id=channel, person_id=ben.id)
    assert unread_count(ben) == 0
    assert list_page(ben).rows == []


def test_agents_are_not_told(world: World) -> None:
    ada, bot = world.person("Ada"), world.person("Bot", kind="agent")
    sent = world.say(ada, world.channel(ada, "allgemein", [bot]), mention(bot))
    assert told(sent.id) == {}
    assert not Notification.objects.exists()


def test_snapshot_and_event_equal_a_fresh_snapshot(world: World) -> None:
    """The count an event carries is what a fresh page counts."""
    ada, ben = world.person("Ada"), world.person("Ben")
    channel = world.channel(ada, "allgemein", [ben])
    for _ in range(2):
        told(world.say(ada, channel, mention(ben)).id)

    def last() -> Event:
        return Event.objects.filter(stream_id=ben.member_id).order_by("-sequence")[0]

    assert (last().type, last().payload["unread"]) == ("notification.added", unread_count(ben))
    assert last().payload["notification"] == str(list_page(ben).rows[0].id)
    for state in ("seen", "read", "unread"):
        noticing.mark(ben, notifications=None, state=state)
        assert (last().type, last().payload["state"]) == ("notification.changed", state)
        assert last().payload["unread"] == unread_count(ben)


@pytest.mark.parametrize("rows", [1, 20])
def test_the_list_costs_the_same_whatever_its_length(
    world: World, django_assert_num_queries: object, rows: int
) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    channel = world.channel(ada, "allgemein", [ben])
    for _ in range(rows):
        told(world.say(ada, channel, mention(ben)).id)
    with django_assert_num_queries(3):  # type: ignore[operator]  # rows; messages; their senders
        assert len(list_page(ben).rows) == rows


def test_telling_many_costs_what_telling_one_costs(world: World, django_assert_num_queries: object) -> None:
    ada = world.person("Ada")
    crowd = [world.person(f"Person {number}") for number in range(12)]
    sent = world.say(ada, world.channel(ada, "allgemein", crowd), "@all", confirm_mass_mention=True)
    with django_assert_num_queries(14):  # type: ignore[operator]  # a mass mention of thousands is one such batch, too
        notifying.tell_of(sent.id)
    assert Notification.objects.count() == len(crowd)


def test_levels_and_what_was_told_since_equal_fresh_levels(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    channel = world.channel(ada, "allgemein", [ben])
    other = world.channel(ada, "hafen", [ben])
    root = world.say(ada, channel, "root")
    preferences.set_level(ben, place=f"conversation:{channel}", level="nothing")
    shown, before = list_levels(ben), levels_told(ben)
    for place, level in (
        (f"conversation:{channel}", "all"),
        (f"conversation:{channel}", "all"),
        (f"thread:{root.id}", "mentions"),
        (f"conversation:{other}", "nothing"),
        (f"conversation:{channel}", ""),
        (f"conversation:{channel}", ""),
    ):
        preferences.set_level(ben, place=place, level=level)
    since = levels_told(ben)[len(before) :]
    for told_of in since:
        shown[told_of["place"]] = told_of["level"]
    assert {place: level for place, level in shown.items() if level} == list_levels(ben)
    assert len(since) == 4  # what changes nothing is told to nobody
    assert not levels_told(ada)


def test_a_level_that_is_refused_is_told_to_nobody(world: World) -> None:
    closed = world.channel(world.person("Ada"), "geheim", is_private=True)
    eve = world.person("Eve")
    with pytest.raises(SubjectInvalid):
        preferences.set_level(eve, place=f"conversation:{closed}", level="all")
    assert (list_levels(eve), levels_told(eve)) == ({}, [])
