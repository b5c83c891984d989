"""Search finds what fits and nothing the searcher may not see."""

from __future__ import annotations

import dataclasses

import pytest

from apps.accounts.errors import PermissionMissing
from apps.chat.selectors.conversations import scope_of
from apps.chat.services import members
from apps.chat.services import messages as chat
from apps.chat.types import SentMessage
from apps.rag.errors import CursorUnknown
from apps.rag.types import SourceType, Span
from tests.chat.world import World
from tests.rag.library import add_document, ask, embed_all, index_message, texts

CRANE = "Please check the yaw brake before the crane is hooked at turbine seven."
HOLIDAY = "Urlaubsanträge müssen spätestens zwei Wochen vorher eingereicht werden."
KEY = "Der Schlüssel für das Lager liegt beim Pförtner in Haus drei."


@pytest.fixture
def talk(world: World):
    """Two people in an open channel and one message each of three kinds."""
    maren, priya = world.person("Maren Thiessen"), world.person("Priya Nair")
    channel = world.channel(maren, "betrieb", [priya])
    sent = {}
    for sender, body in ((maren, CRANE), (priya, HOLIDAY), (maren, KEY)):
        sent[body] = world.say(sender, channel, body)
        index_message(world.organization.pk, channel, sent[body].id)
    return world, maren, priya, channel, sent


def test_words_are_found_before_there_are_vectors(talk) -> None:
    _, maren, _, channel, sent = talk
    found = ask(maren, "yaw brake crane")
    assert texts(found)[0] == CRANE
    hit = found.hits[0]
    assert hit.source_type is SourceType.MESSAGE
    assert hit.source == sent[CRANE].id
    assert hit.conversation == channel
    assert hit.conversation_name == "betrieb"
    assert hit.author_name == "Maren Thiessen"
    assert [hit.snippet[mark.start : mark.end] for mark in hit.highlights] == ["yaw", "brake", "crane"]
    assert hit.words == ("yaw", "brake", "crane")
    assert [(part.message, part.start, part.end) for part in hit.messages] == [
        (sent[CRANE].id, 0, len(CRANE))
    ]


def test_vectors_add_meaning(talk) -> None:
    world, maren, _, _, _ = talk
    assert ask(maren, "crane").hits[0].meaning_score is None
    assert embed_all(world.organization.pk) == 3
    found = ask(maren, "crane")
    assert not found.words_only
    assert len(found.hits) == 3  # the others are less near, but they are there
    assert found.hits[0].meaning_score is not None
    assert found.hits[0].text == CRANE
    assert found.hits[0].score == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Urlaubsantrag", HOLIDAY),  # inflected
        ("Urlaub", HOLIDAY),  # a part of a compound
        ("Antrag Urlaub", HOLIDAY),
        ("Schlüssel", KEY),
        ("Schluessel", KEY),  # umlaut spelled out
        ("Schlussel", KEY),  # umlaut forgotten
        ("Schlüsel", KEY),  # misspelled
        ("Pfoertner", KEY),
        ("brakes", CRANE),
        ("turbines hooking", CRANE),
    ],
)
def test_german_and_english_forms_are_found(talk, query: str, expected: str) -> None:
    world, maren, _, _, _ = talk
    embed_all(world.organization.pk)
    assert texts(ask(maren, query))[0] == expected


def test_a_phrase_must_stand_as_written(talk) -> None:
    _, maren, _, _, _ = talk
    assert texts(ask(maren, '"yaw brake"')) == [CRANE]
    assert texts(ask(maren, '"brake yaw"')) == []


def test_an_exclusion_takes_passages_out(talk) -> None:
    world, maren, _, _, _ = talk
    embed_all(world.organization.pk)
    assert CRANE in texts(ask(maren, "check"))
    assert CRANE not in texts(ask(maren, "check -crane"))


def test_filters_narrow(talk) -> None:
    _, maren, _, _, _ = talk
    assert texts(ask(maren, "from:priya")) == [HOLIDAY]
    assert texts(ask(maren, 'von:"Maren Thiessen"')) == [KEY, CRANE]
    assert texts(ask(maren, "from:me lager")) == [KEY]
    assert len(ask(maren, "in:betrieb").hits) == 3
    assert texts(ask(maren, "has:file")) == []
    assert texts(ask(maren, "type:document")) == []
    assert len(ask(maren, "after:today").hits) == 3
    assert texts(ask(maren, "before:2020-01-01")) == []
    assert texts(ask(maren, "language:en")) == [CRANE]


def test_a_filter_on_something_hidden_is_a_filter_on_nothing(talk) -> None:
    world, maren, priya, _, _ = talk
    secret = world.channel(maren, "vorstand", is_private=True)
    index_message(world.organization.pk, secret, world.say(maren, secret, "Gehaltsliste der Leitung").id)
    assert texts(ask(maren, "in:vorstand")) == ["Gehaltsliste der Leitung"]
    hidden, absent = ask(priya, "in:vorstand"), ask(priya, "in:nirgends")
    assert hidden.hits == absent.hits == ()
    assert (
        (hidden.total_hint, hidden.chips[0].is_known)
        == (absent.total_hint, absent.chips[0].is_known)
        == (0, False)
    )


