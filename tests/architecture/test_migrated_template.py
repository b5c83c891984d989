"""The migrated cluster that tests copy is made anew when anything changes that a migration reads."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from chatsystem.testing.template import READ_BY_MIGRATIONS, ROOT


def imported(path: Path) -> Iterator[str]:
    """Return the names of our modules that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_the_key_of_the_template_covers_what_migrations_import() -> None:
    known = {path for pattern in READ_BY_MIGRATIONS for path in ROOT.glob(pattern)}
    modules = {
        name for path in ROOT.glob("apps/*/migrations/*.py") for name in imported(path)
        if name.startswith(("apps.", "chatsystem."))
    }  # fmt: skip
    files = {ROOT.joinpath(*name.split(".")).with_suffix(".py") for name in modules}
    assert len(files) >= 3
    assert files <= known
