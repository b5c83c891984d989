"""Times, people and channels that a search says in plain words."""

from __future__ import annotations

import pytest
import time_machine

from apps.accounts.types import Principal
from apps.chat.selectors.search.spoken import MOST_OFFERS, offers
from apps.chat.selectors.search.understanding import read_query, understand
from tests.chat.world import World

TODAY = "2026-11-24T12:00:00+00:00"  # a Tuesday


@pytest.fixture
def ada(world: World) -> Principal:
    return world.person("Ada Lindner")


def said(principal: Principal, text: str) -> list[str]:
    """Return the queries that are offered in place of a text."""
    query = read_query(text)
    with time_machine.travel(TODAY, tick=False):
        found = offers(principal, query)
        for one in found:  # each can be read again
            understand(principal, read_query(one.instead(query.text)))
        return [one.instead(query.text) for one in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Protokoll gestern", "Protokoll on:2026-11-23"),
        ("minutes of yesterday", "minutes on:2026-11-23"),
        ("crane of the day before yesterday", "crane on:2026-11-22"),
        ("crane day before yesterday", "crane on:2026-11-22"),
        ("vorgestern Kran", "Kran on:2026-11-22"),
        ("Kran letzte Woche", "Kran after:2026-11-16 before:2026-11-23"),
        ("crane last week", "crane after:2026-11-16 before:2026-11-23"),
        ("was war diese Woche", "was war after:2026-11-23"),
        ("Rechnung letzten Monat", "Rechnung on:2026-10"),
        ("invoice this month", "invoice on:2026-11"),
        ("Budget letztes Jahr", "Budget on:2025"),
        ("Budget in 2024", "Budget on:2024"),
        ("Budget im Jahr 2024", "Budget on:2024"),
        ("Vertrag im März", "Vertrag on:2026-03"),
        ("contract in December", "contract on:2025-12"),
        ("Vertrag Mai 2025", "Vertrag on:2025-05"),
        ("Vertrag seit Mai 2025", "Vertrag after:2025-05-01"),
        ("Vertrag vor Mai 2025", "Vertrag before:2025-05-01"),
        ("Vertrag vom 12.3.2026", "Vertrag on:2026-03-12"),
        ("Vertrag 12. 3. 2026", "Vertrag on:2026-03-12"),
        ("contract on 2026-03-12", "contract on:2026-03-12"),
        ("Treffen am 12. März", "Treffen on:2026-03-12"),
        ("meeting on March 12", "meeting on:2026-03-12"),
        ("meeting on March 12th, 2025", "meeting on:2025-03-12"),
        ("Treffen am Montag", "Treffen on:2026-11-23"),
        ("Treffen am Dienstag", "Treffen on:2026-11-24"),
        ("Treffen letzten Dienstag", "Treffen on:2026-11-17"),
        ("since Monday crane", "crane after:2026-11-23"),
        ("Störung letzte 7 Tage", "Störung after:2026-11-17"),
        ("outage last three months", "outage after:2026-08-24"),
        ("Störung der letzten zwei Jahre", "Störung der after:2024-11-24"),
        ("bis gestern offen", "offen before:2026-11-23"),
    ],
)
def test_a_time_is_said_by_operators(ada: Principal, text: str, expected: str) -> None:
    assert said(ada, text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "Montag", "Mai", "May we go", "2026", "Bestellung 2024", "März", "Woche", "der letzte Kran", "last crane",
        '"letzte Woche"', "-gestern Kran", "on:today gestern", "after:2026-01 letzte Woche", "31. Februar 2026",
        "32.1.2026", "am 31.2.2026", "vorgesternt", "9999-99", "Artikel 12.3.2026.1",
    ],
)  # fmt: skip
def test_what_says_no_time_is_left_alone(ada: Principal, text: str) -> None:
    assert said(ada, text) == []


def test_people_are_offered_by_whole_name_or_the_first(world: World, ada: Principal) -> None:
    world.person("Ben Ahrens")
    world.person("Kim Ost")
    world.person("Kim West")
    assert said(ada, "Angebot von Ben") == ['Angebot from:"Ben Ahrens"']
    assert said(ada, "offer by ben ahrens yesterday") == [
        'offer yesterday from:"Ben Ahrens"',
        "offer by ben ahrens on:2026-11-23",
    ]
    assert said(ada, "Angebot von Ben Kran") == ['Angebot Kran from:"Ben Ahrens"']
    assert said(ada, "Angebot von Kim") == []  # which one?
    assert said(ada, "Angebot von Kim West") == ['Angebot from:"Kim West"']
    for text in (
        "Kosten von Wartung",
        "Angebot von Be",
        "von",
        'Angebot "von Ben"',
        "von Ben from:me",
        "von 12",
    ):
        assert said(ada, text) == []


def test_a_guest_is_offered_nobody_it_does_not_know(world: World, ada: Principal) -> None:
    world.person("Ben Ahrens")
    guest = world.person("Gast", role="guest")
    assert said(guest, "Angebot von Ben") == []
    world.channel(ada, "offen", [guest])
    assert said(guest, "Angebot von Ada") == ['Angebot from:"Ada Lindner"']


def test_channels_are_offered_to_who_sees_them(world: World, ada: Principal) -> None:
    eve = world.person("Eve")
    world.channel(ada, "einkauf")
    world.channel(ada, "geheim", is_private=True)
    for text in ("Kran in #einkauf", "Kran im Kanal einkauf", "Kran #Einkauf", "Kran from channel einkauf"):
        assert said(eve, text) == ["Kran in:einkauf"]
    assert said(ada, "Kran #geheim") == ["Kran in:geheim"]
    for text in ("Kran #geheim", "Kran #nirgends", "Kran in:einkauf #einkauf", "Kran einkauf"):
        assert said(eve, text) == []


def test_at_most_three_are_offered_in_their_order_with_few_queries(
    world: World, ada: Principal, django_assert_max_num_queries
) -> None:
    world.person("Ben Ahrens")
    world.channel(ada, "einkauf")
    text = "gestern von Ben in #einkauf letzte Woche von Ada von Ben"
    with django_assert_max_num_queries(5):
        found = offers(ada, read_query(text))
    assert len(found) == MOST_OFFERS
    assert [one.start for one in found] == sorted(one.start for one in found)
    with django_assert_max_num_queries(0):
        assert offers(ada, read_query("Kran und letzte Woche"))


@pytest.mark.parametrize(
    "text", ["", " ", "\x00", "von " * 300, "12." * 300, "last " * 300, "#" * 900, "in " * 330]
)
def test_any_text_is_read(ada: Principal, text: str) -> None:
    assert len(said(ada, text)) <= MOST_OFFERS
