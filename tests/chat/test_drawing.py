"""Messages are drawn from a few patterns: what is in a message never decides what is around it."""

from __future__ import annotations

import dataclasses

import pytest
from django.template.loader import render_to_string
from django.utils import translation
from lxml import html

from apps.chat import drawing, presenting
from apps.chat.types import MessageView
from tests.design.samples import JONAS, READER, message, request_of


def _draw(*shown: MessageView, language: str = "en") -> str:
    rows = presenting.rows(shown, reader=READER)
    with translation.override(language):
        return render_to_string("chat/parts/window.html", {"rows": rows, "slug": "nordlicht"}, request_of())


def test_more_messages_need_no_more_templates() -> None:
    drawing._pattern.cache_clear()
    _draw(*(message(number) for number in range(1, 3)))
    once = drawing._pattern.cache_info().misses
    _draw(*(message(number) for number in range(1, 81)))
    assert once == 2  # the first of its sender, and one that goes on
    assert drawing._pattern.cache_info().misses == once


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
