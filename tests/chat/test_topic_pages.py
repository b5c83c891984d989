"""Pages of topics, announcements, the directory, roles in a channel, and why something is unread."""

from __future__ import annotations

import pytest

from apps.accounts.selectors.groups import get_group
from apps.accounts.services import groups
from apps.chat.models import Message, Topic
from apps.chat.selectors import conversations as selectors
from apps.chat.selectors.channels import list_directory
from apps.chat.selectors.messages import get_message
from apps.chat.services import conversations, topics
from tests.chat.test_pages import Reader
from tests.chat.test_topics import Scene
from tests.chat.world import World


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world)


@pytest.fixture
def ada(scene: Scene) -> Reader:
    return Reader(scene.ada)


@pytest.fixture
def ben(scene: Scene) -> Reader:
    return Reader(scene.ben)


def test_a_message_is_sent_into_a_topic_and_read_there(scene: Scene, ada: Reader, ben: Reader) -> None:
    here = {"conversation_id": scene.channel}
    sent = {"body": "Wann fährt sie?", "client_key": "k", "topic": "Fähre"}
    assert ada.client.post(ada.url("send", **here), sent).status_code == 302
    scene.say(scene.ada, body="Moin")
    page = ben.page(ben.url("conversation", **here))
    heads = [name.text_content() for name in page.get_element_by_id("main").find_class("topic__name")]
    assert heads == ["Fähre", "General"]
    assert [link.get("title") for link in page.find_class("conv--topic")] == ["Fähre"]
    address = ben.url("conversation", **here)
    for place, said in ((scene.topic("Fähre"), "Wann fährt sie?"), ("general", "Moin")):
        main = ben.page(f"{address}?topic={place}").get_element_by_id("main")
        assert [text.text_content().strip() for text in main.find_class("message__text")] == [said]
    assert ben.client.get(f"{address}?topic={scene.channel}").status_code == 404
    assert ben.client.get(f"{address}?topic=x").status_code == 404


def test_a_topic_is_renamed_resolved_muted_and_merged(scene: Scene, ada: Reader) -> None:
    scene.say(scene.ada, "Wind")
    scene.say(scene.ada, "Sturm")
    which = {"conversation_id": scene.channel, "topic_id": scene.topic("Wind")}
    assert ada.page(ada.url("topics", conversation_id=scene.channel)).text_content().count("Sturm") >= 1
    assert ada.page(ada.url("topic", **which)).find_class("facts")
    assert ada.client.post(ada.url("topic", **which), {"name": "Brise"}).status_code == 302
    taken = ada.client.post(ada.url("topic", **which), {"name": "sturm"})
    assert taken.status_code == 422
    assert ada.client.post(ada.url("resolve_topic", **which), {"resolved": "1"}).status_code == 302
    assert ada.client.post(ada.url("topic_level", **which), {"level": "muted"}).status_code == 302
    assert ada.client.post(ada.url("topic_level", **which), {"level": "x"}).status_code == 400
    row = Topic.objects.get(pk=which["topic_id"])
    assert (row.name, row.resolved_by_id) == ("Brise", scene.ada.id)
    into = {"into": str(scene.topic("Sturm"))}
    assert ada.client.post(ada.url("merge_topic", **which), into).status_code == 302
    assert scene.names() == ["Sturm"]


def test_a_message_moves_and_its_old_address_leads_there(scene: Scene, ada: Reader) -> None:
    other = scene.world.channel(scene.ada, "technik")
    said = scene.say(scene.ada, "Wind")
    which = {"conversation_id": scene.channel, "message_id": said}
    assert ada.page(ada.url("move", **which)).xpath("//select[@name='conversation']")
    form = {"span": "message", "conversation": str(other), "topic": "Sturm"}
    assert ada.client.post(ada.url("move", **which), form).status_code == 302
    assert get_message(scene.ada, said).conversation == other
    old = ada.client.get(ada.url("message", **which))
    assert old["Location"] == ada.url("message", conversation_id=other, message_id=said)


