"""What a person hears of one thread: every reply, only mentions, nothing; on all its devices, and with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.urls import reverse
from lxml import html

from apps.accounts.models import User
from apps.accounts.types import Principal
from apps.chat.models import ThreadFollow, Topic
from apps.chat.selectors.threads import inbox, is_followed, standing_level
from apps.chat.services import threads, topics
from apps.chat.services.conversations import open_direct
from apps.chat.services.members import set_preferences
from apps.core.data_subjects import Person
from apps.core.models import Event
from apps.notify.errors import SubjectInvalid
from apps.notify.selectors.levels import list_levels
from apps.notify.selectors.notifications import list_page
from apps.notify.selectors.personal import export_wishes
from apps.notify.services import preferences
from apps.notify.services.erasing import erase_wishes_of
from tests.accounts.sessions import open_session
from tests.chat.test_threads import heard
from tests.chat.world import World
from tests.notify.telling import levels_told, mention, told
from tests.notify.test_api import program


@dataclass
class Talk:
    """A thread in a channel of Ada and Ben, begun by Ben."""

    world: World
    ada: Principal
    ben: Principal
    channel: UUID
    root: UUID

    @property
    def place(self) -> str:
        return f"thread:{self.root}"

    def want(self, level: str) -> None:
        preferences.set_level(self.ben, place=self.place, level=level)

    def reply(self, body: str = "reply", who: Principal | None = None) -> UUID:
        return self.world.say(who or self.ada, self.channel, body, thread=self.root).id

    def why_not(self) -> list[str]:
        return [view.row.held_by for view in list_page(self.ben, state="held").rows]


@pytest.fixture
def talk(world: World) -> Talk:
    ada, ben = world.person("Ada"), world.person("Ben")
    channel = world.channel(ada, "allgemein", [ben])
    return Talk(world, ada, ben, channel, world.say(ben, channel, "who comes?").id)


def test_only_mentions_leaves_out_replies_and_says_so(talk: Talk) -> None:
    talk.want("mentions")
    assert told(talk.reply()) == {}
    assert talk.why_not() == ["only_mentions"]
    assert told(talk.reply(mention(talk.ben))) == {talk.ben.id: "mention"}
    assert told(talk.world.say(talk.ada, talk.channel, mention(talk.ben)).id) == {talk.ben.id: "mention"}


def test_nothing_leaves_out_even_mentions_and_says_so(talk: Talk) -> None:
    talk.want("nothing")
    assert told(talk.reply(mention(talk.ben))) == {}
    assert talk.why_not() == ["thread_muted"]
    assert told(talk.world.say(talk.ada, talk.channel, mention(talk.ben)).id) == {talk.ben.id: "mention"}


def test_a_thread_is_nearer_than_a_conversation_that_is_muted_or_heard_all_of(talk: Talk) -> None:
    set_preferences(principal=talk.ben, conversation_id=talk.channel, is_muted=True)
    assert told(talk.reply()) == {}
    talk.want("all")
    assert told(talk.reply()) == {talk.ben.id: "followed_thread"}
    set_preferences(principal=talk.ben, conversation_id=talk.channel, is_muted=False)
    preferences.set_level(talk.ben, place=f"conversation:{talk.channel}", level="all")
    talk.want("mentions")
    assert told(talk.reply()) == {}


def test_only_mentions_holds_in_a_group_too(world: World) -> None:
    ada, ben, eve = world.person("Ada"), world.person("Ben"), world.person("Eve")
    group = open_direct(principal=ada, people=[ben.id, eve.id])
    root = world.say(ada, group, "root").id
    preferences.set_level(ben, place=f"thread:{root}", level="mentions")
    assert told(world.say(ada, group, "reply", thread=root).id) == {eve.id: "direct"}
    assert standing_level(eve, root) == "all"


def test_a_level_follows_or_leaves_and_following_or_leaving_ends_a_level_that_says_otherwise(
    talk: Talk,
) -> None:
    talk.reply()
    heard()
    assert [entry.root.id for entry in inbox(talk.ben)] == [talk.root]
    for level, follows in (("nothing", False), ("all", True), ("mentions", False), ("", False)):
        talk.want(level)
        assert is_followed(talk.ben, talk.root) is follows
    talk.want("all")
    threads.set_followed(principal=talk.ben, message_id=talk.root, is_followed=False)
    assert list_levels(talk.ben) == {}
    assert told(talk.reply()) == {}
    talk.want("nothing")
    threads.set_followed(principal=talk.ben, message_id=talk.root, is_followed=True)
    assert list_levels(talk.ben) == {}
    assert told(talk.reply()) == {talk.ben.id: "followed_thread"}


def test_a_reply_of_ones_own_brings_nobody_back_who_wants_to_hear_less(talk: Talk) -> None:
    talk.want("mentions")
    talk.reply("mine", talk.ben)
    heard()
    assert not is_followed(talk.ben, talk.root)
    talk.want("")
    talk.reply("mine again", talk.ben)
    heard()
    assert is_followed(talk.ben, talk.root)


def test_what_devices_were_told_equals_a_fresh_look(talk: Talk) -> None:
    shown = {
        "level": list_levels(talk.ben).get(talk.place, ""),
        "is_followed": is_followed(talk.ben, talk.root),
    }
    for level in ("all", "nothing", "mentions", "all", ""):
        talk.want(level)
    threads.set_followed(principal=talk.ben, message_id=talk.root, is_followed=False)
    talk.want("all")
    threads.set_followed(principal=talk.ben, message_id=talk.root, is_followed=False)
    known = {"notification.level_changed": "level", "thread.follow_changed": "is_followed"}
    own = Event.objects.filter(stream_id=talk.ben.member_id, type__in=known).order_by("sequence")
    for kind, payload in own.values_list("type", "payload"):
        shown[known[kind]] = payload[known[kind]]
    fresh = {
        "level": list_levels(talk.ben).get(talk.place, ""),
        "is_followed": is_followed(talk.ben, talk.root),
    }
    assert shown == fresh == {"level": "", "is_followed": False}


def test_a_reply_is_no_thread_and_what_is_not_seen_is_none(talk: Talk) -> None:
    reply, eve = talk.reply(), talk.world.person("Eve")
    secret = talk.world.channel(talk.ada, "geheim", is_private=True)
    hidden = talk.world.say(talk.ada, secret).id
    for who, pk in ((talk.ben, reply), (eve, hidden)):
        with pytest.raises(SubjectInvalid):
            preferences.set_level(who, place=f"thread:{pk}", level="all")
    assert (levels_told(talk.ben), levels_told(eve)) == ([], [])
    assert not ThreadFollow.objects.filter(principal_id__in=[talk.ben.id, eve.id]).exists()


def test_the_door_of_the_api_follows_the_thread(talk: Talk) -> None:
    api = program(talk.ben)
    levels = "me/notification-preferences/levels/"
    assert api._send("put", levels, {"place": talk.place, "level": "all"}).status_code == 204
    assert api.get("me/notification-preferences/").json()["levels"] == {talk.place: "all"}
    assert is_followed(talk.ben, talk.root)
    refused = api._send("put", levels, {"place": talk.place, "level": "loud"})
    assert (refused.status_code, list_levels(talk.ben)) == (400, {talk.place: "all"})


def test_the_export_holds_it_and_an_erasure_ends_it(talk: Talk) -> None:
    talk.want("mentions")
    person = Person(
        organization_id=talk.ben.organization_id, id=talk.ben.id, member_id=talk.ben.member_id, name="Ben",
        email="ben@example.org", placeholder_id=uuid4(), placeholder_member_id=uuid4(), leaves_for_good=True,
    )  # fmt: skip
    assert list(export_wishes(person)) == [{"place": talk.place, "level": "mentions"}]
    erase_wishes_of(person, None)
    assert list(export_wishes(person)) == []


def test_one_control_shows_what_is_heard_and_its_dialog_what_holds(talk: Talk) -> None:
    client = Client()
    client.cookies["session"] = open_session(User.objects.get(pk=talk.ben.id))
    slug = talk.ben.organization_slug
    panel = reverse(
        "chat:thread", kwargs={"slug": slug, "conversation_id": talk.channel, "message_id": talk.root}
    )
    dialog = reverse("notify:place", kwargs={"slug": slug}) + f"?place={talk.place}"

    def drawn() -> tuple[str, str]:
        (control,) = html.fromstring(client.get(panel).content).xpath("//*[@data-thread-level]")
        chosen = html.fromstring(client.get(dialog).content).xpath("//input[@name='level'][@checked]/@value")
        return control.text_content().strip(), ",".join(chosen)

    assert drawn() == ("Not following", "mentions")
    threads.set_followed(principal=talk.ben, message_id=talk.root, is_followed=True)
    assert drawn() == ("Following", "all")
    seen = []
    for level in ("all", "mentions", "nothing"):
        talk.want(level)
        seen.append(drawn())
    assert seen == [("Following", "all"), ("Only mentions", "mentions"), ("Muted", "nothing")]


def test_a_followed_topic_tells_of_its_messages_and_says_why(talk: Talk) -> None:
    first = talk.world.say(talk.ada, talk.channel, "first", topic="Wind")
    assert told(first.id) == {}
    topics.set_level(principal=talk.ben, topic_id=Topic.objects.get().pk, level="followed")
    again = talk.world.say(talk.ada, talk.channel, "second", topic="Wind")
    assert told(again.id) == {talk.ben.id: "followed_topic"}
