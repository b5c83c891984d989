"""Operators narrow the search statement from inside, each reader finds their own, and lists go on without an end."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from django.utils import timezone

from apps.accounts.services.scopes import add_seats
from apps.chat.errors import SearchNotUnderstood
from apps.chat.models import Message, Topic
from apps.chat.selectors import topics
from apps.chat.selectors.conversations import scope_of
from apps.chat.selectors.search.operators import OPERATORS, Reader
from apps.chat.services import conversations, members, messages, reactions, reading, threads
from apps.chat.services import topics as changing
from apps.documents.models import Document
from apps.documents.services.collections import library_scope
from apps.files.services.uploads import store_file
from apps.rag.errors import CursorUnknown
from apps.rag.types import Filters, SearchResult, SourceType
from tests.chat.world import World
from tests.factories.files import picture
from tests.rag.library import add_document, ask, index_message, texts

LINK = "The plan is at https://example.org/plan"
CRANE = "Crane booked for Tuesday"
MENTION = "@**Maren** please call the crane driver"
REPLY = "Crane driver called"


@pytest.fixture
def talk(world: World):
    """Three people, a channel with four kinds of messages, and a direct conversation."""
    maren, priya, jonas = (world.person(name) for name in ("Maren", "Priya", "Jonas"))
    channel = world.channel(maren, "betrieb", [priya, jonas])
    link = world.say(maren, channel, LINK)
    crane = world.say(priya, channel, CRANE)
    mention = world.say(jonas, channel, MENTION)
    reply = world.say(maren, channel, REPLY, thread=mention.id)
    direct = conversations.open_direct(principal=maren, people=[priya.id])
    secret = world.say(maren, direct, "Crane costs are secret")
    for place, sent in (
        (channel, link),
        (channel, crane),
        (channel, mention),
        (channel, reply),
        (direct, secret),
    ):
        index_message(world.organization.pk, place, sent.id)
    return world, maren, priya, jonas, channel


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("has:link", [LINK]),
        ("-has:link in:betrieb", [REPLY, MENTION, CRANE]),
        ("crane -from:priya", ["Crane costs are secret", REPLY, MENTION]),
        ("crane is:mentioned", [MENTION]),
        ("crane is:reply", [REPLY]),
        ("crane driver is:reply", [REPLY]),
        ("dm:priya", ["Crane costs are secret"]),
        ("dm-including:priya crane", ["Crane costs are secret"]),
        ("dm:jonas", []),
        ("crane -driver has:link", []),
        ('-"crane driver" in:betrieb', [CRANE, LINK]),
        ("kanal:betrieb von:jonas", [MENTION]),
        ("from:jonas from:priya in:betrieb", [MENTION, CRANE]),
        ("on:today has:link", [LINK]),
        ("-on:today", []),
        ("-von:niemand has:link", [LINK]),
        ("von:niemand has:link", []),
        ("is:edited", []),
        ("is:starred", []),
        ("has:attachment", []),
        ('crane "for tuesday" -is:reply', [CRANE]),
    ],
)
def test_operators_narrow(talk, query: str, expected: list[str]) -> None:
    _, maren, _, _, _ = talk
    assert texts(ask(maren, query)) == expected


def test_each_reader_finds_their_own(talk) -> None:
    _, _, priya, jonas, _ = talk
    assert texts(ask(jonas, "is:unread")) == [REPLY, CRANE, LINK]
    assert texts(ask(priya, "from:me")) == [CRANE]
    assert texts(ask(jonas, "from:me")) == [MENTION]
    assert texts(ask(jonas, "dm-including:priya crane")) == []


def test_what_was_read_ahead_in_a_topic_is_not_unread(talk) -> None:
    world, _, priya, jonas, channel = talk
    sent = messages.send_message(
        principal=priya, conversation_id=channel, body="Ferry at ten", client_key="f", topic="Fähre"
    )
    index_message(world.organization.pk, channel, sent.id)
    assert texts(ask(jonas, "is:unread topic:fähre")) == ["Ferry at ten"]
    (topic,) = topics.list_topics(jonas, channel)
    reading.move_marker(principal=jonas, conversation_id=channel, sequence=sent.sequence, place=topic.id)
    assert texts(ask(jonas, "is:unread topic:fähre")) == []
    assert CRANE in texts(ask(jonas, "is:unread"))


def test_a_topic_is_found_by_its_name_by_whom_it_shows(talk) -> None:
    world, maren, priya, jonas, _ = talk
    closed = world.channel(maren, "vorstand", [priya], is_private=True)
    sent = messages.send_message(
        principal=maren, conversation_id=closed, body="Not for all", client_key="n", topic="Übernahme"
    )
    index_message(world.organization.pk, closed, sent.id)
    assert texts(ask(priya, "topic:übernahme")) == texts(ask(priya, "thema:über")) == ["Not for all"]
    assert "Not for all" not in texts(ask(priya, "-topic:übernahme is:unread"))
    assert texts(ask(jonas, "topic:übernahme")) == []
    assert [one.value for one in OPERATORS["topic"].suggest(Reader(priya), "Üb")] == ["Übernahme"]
    assert OPERATORS["topic"].suggest(Reader(jonas), "Üb") == []


def test_the_marker_takes_all_of_a_conversation(talk) -> None:
    _, maren, _, jonas, channel = talk
    reading.move_marker(principal=jonas, conversation_id=channel, sequence=1000)
    assert texts(ask(jonas, "is:unread")) == []
    assert texts(ask(maren, "is:unread crane")) == [MENTION, CRANE]


def test_what_messages_carry_is_found(talk) -> None:
    world, maren, priya, _, channel = talk
    stored = store_file(principal=priya, name="crane_plan.png", data=picture())
    sent = world.say(priya, channel, "as promised", attachments=(stored.id,))
    index_message(world.organization.pk, channel, sent.id)
    reactions.add_reaction(principal=maren, message_id=sent.id, emoji="👍")
    for query in (
        "has:image",
        "has:attachment",
        "file:crane",
        "has:reaction",
        f"id:{sent.id}",
        "promised -has:link",
    ):
        assert texts(ask(maren, query)) == ["as promised"], query
    assert texts(ask(maren, "file:cranexplan")) == []  # an underscore is no wildcard
    assert len(texts(ask(maren, f"near:https://chat.example/o/x/m/{sent.id}"))) == 5
    members.set_preferences(principal=maren, conversation_id=channel, is_starred=True, is_muted=True)
    assert len(texts(ask(maren, "is:starred"))) == len(texts(ask(maren, "is:muted"))) == 5
    assert texts(ask(maren, "-is:muted")) == ["Crane costs are secret"]


def test_what_one_follows_and_what_is_resolved_is_found(world: World) -> None:
    ada, ben = world.person("Ada"), world.person("Ben")
    channel = world.channel(ada, "betrieb", [ben])
    root = world.say(ada, channel, "Wer fährt?")
    said = [
        root,
        world.say(ben, channel, "Ich fahre", thread=root.id),
        world.say(ada, channel, "Der Kran steht", topic="Kran"),
        world.say(ada, channel, "Der Lack ist da", topic="Lack"),
    ]
    for sent in said:
        index_message(world.organization.pk, channel, sent.id)
    crane, paint = Topic.objects.order_by("name")
    changing.set_level(principal=ben, topic_id=crane.pk, level="followed")
    threads.set_followed(principal=ben, message_id=root.id, is_followed=True)
    changing.set_resolved(principal=ada, topic_id=paint.pk, is_resolved=True)
    assert sorted(texts(ask(ben, "is:followed"))) == ["Der Kran steht", "Ich fahre", "Wer fährt?"]
    assert texts(ask(ben, "-is:followed is:resolved")) == ["Der Lack ist da"]
    assert texts(ask(ada, "ist:erledigt")) == ["Der Lack ist da"]
    assert texts(ask(ada, "is:followed")) == []


def test_words_must_stand_in_the_message_that_fulfils_the_operators(world: World) -> None:
    """Short messages in a row share a passage; a word of the neighbour does not count."""
    maren = world.person("Maren")
    channel = world.channel(maren, "betrieb")
    for body in ("Bremse geprüft", "Kran bestellt, siehe https://example.org", "Fundament fertig"):
        index_message(world.organization.pk, channel, world.say(maren, channel, body).id)
    assert texts(ask(maren, "kran has:link")) == ["Kran bestellt, siehe https://example.org"]
    assert texts(ask(maren, "bremse has:link")) == []
    assert texts(ask(maren, "bremsen -has:link")) == ["Bremse geprüft"]


def test_days_are_those_of_the_reader(talk) -> None:
    world, maren, _, _, channel = talk
    late = world.say(maren, channel, "late in London, tomorrow in Berlin")
    Message.objects.filter(pk=late.id).update(sent_at=dt.datetime(2026, 3, 1, 23, 30, tzinfo=dt.UTC))
    assert texts(ask(maren, "on:2026-03-01")) == ["late in London, tomorrow in Berlin"]
    with timezone.override("Europe/Berlin"):
        assert texts(ask(maren, "on:2026-03-01")) == []
        assert texts(ask(maren, "on:2.3.2026 tomorrow")) == []  # not indexed yet: its words are not known
        assert texts(ask(maren, "on:2.3.2026")) == ["late in London, tomorrow in Berlin"]


def test_a_list_goes_on_to_its_end(world: World) -> None:
    maren, priya = world.person("Maren"), world.person("Priya")
    channel = world.channel(maren, "technik", [priya])
    for number in range(7):
        sent = world.say((maren, priya)[number % 2], channel, f"Valve {number} https://example.org")
        index_message(world.organization.pk, channel, sent.id)
    for query in ("has:link", "valve has:link"):
        seen, cursor = [], ""
        for _ in range(4):
            page = ask(maren, query, limit=2, cursor=cursor)
            assert page.is_list
            seen += texts(page)
            cursor = page.next_cursor
        assert [text.split()[1] for text in seen] == ["6", "5", "4", "3", "2", "1", "0"]
        assert cursor == ""


@pytest.mark.parametrize("cursor", ["x", "b3g", "W10", "WyJhIiwiYiIsImMiXQ", "é", "b" * 5000])
def test_a_made_up_place_in_a_list_is_refused(world: World, cursor: str) -> None:
    with pytest.raises(CursorUnknown):
        ask(world.person("Maren"), "has:link", cursor=cursor)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("form:anna", "unknown_operator"), ("has:banana", "value_unknown"), ("is:x", "value_unknown"),
        ("before:soon", "date_unknown"), ("from:", "value_missing"), ("id:7", "value_unknown"),
        ("type:exe", "value_unknown"), ('in:"', "value_missing"), ("before:9999-99-99", "date_unknown"),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_refused_with_its_place(world: World, query: str, reason: str) -> None:
    with pytest.raises(SearchNotUnderstood) as refused:
        ask(world.person("Maren"), f"crane {query}")
    (error,) = refused.value.errors
    assert (error.code, error.start, error.end) == (reason, 6, 6 + len(query))


def test_a_narrow_key_lists_only_its_conversations(talk) -> None:
    world, maren, _, _, _ = talk
    other = world.channel(maren, "lager")
    world.say(maren, other, "https://example.org/lager")
    bound = dataclasses.replace(maren, scopes=frozenset({scope_of(maren, other)}))
    assert texts(ask(bound, "has:link")) == ["https://example.org/lager"]
    assert texts(ask(maren, "has:link in:betrieb")) == [LINK]
    assert texts(ask(bound, "has:link in:betrieb")) == []


def test_deleted_messages_and_closed_rooms_are_not_listed(talk) -> None:
    world, maren, priya, jonas, _ = talk
    secret = world.channel(maren, "vorstand", [priya], is_private=True)
    sent = world.say(maren, secret, "https://example.org/secret")
    assert texts(ask(jonas, "has:link")) == [LINK]
    assert texts(ask(jonas, f"id:{sent.id}")) == texts(ask(jonas, f"near:{sent.id}")) == []
    assert texts(ask(priya, f"id:{sent.id}")) == ["https://example.org/secret"]
    messages.delete_message(principal=maren, message_id=sent.id)
    assert texts(ask(priya, "has:link")) == [LINK]


def test_who_joined_later_lists_only_what_came_then(talk) -> None:
    world, maren, _, _, channel = talk
    late = world.person("Late", role="guest")
    joined = timezone.now() - dt.timedelta(hours=1)
    Message.objects.update(sent_at=joined - dt.timedelta(days=1))
    add_seats(scope_id=scope_of(maren, channel), principals=[late.id], visible_from=joined)
    sent = world.say(maren, channel, "https://example.org/new")
    assert texts(ask(late, "has:link")) == ["https://example.org/new"]
    assert texts(ask(late, f"near:{sent.id}")) == ["https://example.org/new"]


def test_documents_stay_where_no_operator_is_for_messages(world: World) -> None:
    maren = world.person("Maren")
    channel = world.channel(maren, "technik")
    scope = scope_of(maren, channel)
    add_document(
        organization_id=world.organization.pk, scope_id=scope, title="Handbook", pages=["Gearbox oil"]
    )
    assert texts(ask(maren, "gearbox after:2020")) == ["Gearbox oil"]
    assert texts(ask(maren, "type:pdf")) == ["Gearbox oil"]
    assert texts(ask(maren, "gearbox -has:link")) == []


@pytest.fixture
def files(world: World):
    """Two documents of the library, one of a closed channel, and a message with a file."""
    maren, priya = world.person("Maren"), world.person("Priya")
    channel = world.channel(maren, "betrieb", [priya])
    closed = world.channel(maren, "vorstand", [], is_private=True)
    library = library_scope()
    for title, name, scope, pages in (
        ("Annual report", "report-2026.txt", library, [f"Crane costs on page {page}" for page in range(40)]),
        ("Crane handbook", "handbook_v2.txt", library, ["Crane and gearbox oil"]),
        ("Secret report", "figures.txt", scope_of(maren, closed), ["Crane sale"]),
    ):
        Document.objects.create(
            pk=add_document(
                organization_id=world.organization.pk, scope_id=scope, title=title, pages=pages
            ),
            organization_id=world.organization.pk, scope_id=scope, title=title, name=name, created_by_id=maren.id,
            file_id=store_file(principal=maren, name=name, data=title.encode()).id,
        )  # fmt: skip
    stored = store_file(principal=priya, name="crane-report.png", data=picture())
    index_message(world.organization.pk, channel, world.say(priya, channel, CRANE).id)
    sent = world.say(priya, channel, "crane as promised", attachments=(stored.id,))
    index_message(world.organization.pk, channel, sent.id)
    plan = store_file(principal=priya, name="bauplan.png", data=picture())
    sent = world.say(priya, channel, "", attachments=(plan.id,))
    index_message(world.organization.pk, channel, sent.id)
    return maren, priya, world.person("Gast", role="guest")


def titled(found: SearchResult) -> list[str]:
    """What was found, as it is called: documents by their title, messages by what they say."""
    return sorted({hit.title if hit.page else hit.text for hit in found.hits})


MESSAGE = "crane as promised"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("file:report", ["Annual report", "Secret report", MESSAGE]),
        ("datei:REPORT-2026", ["Annual report"]),
        ("file:handbook_v2", ["Crane handbook"]),
        ("file:handbookxv2", []),
        ('file:"annual report"', ["Annual report"]),
        ('file:"report annual"', []),
        ("file:figures", ["Secret report"]),
        ("file:report file:crane", [MESSAGE]),
        ("file:bauplan", [""]),
        ("file:report costs", ["Annual report"]),
        ("file:report gearbox", []),
        ("file:report -file:secret", ["Annual report", MESSAGE]),
        ("gearbox -file:report", ["Crane handbook"]),
        ("crane -file:report", [CRANE, "Crane handbook"]),
        ("gearbox -file:handbook", []),
        ('gearbox -file:"crane handbook"', []),
        ("file:report type:document", ["Annual report", "Secret report"]),
        ("file:report type:message", [MESSAGE]),
        ("file:report type:pdf", ["Annual report", "Secret report"]),
        ("file:report in:vorstand", []),
        ("file:report from:priya", [MESSAGE]),
        ("file:report has:image", [MESSAGE]),
        ("-file:report", [CRANE, ""]),
        ("type:pdf -file:report", ["Crane handbook"]),
    ],
)
def test_files_are_found_by_their_name(files, query: str, expected: list[str]) -> None:
    maren, _, _ = files
    assert titled(ask(maren, query, by_meaning=False)) == sorted(expected)


def test_each_reader_finds_the_files_they_may_open(files) -> None:
    _, priya, guest = files
    assert titled(ask(priya, "file:report")) == ["Annual report", MESSAGE]
    assert titled(ask(priya, "file:figures")) == []
    assert titled(ask(priya, "crane -file:figures", by_meaning=False)) == titled(
        ask(priya, "crane", by_meaning=False)
    )
    assert titled(ask(guest, "file:report")) == titled(ask(guest, "file:handbook crane")) == []
    bound = dataclasses.replace(priya, scopes=frozenset({library_scope()}))
    assert titled(ask(bound, "file:report")) == ["Annual report"]


def test_a_long_document_takes_no_ones_place(files) -> None:
    maren, _, _ = files
    found = ask(maren, "file:report", limit=2)
    assert (len(found.hits), found.total_hint, found.is_list) == (2, 3, False)
    rest = ask(maren, "file:report", limit=2, cursor=found.next_cursor)
    assert len({hit.source for hit in (*found.hits, *rest.hits)}) == 3
    (annual,) = (hit for hit in (*found.hits, *rest.hits) if hit.title == "Annual report")
    assert (annual.page, annual.more_in_source) == (1, 0)


def test_a_kind_of_source_given_beside_the_query_counts(files) -> None:
    maren, _, _ = files
    for kind, expected in (
        (SourceType.MESSAGE, [MESSAGE]),
        (SourceType.DOCUMENT, ["Annual report", "Secret report"]),
    ):
        found = ask(maren, "file:report", filters=Filters(sources=(kind,)))
        assert (titled(found), found.is_list) == (expected, kind == SourceType.MESSAGE)
