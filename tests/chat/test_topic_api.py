"""REST: topics, moving, read state, the directory."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from apps.chat.models import Message
from apps.chat.services import conversations
from tests.chat.test_api import caller_of
from tests.chat.test_topics import Scene
from tests.chat.world import World

JSON = "application/json"


@pytest.fixture
def scene(world: World) -> Scene:
    return Scene(world)


def call(client: Client, method: str, path: str, body: Any = None) -> Any:
    answer = getattr(client, method)(f"/api/v1/{path}", body, content_type=JSON)
    return answer.status_code, (answer.json() if answer.content else None)


def test_topics_are_listed_changed_and_merged(scene: Scene) -> None:
    scene.say(scene.ada, "Wind")
    scene.say(scene.ada, "Sturm")
    ada, ben = caller_of(scene.ada), caller_of(scene.ben)
    here = f"conversations/{scene.channel}/topics/"
    status, page = call(ben, "get", here)
    assert (status, [(row["name"], row["unread"]) for row in page["results"]]) == (
        200,
        [("Sturm", 1), ("Wind", 1)],
    )
    wind = page["results"][1]["id"]
    status, changed = call(ben, "patch", f"{here}{wind}/", {"level": "followed", "is_resolved": True})
    assert (status, changed["level"], changed["resolved_at"] is None) == (200, "followed", False)
    status, refused = call(ben, "patch", f"{here}{wind}/", {"name": "Brise"})
    assert (status, refused["code"]) == (403, "chat.not_yours_to_move")
    status, moved = call(ada, "post", f"{here}{wind}/merge/", {"into": page["results"][0]["id"]})
    assert (status, moved) == (200, {"moved": 1})
    assert scene.names() == ["Sturm"]
    eve = caller_of(scene.world.person("Eve"))
    conversations.update_conversation(principal=scene.ada, conversation_id=scene.channel, is_private=True)
    assert call(eve, "get", here)[0] == 404
    assert call(eve, "patch", f"{here}{scene.topic('Sturm')}/", {"level": "muted"})[0] == 404


@pytest.mark.django_db(transaction=True)
def test_messages_of_one_topic_are_a_page(scene: Scene) -> None:
    scene.say(scene.ada, "Wind")
    scene.say(scene.ada)
    client = caller_of(scene.ben)
    page = f"conversations/{scene.channel}/messages/?topic="
    for place, name in ((scene.topic("Wind"), "Wind"), (scene.channel, None)):
        status, found = call(client, "get", f"{page}{place}")
        topics = [message["topic"] and message["topic"]["name"] for message in found["messages"]]
        assert (status, topics) == (200, [name])


def test_counts_explanation_and_marker(scene: Scene) -> None:
    said = scene.say(scene.ada, "Wind", body="@Ben")
    client = caller_of(scene.ben)
    here = f"conversations/{scene.channel}"
    _, counts = call(client, "get", f"{here}/unread/")
    assert (counts["unread"], counts["counted"], counts["mentions"]) == (1, 1, 1)
    assert counts["topics"] == [{"place": str(scene.topic("Wind")), "unread": 1, "mentions": 1}]
    assert call(client, "get", "unread/") == (200, {"unread": 1, "mentions": 1})
    _, why = call(client, "get", f"unread/explanation/?conversation={scene.channel}")
    assert [(row["reason"], row["message"]["id"]) for row in why["messages"]] == [("mention", str(said))]
    read = {"sequence": counts["up_to"], "place": str(scene.topic("Wind"))}
    assert call(client, "put", f"{here}/read/", read)[0] == 200
    assert call(client, "get", "unread/") == (200, {"unread": 0, "mentions": 0})
    assert call(client, "put", f"{here}/read/", {"unread_from": str(said), "only_topic": True})[0] == 200
    assert call(client, "get", "unread/")[1]["unread"] == 1
    for wrong in (
        {},
        {"place": str(said)},
        {"sequence": 1, "unread_from": str(said)},
        {"sequence": 1, "only_topic": True},
    ):
        assert call(client, "put", f"{here}/read/", wrong)[0] == 400
    eve = caller_of(scene.world.person("Eve"))
    assert call(eve, "get", f"{here}/unread/")[0] == 404
    assert call(eve, "get", f"unread/explanation/?conversation={scene.channel}")[0] == 404


def test_a_message_moves(scene: Scene) -> None:
    said = scene.say(scene.ada, "Wind")
    client = caller_of(scene.ada)
    assert call(client, "post", f"messages/{said}/move/", {"topic": "Sturm"}) == (200, {"moved": 1})
    status, refused = call(client, "post", f"messages/{said}/move/", {"topic": "sturm"})
    assert (status, refused["code"]) == (409, "chat.nothing_to_move")
    assert call(client, "post", f"messages/{uuid4()}/move/", {"topic": "x"})[0] == 404
    assert call(caller_of(scene.ben), "post", f"messages/{said}/move/", {"topic": "x"})[0] == 403
    assert scene.names() == ["Sturm"]


def test_the_directory_is_not_for_guests(scene: Scene) -> None:
    status, page = call(caller_of(scene.ben), "get", "channels/?query=allgem")
    assert (status, [(row["name"], row["members"]) for row in page["results"]]) == (200, [("allgemein", 3)])
    assert call(caller_of(scene.world.person("Gast", role="guest")), "get", "channels/")[0] == 403


def test_who_posts_is_changed_by_managers_only(scene: Scene) -> None:
    here = f"conversations/{scene.channel}/"
    assert call(caller_of(scene.ben), "patch", here, {"who_posts": "announcers"})[0] == 403
    status, changed = call(
        caller_of(scene.ada), "patch", here, {"who_posts": "announcers", "takes_replies": False}
    )
    assert (status, changed["who_posts"], changed["takes_replies"]) == (200, "announcers", False)
    assert not Message.objects.exists()
