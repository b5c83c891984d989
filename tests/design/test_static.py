"""What `static/` carries: untouched third parties, style sheets that hold the rules of the visual reference."""

import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest
from django.conf import LazySettings, settings

from chatsystem.static_storage import ModuleManifestStorage

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static"
SHEETS = sorted((STATIC / "css").glob("*.css"))
VENDORED = json.loads((STATIC / "vendor/vendor.json").read_text())


@pytest.mark.parametrize("entry", VENDORED, ids=lambda entry: entry["file"])
def test_vendored_files_are_the_recorded_ones(entry: dict[str, str]) -> None:
    content = (STATIC / "vendor" / entry["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == entry["sha256"]


def test_every_vendored_file_is_recorded() -> None:
    present = {
        str(path.relative_to(STATIC / "vendor"))
        for path in (STATIC / "vendor").rglob("*")
        if path.is_file() and path.parent.name != "licences" and path.name != "vendor.json"
    }
    assert present == {entry["file"] for entry in VENDORED}


def test_versions_are_those_of_the_lock_file() -> None:
    locked = json.loads((ROOT / "frontend/package-lock.json").read_text())["packages"]
    recorded = {entry["name"]: entry["version"] for entry in VENDORED}
    assert recorded == {name: locked[f"node_modules/{name}"]["version"] for name in recorded}


def test_every_style_sheet_is_linked() -> None:
    templates = "".join(path.read_text() for path in (ROOT / "templates").rglob("*.html"))
    linked = set(re.findall(r"css/([\w-]+\.css)", templates))
    linked |= {f"{name}.css" for name in settings.STYLESHEETS}
    assert sorted(linked) == [sheet.name for sheet in SHEETS]


def test_the_style_sheets_of_every_page_become_one_in_their_order(
    tmp_path: Path, settings: LazySettings
) -> None:
    settings.JOINED_STYLESHEET = "css/joined.css"
    shutil.copytree(STATIC / "css", tmp_path / "css")
    target = ModuleManifestStorage(tmp_path, "/static/")
    found = {f"css/{sheet.name}": (target, f"css/{sheet.name}") for sheet in SHEETS}
    list(target.post_process(found))
    rules = [(STATIC / f"css/{name}.css").read_text() for name in settings.STYLESHEETS]
    assert (tmp_path / target.stored_name("css/joined.css")).read_text() == "\n".join(rules)


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_style_sheets_use_logical_properties(sheet: Path) -> None:
    physical = re.findall(
        r"(?:margin|padding|border)-(?:left|right)|[{;]\s*(?:left|right|float):", sheet.read_text()
    )
    assert physical == []


@pytest.mark.parametrize("name", re.findall(r'{% icon "([\w-]+)"', "\n".join(
    path.read_text() for path in sorted((ROOT / "templates").rglob("*.html"))
)))  # fmt: skip
def test_every_named_icon_is_in_the_sprite(name: str) -> None:
    assert f'<symbol id="{name}"' in (STATIC / "icons.svg").read_text()


@pytest.mark.parametrize("template", sorted((ROOT / "templates").rglob("*.html")), ids=lambda path: path.name)
def test_templates_have_no_inline_style_or_script(template: Path) -> None:
    text = re.sub(r"{%.*?%}", "", template.read_text())
    inline = re.findall(r"\sstyle=|<style|\son\w+=|<script(?![^>]*(?:src=|type=\"application/json\"))", text)
    assert inline == []
