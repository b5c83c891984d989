"""The partials keep the contract of the visual reference: classes, order in the source, `aria-*`, addresses."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

import pytest
from django.template import RequestContext, Template
from django.template.loader import render_to_string
from lxml import html
from pytest_django import Settings as SettingsWrapper

from apps.chat import presenting, sample
from apps.chat.types import ConversationView, MessageView
from tests.design.samples import CHANNEL, JONAS, LOTSE, MAREN, NINE, READER, full_message, message, request_of


@pytest.fixture(autouse=True)
def _routes(settings: SettingsWrapper, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ROOT_URLCONF = "tests.design.urls"
    monkeypatch.setattr(presenting, "_thread_faces", lambda _messages: {MAREN.id: MAREN, JONAS.id: JONAS})


def _rows(*messages: MessageView, first_unread: UUID | None = None) -> list[presenting.Row]:
    return presenting.rows(messages, reader=READER, first_unread=first_unread, unread_count=2)


def _render(row: presenting.Row, **context: object) -> html.HtmlElement:
    text = render_to_string("chat/parts/message.html", {"row": row, **context}, request_of())
    return html.fromstring(text)


def test_a_message_says_name_then_text_then_time() -> None:
    article = _render(_rows(message(1))[0])
    assert article.tag == "article"
    assert article.get("class") == "message"
    assert article.get("id") == f"m-{UUID(int=1001)}"
    assert article.get("tabindex") == "-1"
    kinds = [child.get("class").split()[0] for child in article]
    assert kinds == ["avatar", "message__name", "message__body", "message__time", "message__acts"]


def test_a_message_that_goes_on_has_no_face_and_its_name_only_for_ears() -> None:
    article = _render(_rows(message(1), message(2, minutes=1))[1])
    assert article.get("class") == "message message--more"
    assert [child.get("class").split()[0] for child in article][:2] == ["sr", "message__body"]
    assert article.find("h3").text_content() == "Jonas Petersen"


@pytest.mark.parametrize(
    ("second", "goes_on"),
    [
        (message(2, minutes=4), True),
        (message(2, minutes=6), False),
        (message(2, MAREN, minutes=1), False),
        (message(2, minutes=1, deleted_at=NINE), False),
        (message(2, minutes=15 * 60), False),
    ],
)
def test_who_goes_on(second: MessageView, goes_on: bool) -> None:
    assert _rows(message(1), second)[1].continues is goes_on


def test_each_day_begins_with_a_divider() -> None:
    days = [row.day for row in _rows(message(1), message(2, minutes=1), message(3, minutes=24 * 60))]
    assert days == [NINE.date(), None, NINE.date() + timedelta(days=1)]


def test_the_unread_line_stands_above_the_first_unread_and_breaks_the_group() -> None:
    rows = _rows(message(1), message(2, minutes=1), first_unread=message(2).id)
    assert [row.unread_since for row in rows] == [None, NINE]
    assert rows[1].continues is False
    text = render_to_string("chat/parts/dividers.html", {"row": rows[1]}, request_of())
    line = html.fragments_fromstring(text)[0]
    assert line.get("class") == "divider divider--unread"
    assert line.get("role") == "separator"
    assert line.text_content() == "New since 09:00, 2 messages"


def test_agents_are_square_and_named_as_such() -> None:
    article = _render(_rows(message(1, LOTSE))[0])
    assert article[0].get("class") == "avatar avatar--agent"
    assert article.find_class("tag--accent")[0].text_content() == "Agent"


def test_a_mention_of_the_reader_stands_out() -> None:
    article = _render(_rows(full_message())[0])
    assert "message--mention" in article.get("class").split()
    assert [span.get("class") for span in article.find_class("mention")] == ["mention mention--me"]


def test_reactions_are_buttons_that_say_state_and_number() -> None:
    buttons = _render(_rows(full_message())[0]).find_class("reaction")
    said = [(button.get("aria-pressed"), button.get("aria-label"), button.get("value")) for button in buttons]
    assert said == [("true", "👍, 2", "👍"), ("false", "🎉, 1", "🎉")]
    assert {button.get("formaction") for button in buttons} == {
        f"/o/nordlicht/c/{CHANNEL.id}/m/{UUID(int=1007)}/react/"
    }


def test_a_deleted_message_keeps_its_place_and_nothing_else() -> None:
    article = _render(_rows(message(3, html="", body="", deleted_at=NINE))[0])
    assert "message--deleted" in article.get("class").split()
    assert article.find_class("message__body")[0].text_content() == "This message was deleted."
    assert article.find_class("message__acts") == []


def test_every_control_has_a_name() -> None:
    article = _render(_rows(full_message())[0])
    nameless = [
        html.tostring(control)
        for control in article.iter("a", "button")
        if not (control.text_content().strip() or control.get("aria-label") or control.xpath(".//img/@alt"))
    ]
    assert nameless == []


def test_templates_for_scripts_are_the_partial_itself() -> None:
    context = {"sample": sample.sample(), "conversation": CHANNEL}
    text = render_to_string("chat/templates.html", context, request_of())
    drawn = html.fragment_fromstring(text, create_parent="div")
    first = drawn.xpath('//template[@id="message-template"]/article')[0]
    assert [child.get("class").split()[0] for child in first] == [
        "avatar", "message__name", "message__body", "message__time", "message__acts",
    ]  # fmt: skip
    assert re.findall(
        r"/c/([0-9a-f-]+)/m/([0-9a-f-]+)/", first.find_class("message__time")[0].get("href")
    ) == [(str(UUID(int=1)), str(UUID(int=0)))]


def test_a_conversation_with_mentions_shows_and_says_them() -> None:
    text = render_to_string("chat/parts/conversation.html", {"c": CHANNEL}, request_of())
    link = html.fromstring(text)
    assert link.get("class") == "conv conv--unread"
    assert link.find_class("count")[0].get("class") == "count count--mention"
    assert link.text_content() == "betrieb-offshore1 mention"


def test_a_row_of_the_list_follows_what_it_shows() -> None:
    read = CHANNEL._replace(unread=0, counted=0, mentions=0)
    page = Template("{% load chat_parts %}{% conversation_rows found %}")

    def shown(conversation: ConversationView, current: UUID | None = None) -> html.HtmlElement:
        context = RequestContext(request_of(), {"found": [conversation], "current": current})
        (link,) = html.fromstring(page.render(context)).iter("a")
        return link

    assert shown(CHANNEL).get("class") == shown(CHANNEL).get("class") == "conv conv--unread"
    assert shown(read).get("class") == "conv"
    assert shown(read, read.id).get("aria-current") == "page"
    assert shown(read).get("aria-current") is None


def test_text_of_others_stays_text() -> None:
    name = '"><script>alert(1)</script>'
    stranger = type(JONAS)(JONAS.id, name, "person", "X", 1)
    article = _render(_rows(message(1, stranger))[0])
    assert article.xpath("//script") == []
    assert article.find_class("message__name")[0].text_content() == name
