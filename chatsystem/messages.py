"""`python -m chatsystem.messages`: collect the texts of code and templates, compile the translations.

Everything happens in Python (Babel); GNU gettext is not needed. A language is a directory
`locale/<language>/LC_MESSAGES/`; its `.po` and `.mo` are both committed. `--check` changes nothing and exits
1 for a text without a translation, a fuzzy one, one with other placeholders, or a file that is out of date.
"""

import argparse
import io
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[1]
CODE = ("apps", "chatsystem")
TEMPLATES = ("templates", "apps")
WIDTH = 100
_FUNCTIONS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop")),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ((1, "c"), 2, 3)),
}
_COMMENT = "Translators:"


def collect(root: Path) -> Catalog:
    """Every translatable text below `root`, with the files it stands in and the notes for translators."""
    found = Catalog(charset="utf-8", fuzzy=False)
    for path, source in _sources(root):
        place = path.relative_to(root).as_posix()
        calls = extract("python", io.BytesIO(source.encode()), _FUNCTIONS, [_COMMENT], {"encoding": "utf-8"})
        for line, text, comments, context in calls:
            found.add(text, locations=[(place, line)], auto_comments=comments, context=context)
    return found


def _sources(root: Path) -> Iterator[tuple[Path, str]]:
    """Python files as they are; templates as calls, in brackets so that indentation means nothing."""
    for path in _files(root, CODE, ("*.py",)):
        yield path, path.read_text(encoding="utf-8")
    for path in _files(root, TEMPLATES, ("*.html", "*.txt")):
        calls = templatize(path.read_text(encoding="utf-8"), origin=str(path))
        yield path, f"({calls})"


def _files(root: Path, directories: Iterable[str], patterns: Iterable[str]) -> list[Path]:
    return sorted(
        path
        for directory in directories
        for pattern in patterns
        for path in (root / directory).rglob(pattern)
        if "migrations" not in path.parts
    )


def merge(path: Path, collected: Catalog) -> Catalog:
    """The catalogue in `path` with the collected texts: new ones empty, those no longer used dropped."""
    written = io.BytesIO(path.read_bytes() if path.exists() else b"")
    catalog = read_po(written, locale=path.parents[1].name)
    catalog.header_comment, catalog.fuzzy = "# Translations of chatsystem.", False
    catalog.project, catalog.version, catalog.msgid_bugs_address = "chatsystem", "", ""
    catalog.last_translator, catalog.language_team = "", ""
    catalog.revision_date = collected.creation_date = catalog.creation_date
    catalog.update(collected, no_fuzzy_matching=True)
    catalog.obsolete.clear()
    return catalog


def as_po(catalog: Catalog) -> bytes:
    written = io.BytesIO()
    write_po(written, catalog, width=WIDTH, include_lineno=False, sort_output=True)
    return written.getvalue()


def as_mo(catalog: Catalog) -> bytes:
    written = io.BytesIO()
    write_mo(written, catalog)
    return written.getvalue()


def problems(catalog: Catalog) -> list[str]:
    """What keeps a catalogue from being complete, one line a text."""
    found = []
    for message in catalog:
        if not message.id:
            continue
        text = _one(message.id)
        if not _is_translated(message):
            found.append(f"no translation: {text!r}")
        elif message.fuzzy:
            found.append(f"fuzzy: {text!r}")
        else:
            found += [f"{error}: {text!r}" for error in message.check(catalog)]
    return found


def _is_translated(message: Message) -> bool:
    texts = message.string if isinstance(message.string, (list, tuple)) else (message.string,)
    return all(texts)


def _one(text: str | list[str] | tuple[str, ...]) -> str:
    return text if isinstance(text, str) else text[0]


def catalogues(root: Path) -> list[Path]:
    return sorted(directory / "django.po" for directory in (root / "locale").glob("*/LC_MESSAGES"))


def update(root: Path) -> list[str]:
    """Write every catalogue again and return what is incomplete, each line with its language."""
    collected = collect(root)
    found = []
    for path in catalogues(root):
        catalog = merge(path, collected)
        path.write_bytes(as_po(catalog))
        path.with_suffix(".mo").write_bytes(as_mo(catalog))
        found += [f"{catalog.locale}: {problem}" for problem in problems(catalog)]
    return found


def check(root: Path) -> list[str]:
    """What `update` would find or change; nothing is written."""
    collected = collect(root)
    found = []
    for path in catalogues(root):
        catalog = merge(path, collected)
        expected = {path: as_po(catalog), path.with_suffix(".mo"): as_mo(catalog)}
        if any(not file.exists() or file.read_bytes() != content for file, content in expected.items()):
            found.append(f"{catalog.locale}: not up to date, run ./run messages")
        found += [f"{catalog.locale}: {problem}" for problem in problems(catalog)]
    return found


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="./run messages", description="Collect and compile translations.")
    parser.add_argument("--check", action="store_true", help="change nothing, exit 1 if something is missing")
    asked = parser.parse_args(arguments)
    found = check(ROOT) if asked.check else update(ROOT)
    for line in found:
        print(line)
    print(f"{len(found)} open" if found else "complete")
    return 1 if asked.check and found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
