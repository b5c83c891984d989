"""Texts of templates: constants are looked up once for each language, everything else each time."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.template import Context, Template
from django.utils import translation

from apps.core.templatetags.texts import ConstantText

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"


def _drawn(template: Template, language: str, **values: object) -> str:
    with translation.override(language):
        return template.render(Context(values))


def test_a_constant_text_follows_the_language_of_the_reader() -> None:
    template = Template('{% translate "Search" %}')
    assert [_drawn(template, language) for language in ("en", "de", "en", "de")] == [
        "Search",
        "Suche",
        "Search",
        "Suche",
    ]


def test_a_constant_text_is_looked_up_once_for_each_language(monkeypatch: pytest.MonkeyPatch) -> None:
    template = Template('{% translate "Search" %}')
    (node,) = template.nodelist.get_nodes_by_type(ConstantText)
    looked: list[str | None] = []
    render = type(node.translated).render

    def counted(self: object, context: Context) -> str:
        looked.append(translation.get_language())
        text: str = render(self, context)
        return text

    monkeypatch.setattr(type(node.translated), "render", counted)
    for language in ("en", "de", "en", "de"):
        _drawn(template, language)
    assert looked == ["en", "de"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{% translate word %}", "Suche"),
        ('{% translate "Search" as found %}[{{ found }}]', "[Suche]"),
        ('{% translate "Search"|upper %}', "SUCHE"),
        ('{% translate "Search" noop %}', "Search"),
        ('{% translate "Search" context "no such context" %}', "Search"),
        ('{% translate "100 %" %}', "100 %"),
        ('{% trans "Search" %}', "Suche"),
    ],
)
def test_every_other_form_means_what_it_means_in_django(text: str, expected: str) -> None:
    template = Template(text)
    assert [_drawn(template, "de", word="Search") for _ in range(2)] == [expected, expected]


def test_a_text_with_signs_of_html_is_drawn_as_django_draws_it() -> None:
    ours = Template('{% translate "<b>Bold</b> & more" %}')
    django = Template('{% load i18n %}{% translate "<b>Bold</b> & more" %}')
    assert _drawn(ours, "en") == _drawn(django, "en")


def test_no_template_loads_what_all_have() -> None:
    loading = [str(path) for path in TEMPLATES.rglob("*.*") if "i18n" in path.read_text()]
    assert loading == []