def test_why_unread_lists_what_waits(scene: Scene, ben: Reader) -> None:
    scene.say(scene.ada, body="@Ben bitte")
    scene.say(scene.ada, "Wind", body="leise")
    topics.set_level(principal=scene.ben, topic_id=scene.topic("Wind"), level="muted")
    page = ben.page(f"{ben.url('why')}?conversation={scene.channel}")
    assert page.xpath("//li/@data-reason") == ["topic_muted", "mention"]
    assert "1 mention" in ben.page(ben.url("why")).text_content()
    assert ben.client.get(f"{ben.url('why')}?conversation=x").status_code == 404


def test_only_announcers_find_a_composer_in_an_announcement_channel(
    scene: Scene, ada: Reader, ben: Reader
) -> None:
    here = {"conversation_id": scene.channel}
    form = {"name": "allgemein", "description": "", "who_posts": "announcers", "takes_replies": "on"}
    assert ada.client.post(ada.url("about", **here), form).status_code == 302
    assert ada.page(ada.url("conversation", **here)).xpath("//form[@data-composer]")
    page = ben.page(ben.url("conversation", **here))
    assert not page.xpath("//form[@data-composer]")
    assert page.xpath("//*[@data-announcers]")
    refused = ben.client.post(ben.url("send", **here), {"body": "x", "client_key": "k"})
    assert refused.status_code == 403
    assert not Message.objects.exists()


def test_the_directory_finds_channels_by_words_and_archived_ones_apart(scene: Scene, ben: Reader) -> None:
    old = scene.world.channel(scene.ada, "altes Projekt")
    scene.world.channel(scene.ada, "geheim", is_private=True)
    conversations.update_conversation(principal=scene.ada, conversation_id=old, description="Fähre 2019")
    conversations.update_conversation(principal=scene.ada, conversation_id=old, is_archived=True)
    assert [row.name for row in list_directory(scene.ben)] == ["allgemein"]
    assert [row.name for row in list_directory(scene.ben, query="fähre alt", state="all")] == [
        "altes Projekt"
    ]
    page = ben.page(f"{ben.url('browse')}?state=archived")
    assert "altes Projekt" in page.text_content()
    assert "3 members" in ben.page(ben.url("browse")).text_content()
    guest = scene.world.person("Gast", role="guest")
    assert list_directory(guest, state="all") == []
    assert old not in {row.id for row in selectors.list_conversations(scene.ada)}


def test_a_group_becomes_a_channel_on_its_page(scene: Scene, ada: Reader) -> None:
    group = conversations.open_direct(principal=scene.ada, people=[scene.ben.id, scene.mod.id])
    where = ada.url("convert", conversation_id=group)
    assert ada.client.post(where, {"name": "#"}).status_code == 422
    assert ada.client.post(where, {"name": "Projekt"}).status_code == 302
    assert selectors.get_conversation(scene.ben, group).name == "Projekt"


def test_roles_in_a_channel_go_to_people_and_groups(scene: Scene) -> None:
    boss = Reader(scene.world.person("Boss", role="owner"))
    conversations.update_conversation(principal=scene.ada, conversation_id=scene.channel, is_private=False)
    made = groups.create_group(principal=boss.person, name="Leitung")
    here = boss.url("roles", conversation_id=scene.channel)
    assert boss.client.post(here, {"whose": f"group:{made}", "role": "moderator"}).status_code == 302
    page = boss.page(here)
    assert "Leitung" in page.text_content()
    (take,) = page.xpath("//button[contains(@formaction, '/end/')]/@formaction")
    assert boss.client.post(take).status_code == 302
    assert "Leitung" not in boss.page(here).find_class("tag")
    assert get_group(boss.person, made).members == 0
    assert Reader(scene.ben).client.get(here).status_code == 404


def test_a_guest_is_marked_beside_its_messages(scene: Scene, ada: Reader) -> None:
    guest = scene.world.person("Gast", role="guest")
    from apps.chat.services import members

    members.add_people(principal=scene.ada, conversation_id=scene.channel, people=[guest.id])
    scene.say(guest, body="Moin")
    page = ada.page(ada.url("conversation", conversation_id=scene.channel))
    (name,) = page.get_element_by_id("main").find_class("message__name")
    assert [tag.text_content() for tag in name.find_class("tag")] == ["Guest"]
