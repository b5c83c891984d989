"""The small parts say what they show, to eyes and to ears."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import time_machine
from django.template import Context, Template
from django.utils import timezone, translation

from tests.design.samples import JONAS, LOTSE, READER, request_of


def _draw(source: str, **context: object) -> str:
    return Template(source).render(Context({"request": request_of(READER), **context}))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('{% count 0 "unread" %}', ""),
        ('{% count 3 "unread" %}', '<span class="count">3<span class="sr"> unread</span></span>'),
        (
            '{% count 1 "mention" %}',
            '<span class="count count--mention">1<span class="sr"> mention</span></span>',
        ),
        ('{% count 1000 "plain" %}', '<span class="count">999+</span>'),
        ('{% tag text "warn" %}', '<span class="tag tag--warn">&lt;b&gt;</span>'),
        ('{% state "run" "läuft" %}', '<span class="state state--run">läuft</span>'),
        (
            '{% progress 3 10 "Plan, 30 percent" "bad" %}',
            '<progress value="3" max="10" aria-label="Plan, 30 percent" class="is-bad"></progress>',
        ),
    ],
)
def test_signs(source: str, expected: str) -> None:
    assert _draw(source, text="<b>") == expected


def test_faces_of_people_are_round_and_of_agents_square() -> None:
    person = _draw('{% avatar person size="s" presence="off" %}', person=JONAS)
    assert person.startswith('<span class="avatar avatar--s" data-tint="3" aria-hidden="true">JP')
    assert f'data-presence-of="{JONAS.id}"' in person
    assert 'class="avatar avatar--agent"' in _draw("{% avatar person %}", person=LOTSE)


@pytest.mark.parametrize(
    ("language", "form", "expected"),
    [
        ("en", "time", "15:05"),
        ("de", "day", "3. Nov."),
        ("en", "day", "3 Nov"),
        ("de", "stamp", "3. Nov., 15:05"),
        ("en", "full", "3 November 2026, 15:05"),
        ("de", "full", "3. November 2026, 15:05"),
    ],
)
def test_moments_are_written_as_the_language_does(language: str, form: str, expected: str) -> None:
    when = datetime(2026, 11, 3, 14, 5, tzinfo=UTC)
    with translation.override(language), timezone.override("Europe/Berlin"):
        drawn = _draw("{% moment when form %}", when=when, form=form)
    assert drawn == f'<time datetime="2026-11-03T14:05:00.000+00:00" data-form="{form}">{expected}</time>'


@time_machine.travel("2026-11-24T12:00:00Z", tick=False)
@pytest.mark.parametrize(
    ("day", "english", "german"),
    [
        (date(2026, 11, 24), "Today", "Heute"),
        (date(2026, 11, 23), "Yesterday", "Gestern"),
        (date(2026, 11, 20), "Friday, 20 November", "Freitag, 20. November"),
        (date(2025, 11, 20), "Thursday, 20 November 2025", "Donnerstag, 20. November 2025"),
    ],
)
def test_days_have_names(day: date, english: str, german: str) -> None:
    for language, expected in (("en", english), ("de", german)):
        with translation.override(language):
            assert _draw("{{ day|day_name }}", day=day) == expected


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36",
            "Chrome, Linux",
        ),
        ("Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Windows"),
        ("curl/8.5", "curl/8.5"),
        ("", "unknown browser"),
    ],
)
def test_browsers_are_called_by_their_names(agent: str, expected: str) -> None:
    assert _draw("{{ agent|browser }}", agent=agent) == expected
