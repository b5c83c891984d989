"""Messages are drawn from a few patterns: what is in a message never decides what is around it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest
import time_machine
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.safestring import SafeString
from lxml import html

from apps.chat import drawing, presenting
from apps.chat.types import MessageView, ReactionView
from tests.design.samples import JONAS, READER, message, request_of

_NEITHER: dict[str, Any] = dict.fromkeys(drawing.Shape._fields, False)


def _draw(*shown: MessageView, language: str = "en") -> str:
    rows = presenting.rows(shown, reader=READER)
    with translation.override(language):
        return render_to_string("chat/parts/window.html", {"rows": rows, "slug": "nordlicht"}, request_of())


def test_more_messages_need_no_more_templates() -> None:
    drawing._pattern.cache_clear()
    drawing._kept.cache_clear()
    _draw(*(message(number) for number in range(1, 3)))
    once = drawing._pattern.cache_info().misses
    _draw(*(message(number) for number in range(1, 81)))
    assert once == 2  # the first of its sender, and one that goes on
    assert drawing._pattern.cache_info().misses == once


def test_what_the_page_before_has_drawn_is_not_drawn_again() -> None:
    drawing._kept.cache_clear()
    first = _draw(message(1), message(2))
    again = _draw(message(1), message(2))
    assert again == first
    assert drawing._kept.cache_info().hits == 2


@pytest.mark.parametrize(
    "changed",
    [
        {"html": "<p>Other words</p>"},
        {"version": 7},
        {"sender": dataclasses.replace(JONAS, name="Jonas Renamed")},
        {"sent_at": message(1).sent_at + dt.timedelta(hours=1)},
        {"edited_at": message(1).sent_at},
        {"reactions": (ReactionView("👍", (READER.id,)),)},
        {"pinned_at": message(1).sent_at},
        {"deleted_at": message(1).sent_at},
        {"mentions": (READER.id,)},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_whatever_changes_is_seen_at_once(changed: dict[str, Any]) -> None:
    before = _draw(message(1))
    assert _draw(dataclasses.replace(message(1), **changed)) != before
    assert _draw(message(1)) == before


def test_each_zone_has_its_own_time() -> None:
    with timezone.override("Europe/Berlin"):
        here = _draw(message(1))
    with timezone.override("Asia/Tokyo"):
        assert _draw(message(1)) != here


def test_a_long_message_is_not_kept() -> None:
    drawing._kept.cache_clear()
    _draw(message(1, html=f"<p>{'long ' * 1000}</p>"))
    assert drawing._kept.cache_info().currsize == 0


def test_what_is_trusted_in_one_place_is_not_trusted_in_another() -> None:
    """Equal texts are one key, whether marked as safe or not; the kind of each counts too."""
    shape = drawing.Shape(**_NEITHER | {"language": "en"})
    values = dict.fromkeys(
        ("id", "sequence", "sender", "version", "thread", "face", "text", "around", "place", "topic"), ""
    )
    moment = message(1).sent_at
    trusted = drawing.draw(shape, zone="UTC", sent_at=moment, name=SafeString("<b>"), **values)
    plain = drawing.draw(shape, zone="UTC", sent_at=moment, name="<b>", **values)
    assert "<b>" in trusted
    assert "<b>" not in plain


@pytest.mark.parametrize("text", ["100 %", "%(id)s %s %%", "\ue000id\ue001", "{{ id }}", "{0} {id}"])
def test_what_looks_like_a_slot_stays_text(text: str) -> None:
    named = dataclasses.replace(JONAS, name=text)
    drawn = html.fragment_fromstring(_draw(message(1, named, html=f"<p>{text}</p>")), create_parent="div")
    assert drawn.find_class("message__name")[0].text_content() == text
    assert drawn.find_class("message__text")[0].text_content().strip() == text


def test_each_language_has_its_own_words() -> None:
    assert "Reply in thread" in _draw(message(1), language="en")
    german = _draw(message(1), language="de")
    assert "Im Thread antworten" in german
    assert "Reply in thread" not in german


def test_what_stands_outside_its_conversation_says_its_day_unless_it_is_today() -> None:
    """In lists of saved, pinned and followed ones no line above a message names the day."""
    drawing._kept.cache_clear()
    shape = drawing.Shape(**_NEITHER | {"language": "en", "is_alone": True})
    values = dict.fromkeys(
        ("id", "sequence", "sender", "version", "thread", "face", "text", "around", "place", "topic", "name"),
        "",
    )
    sent = dt.datetime(2026, 11, 24, 9, 14, tzinfo=dt.UTC)
    written = {}
    for name, now in (("that day", sent + dt.timedelta(hours=2)), ("later", sent + dt.timedelta(days=3))):
        with time_machine.travel(now, tick=False), timezone.override("UTC"), translation.override("en"):
            drawn = drawing.draw(shape, zone="UTC", sent_at=sent, **values)
        (link,) = html.fragment_fromstring(drawn, create_parent="div").find_class("message__time")
        written[name] = link.text_content()
    assert written == {"that day": "09:14", "later": "24 Nov, 09:14"}
    assert drawing._kept.cache_info().currsize == 0
