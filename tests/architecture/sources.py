"""The sources, parsed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Import:
    """One imported module or name, absolute, and where it stands."""

    importer: str
    imported: str
    line: int
    is_inside_function: bool
    is_for_types_only: bool


@cache
def modules() -> dict[str, ast.Module]:
    """Return every module of the product by dotted name; migrations are not ours to shape."""
    found = {}
    for place in ("apps", "chatsystem"):
        for path in sorted((ROOT / place).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            if "migrations" in parts:
                continue
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def imports() -> Iterator[Import]:
    """Yield every import of ours by ours."""
    for name, tree in modules().items():
        yield from _walk(tree, name, is_inside_function=False, is_for_types_only=False)


def _walk(node: ast.AST, name: str, *, is_inside_function: bool, is_for_types_only: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        for imported in _imported(child):
            if imported.startswith(("apps.", "chatsystem")):
                yield Import(name, imported, child.lineno, is_inside_function, is_for_types_only)
        function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
        types_only = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test)
        yield from _walk(
            child,
            name,
            is_inside_function=is_inside_function or function,
            is_for_types_only=is_for_types_only or types_only,
        )


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def texts() -> Iterator[tuple[str, str]]:
    """Yield (module, text) for every text constant that is no docstring."""
    for name, tree in modules().items():
        documentation = {
            id(holder.body[0].value)
            for holder in ast.walk(tree)
            if isinstance(holder, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and holder.body
            and isinstance(holder.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and id(node) not in documentation
            ):
                yield name, node.value
