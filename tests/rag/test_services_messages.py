"""Which messages share a chunk, and that nothing old stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from apps.chat.models import Message
from apps.chat.services import members
from apps.chat.services import messages as chat
from apps.rag.models import Chunk, ChunkMessage
from apps.rag.services.messages import MOST_MESSAGES
from tests.chat.world import World
from tests.rag.library import index_message

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def _bodies(conversation) -> list[str]:
    return list(
        Chunk.objects.filter(conversation_id=conversation)
        .order_by("content_time", "pk")
        .values_list("body", flat=True)
    )


@pytest.fixture
def talk(world: World):
    maren, priya = world.person("Maren"), world.person("Priya")
    channel = world.channel(maren, "betrieb", [priya])

    def say(sender, body: str, minutes: float = 0, **fields: object):
        sent = world.say(sender, channel, body, **fields)
        Message.objects.filter(pk=sent.id).update(sent_at=NOON + timedelta(minutes=minutes))
        index_message(world.organization.pk, channel, sent.id)
        return sent.id

    return world, maren, priya, channel, say


def test_short_messages_in_a_row_share_a_chunk(talk) -> None:
    _, maren, priya, channel, say = talk
    first = say(maren, "The crane is here.", 0)
    second = say(maren, "It stays until Friday.", 1)
    say(priya, "Good.", 2)
    say(maren, "Who unloads?", 3)
    assert _bodies(channel) == ["The crane is here.\nIt stays until Friday.", "Good.", "Who unloads?"]
    chunk = Chunk.objects.get(source_id=first)
    places = ChunkMessage.objects.filter(chunk=chunk).order_by("char_start")
    assert [(one.message_id, chunk.body[one.char_start : one.char_end]) for one in places] == [
        (first, "The crane is here."), (second, "It stays until Friday."),
    ]  # fmt: skip
    assert chunk.content_time == NOON


def test_a_pause_begins_a_new_chunk(talk) -> None:
    _, maren, _, channel, say = talk
    say(maren, "One.", 0)
    say(maren, "Two.", 6)
    assert _bodies(channel) == ["One.", "Two."]


def test_a_chunk_does_not_grow_without_end(talk) -> None:
    _, maren, _, channel, say = talk
    for number in range(MOST_MESSAGES + 1):
        say(maren, f"Line {number}.", number / 10)
    assert [body.count("\n") + 1 for body in _bodies(channel)] == [MOST_MESSAGES, 1]


def test_a_thread_is_a_talk_of_its_own(talk) -> None:
    _, maren, _, channel, say = talk
    root = say(maren, "Root.", 0)
    say(maren, "Reply.", 1, thread=root)
    say(maren, "Next.", 2)
    assert sorted(_bodies(channel)) == ["Reply.", "Root.\nNext."]


def test_indexing_twice_changes_nothing(talk) -> None:
    world, maren, _, channel, say = talk
    message = say(maren, "Once.", 0)
    before = list(Chunk.objects.values_list("pk", flat=True))
    assert index_message(world.organization.pk, channel, message) == 0
    assert list(Chunk.objects.values_list("pk", flat=True)) == before


def test_a_long_message_has_several_chunks_with_exact_places(talk) -> None:
    _, maren, _, _, say = talk
    body = " ".join(f"Sentence number {number} tells about valves." for number in range(80))
    message = say(maren, body)
    rows = list(Chunk.objects.filter(source_id=message).order_by("ordinal"))
    assert len(rows) == 4
    for row in rows:
        place = ChunkMessage.objects.get(chunk=row)
        assert row.body == body[row.char_start : row.char_end]
        length = place.char_end - place.char_start
        assert (
            row.body[place.char_start : place.char_end]
            == body[place.message_start : place.message_start + length]
        )
    assert rows[-1].char_end == len(body)


def test_what_stood_beside_a_deleted_message_comes_back(talk) -> None:
    world, maren, _, channel, say = talk
    say(maren, "Keep one.", 0)
    gone = say(maren, "Secret word.", 1)
    say(maren, "Keep two.", 2)
    assert _bodies(channel) == ["Keep one.\nSecret word.\nKeep two."]
    chat.delete_message(principal=maren, message_id=gone)
    assert _bodies(channel) == []
    index_message(world.organization.pk, channel, gone)
    assert _bodies(channel) == ["Keep one.\nKeep two."]
    assert not ChunkMessage.objects.filter(message_id=gone).exists()


def test_what_an_agent_wrote_is_marked(talk) -> None:
    world, maren, _, channel, say = talk
    agent = world.person("Lotse", kind="agent")
    members.add_people(principal=maren, conversation_id=channel, people=[agent.id])
    say(agent, "Generated words.")
    say(maren, "Own words.")
    assert dict(Chunk.objects.values_list("body", "is_generated")) == {
        "Generated words.": True,
        "Own words.": False,
    }


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_language_decides_the_stems(talk, language: str) -> None:
    _, maren, _, _, say = talk
    body = {"de": "Die Kräne wurden gestern geprüft.", "en": "The cranes were checked yesterday."}[language]
    message = say(maren, body)
    row = Chunk.objects.get(source_id=message)
    assert row.language == language
    assert {"de": "'kran'", "en": "'crane'"}[language] in str(row.tsv)
