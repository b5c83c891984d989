"""Who may import whom. The layers themselves are an import-linter contract; this is what it cannot say."""

from __future__ import annotations

import pytest

from tests.architecture.sources import Import, imports

OPEN = ("services", "selectors", "events", "types", "errors")
# Parts of accounts that entry points of other apps stand on: who calls, and may this key do it.
DOORS = (
    "apps.accounts.api.permissions",
    "apps.accounts.api.authentication",
    "apps.accounts.middleware",
    "apps.accounts.requests",
)
LOADED_WHEN_NEEDED = ("apps.documents.parsing.sources", "apps.documents.sandbox.child")
ENTRY_POINTS = (
    "api",
    "views",
    "consumers",
    "admin",
    "console",
    "middleware",
    "handlers",
    "tasks",
    "management",
)


def app_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if parts[0] == "apps" and len(parts) > 1 else ""


def part_of(module: str) -> str:
    return module.split(".")[2] if module.count(".") >= 2 else ""


def between_apps() -> list[Import]:
    return [
        one
        for one in imports()
        if app_of(one.importer) and app_of(one.imported) not in ("", "core", app_of(one.importer))
    ]


def is_allowed(one: Import) -> bool:
    if part_of(one.imported) in OPEN or one.is_for_types_only:
        return True
    return one.imported.startswith(DOORS) and part_of(one.importer).split("_")[-1] in ENTRY_POINTS


def test_apps_meet_at_services_selectors_events_types_and_errors_only():
    assert len(between_apps()) > 50
    assert [
        f"{one.importer}:{one.line} imports {one.imported}" for one in between_apps() if not is_allowed(one)
    ] == []


def test_nobody_imports_the_wiring():
    assert [one for one in imports() if app_of(one.importer) and one.imported.startswith("chatsystem")] == []


def test_core_imports_no_other_app():
    assert [
        one for one in imports() if app_of(one.importer) == "core" and app_of(one.imported) != "core"
    ] == []


def test_no_import_hides_in_a_function():
    """It hides a cycle. Exceptions: `ready`, which runs when models are loaded, and what a small child loads."""
    hidden = [
        f"{one.importer}:{one.line}"
        for one in imports()
        if one.is_inside_function
        and not one.importer.endswith(".apps")
        and one.importer not in LOADED_WHEN_NEEDED
    ]
    assert hidden == []


def test_services_never_import_tasks_or_entry_points():
    strange = [
        f"{one.importer}:{one.line} imports {one.imported}"
        for one in imports()
        if part_of(one.importer) in ("services", "selectors")
        and app_of(one.importer) == app_of(one.imported)
        and part_of(one.imported) in ("tasks", "views", "api", "consumers", "handlers", "admin", "console")
    ]
    assert strange == []


@pytest.mark.parametrize("text", ["apps.core", "apps.accounts.services.access"])
def test_the_parts_of_a_name(text):
    assert app_of(text) == text.split(".")[1]
