"""Texts are found in code and templates, translations survive, and what is missing is named."""

import gettext
from pathlib import Path

import pytest

from chatsystem import messages

CODE = """
from django.utils.translation import gettext as _, ngettext, pgettext_lazy
# Translators: the verb
A = _("Save")
B = ngettext("%(count)s page", "%(count)s pages", 2)
C = pgettext_lazy("colour", "Light")
D = _(A)
"""
TEMPLATE = """{% load i18n %}
    <p title="{% translate "It's 100%" %}">{{ _("Inline") }}
  {% blocktranslate count n=pages|length with name=person.name trimmed %}
      {{ name }} read
      {{ n }} page
  {% plural %}{{ name }} read {{ n }} pages{% endblocktranslate %}</p>
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for directory in ("apps/chat/migrations", "templates", "chatsystem", "locale/de/LC_MESSAGES"):
        (tmp_path / directory).mkdir(parents=True)
    (tmp_path / "apps" / "chat" / "views.py").write_text(CODE)
    (tmp_path / "apps" / "chat" / "migrations" / "0001.py").write_text('_("never shown")')
    (tmp_path / "templates" / "page.html").write_text(TEMPLATE)
    return tmp_path


def translate(project: Path, translations: dict[str, str]) -> None:
    catalogue = project / "locale/de/LC_MESSAGES/django.po"
    text = catalogue.read_text()
    for original, german in translations.items():
        head, found, tail = text.partition(f'msgid "{original}"\nmsgstr ""')
        assert found, original
        text = f'{head}msgid "{original}"\nmsgstr "{german}"{tail}'
    catalogue.write_text(text)


def test_texts_of_code_and_templates_are_found(project: Path) -> None:
    found = messages.collect(project)

    assert [message.id for message in found if message.id] == [
        "Save",
        ("%(count)s page", "%(count)s pages"),
        "Light",
        "It's 100%%",
        "Inline",
        ("%(name)s read %(n)s page", "%(name)s read %(n)s pages"),
    ]
    assert found.get("Light", "colour") is not None
    save = found.get("Save")
    assert save is not None
    assert save.auto_comments == ["Translators: the verb"]
    assert save.locations == [("apps/chat/views.py", 4)]


def test_translations_survive_new_and_removed_texts(project: Path) -> None:
    messages.update(project)
    translate(project, {"Save": "Speichern", "Inline": "Im Text"})
    (project / "apps" / "chat" / "views.py").write_text('_("Save")\n_("New")\n')

    found = messages.update(project)

    catalogue = (project / "locale/de/LC_MESSAGES/django.po").read_text()
    assert 'msgstr "Speichern"' in catalogue
    assert "Light" not in catalogue
    assert "de: no translation: 'New'" in found
    with (project / "locale/de/LC_MESSAGES/django.mo").open("rb") as compiled:
        assert gettext.GNUTranslations(compiled).gettext("Save") == "Speichern"


def test_second_update_changes_nothing(project: Path) -> None:
    messages.update(project)
    catalogue = project / "locale/de/LC_MESSAGES/django.po"
    before = catalogue.read_bytes()

    messages.update(project)

    assert catalogue.read_bytes() == before


def test_check_names_what_is_wrong_and_writes_nothing(project: Path) -> None:
    (project / "apps" / "chat" / "views.py").write_text('_("Save")\n_("%(name)s left")\n_("Open")\n')
    (project / "templates" / "page.html").write_text("")
    messages.update(project)
    translate(project, {"Save": "Speichern", "%(name)s left": "%(wer)s ist gegangen"})
    catalogue = project / "locale/de/LC_MESSAGES/django.po"
    catalogue.write_text(
        catalogue.read_text().replace(
            '#: apps/chat/views.py\nmsgid "Save"', '#: apps/chat/views.py\n#, fuzzy\nmsgid "Save"'
        )
    )
    before = catalogue.read_bytes()

    found = messages.check(project)

    assert "de: not up to date, run ./run messages" in found
    assert "de: fuzzy: 'Save'" in found
    assert "de: no translation: 'Open'" in found
    assert any("%(name)s left" in line and "placeholder" in line for line in found)
    assert catalogue.read_bytes() == before


def test_complete_catalogue_has_nothing_to_report(project: Path) -> None:
    (project / "apps" / "chat" / "views.py").write_text('_("Save")\n')
    (project / "templates" / "page.html").write_text("")
    messages.update(project)
    translate(project, {"Save": "Speichern"})

    assert messages.update(project) == []
    assert messages.check(project) == []