def test_who_is_not_in_a_private_channel_finds_nothing_of_it(talk) -> None:
    world, maren, priya, _, _ = talk
    secret = world.channel(maren, "vorstand", is_private=True)
    index_message(world.organization.pk, secret, world.say(maren, secret, "Gehaltsliste der Leitung").id)
    embed_all(world.organization.pk)
    assert texts(ask(maren, "Gehaltsliste"))[0] == "Gehaltsliste der Leitung"
    assert "Gehaltsliste der Leitung" not in texts(ask(priya, "Gehaltsliste Leitung"))


def test_a_guest_finds_only_where_it_has_a_seat(talk) -> None:
    world, maren, _, channel, _ = talk
    embed_all(world.organization.pk)
    guest = world.person("Gast", role="guest")
    assert texts(ask(guest, "crane")) == []
    members.add_people(principal=maren, conversation_id=channel, people=[guest.id])
    assert texts(ask(guest, "crane"))[0] == CRANE


def test_an_edit_changes_what_is_found_with_its_commit(talk) -> None:
    world, maren, _, channel, sent = talk
    chat.edit_message(principal=maren, message_id=sent[CRANE].id, body="The barge comes on Tuesday.")
    assert texts(ask(maren, "crane")) == []
    index_message(world.organization.pk, channel, sent[CRANE].id)
    assert texts(ask(maren, "barge")) == ["The barge comes on Tuesday."]


def test_a_deleted_message_is_found_no_more(talk) -> None:
    world, maren, _, channel, sent = talk
    chat.delete_message(principal=maren, message_id=sent[CRANE].id)
    assert texts(ask(maren, "crane")) == []
    assert index_message(world.organization.pk, channel, sent[CRANE].id) == 0
    assert texts(ask(maren, "crane")) == []


def test_nothing_is_found_without_a_permission(talk) -> None:
    _, maren, _, _, _ = talk
    narrow = dataclasses.replace(maren, permissions=frozenset({"message.send"}))
    with pytest.raises(PermissionMissing):
        ask(narrow, "crane")


def test_documents_collapse_to_their_best_page(world: World) -> None:
    maren = world.person("Maren")
    channel = world.channel(maren, "technik")
    document = add_document(
        organization_id=world.organization.pk,
        scope_id=scope_of(maren, channel),
        title="Handbook",
        pages=[
            "The gearbox is oiled monthly.",
            "The gearbox oil is changed every year. Gearbox!",
            "Appendix.",
        ],
    )
    embed_all(world.organization.pk)
    found = ask(maren, "gearbox oil change")
    assert [(hit.source, hit.page, hit.more_in_source) for hit in found.hits] == [(document, 2, 2)]
    assert found.hits[0].title == "Handbook"
    assert found.hits[0].span == Span(0, len("The gearbox oil is changed every year. Gearbox!"))
    assert len(ask(maren, "gearbox oil change", collapse=False).hits) == 3


def test_pages_follow_one_another(world: World) -> None:
    maren, priya = world.person("Maren"), world.person("Priya")
    channel = world.channel(maren, "technik", [priya])
    for number in range(12):
        sent: SentMessage = world.say(
            (maren, priya)[number % 2], channel, f"Valve number {number} was greased."
        )
        index_message(world.organization.pk, channel, sent.id)
    first = ask(maren, "valve greased", limit=5)
    second = ask(maren, "valve greased", limit=5, cursor=first.next_cursor)
    third = ask(maren, "valve greased", limit=5, cursor=second.next_cursor)
    seen = texts(first) + texts(second) + texts(third)
    assert len(seen) == len(set(seen)) == 12
    assert first.total_hint == 12
    assert third.next_cursor == ""
    newest = ask(maren, "valve greased", order="newest")
    assert texts(newest)[0] == "Valve number 11 was greased."


@pytest.mark.parametrize("cursor", ["x", "b3g", "bzk5OQ", "-1", "é", "b" * 5000])
def test_a_made_up_cursor_is_refused(world: World, cursor: str) -> None:
    with pytest.raises(CursorUnknown):
        ask(world.person("Maren"), "x", cursor=cursor)


@pytest.mark.parametrize(
    "query",
    [
        "'; DROP TABLE rag_chunk; --", "\\' OR 1=1", "a & b | !c <-> (", ":*", "%", "_", "\x00", "\ud800", "$$", "{}",
        '"', '"" -""', "x" * 5000, "-- -", "from:'; SELECT 1", "before:9999-12-31", "after:0001-01-01", "\\",
        "E'\\\\'", "🙂", "the who", "der die das", "\u202etxet", "'a\\'b'", "-from:\"'; SELECT 1\"", "file:%_\\",
        "-' -\" has:link", "in:'{}\",x has:link", "is:reply 'a\\'b'", "has:link der", "-x -y \x00 has:image",
        "🙂 -has:link", "file:$text$",
    ],
)  # fmt: skip
def test_no_text_breaks_the_search(talk, query: str) -> None:
    world, maren, _, _, _ = talk
    embed_all(world.organization.pk)
    assert ask(maren, query).took_ms >= 0
    assert len(ask(maren, "in:betrieb").hits) == 3


def test_a_question_is_words_and_no_filter(talk) -> None:
    world, maren, _, _, _ = talk
    embed_all(world.organization.pk)
    question = 'Which "crane brake" is checked -turbine in:nowhere from:nobody?'
    assert texts(ask(maren, question)) == []
    plain = ask(maren, question, grammar=False)
    assert texts(plain)[0] == CRANE
    assert plain.chips == ()
