"""SEC-30: we know what we ship: packages pinned with hashes, a list of components, no loader that runs its input."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from tests.security.components import components, main
from tests.security.sizes import note

ROOT = Path(__file__).resolve().parents[2]
LOCKED = sorted((ROOT / "requirements").glob("*.txt"))
SOURCES = [path for folder in ("apps", "chatsystem") for path in sorted((ROOT / folder).rglob("*.py"))]
# Loaders that build or run what their input says.
LOADERS = {
    ("pickle", "load"), ("pickle", "loads"), ("pickle", "Unpickler"), ("cPickle", "loads"), ("dill", "loads"),
    ("cloudpickle", "loads"), ("joblib", "load"), ("marshal", "load"), ("marshal", "loads"), ("shelve", "open"),
    ("yaml", "load"), ("yaml", "load_all"), ("yaml", "full_load"), ("yaml", "unsafe_load"), ("torch", "load"),
    ("jsonpickle", "decode"), ("pandas", "read_pickle"), ("numpy", "load"), ("np", "load"),
}  # fmt: skip
BUILTINS = {"eval", "exec", "compile", "__import__"}
# A call that stands and why it takes no input of anybody's.
ALLOWED: dict[str, str] = {}


def calls(tree: ast.AST) -> list[tuple[str, str, ast.Call]]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
                found.append((node.func.value.id, node.func.attr, node))
            elif isinstance(node.func, ast.Name):
                found.append(("", node.func.id, node))
    return found


def unsafe(source: str) -> list[int]:
    """Return the lines with a loader that runs its input."""
    tree, lines = ast.parse(source), []
    for module, name, node in calls(tree):
        options = {keyword.arg: keyword.value for keyword in node.keywords}
        is_safe = (
            ((module, name) == ("torch", "load") and _is_true(options.get("weights_only")))
            or (module in ("numpy", "np") and not _is_true(options.get("allow_pickle")))
            or (
                (module, name) == ("yaml", "load")
                and "Safe" in ast.dump(options.get("Loader", ast.Constant("")))
            )
        )
        if ((module, name) in LOADERS and not is_safe) or (not module and name in BUILTINS):
            lines.append(node.lineno)
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return lines + [node.lineno for node in imports if node.module in {"pickle", "marshal", "dill", "shelve"}]


def _is_true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def test_no_loader_runs_what_it_reads() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in SOURCES
        for line in unsafe(path.read_text())
        if f"{path.relative_to(ROOT)}" not in ALLOWED
    ]
    note("sec30.unsafe_loaders", len(found))
    assert len(SOURCES) > 200
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle\npickle.loads(b)",
        "yaml.load(text)",
        "torch.load(path)",
        "eval(text)",
        "from pickle import loads",
    ],
)
def test_a_loader_would_be_seen(source: str) -> None:
    assert unsafe(source)


def test_safe_ways_are_let_through() -> None:
    assert (
        unsafe(
            "yaml.safe_load(t)\ntorch.load(p, weights_only=True)\nnumpy.load(p)\nyaml.load(t, Loader=yaml.SafeLoader)"
        )
        == []
    )


@pytest.mark.parametrize("path", LOCKED, ids=lambda path: path.stem)
def test_each_package_is_pinned_with_its_hashes(path: Path) -> None:
    entries = re.findall(
        r"^([A-Za-z0-9][\w.\[\]-]*)(==\S+)?(.*?)(?=^[A-Za-z0-9]|\Z)",
        path.read_text(),
        re.MULTILINE | re.DOTALL,
    )
    loose = [name for name, pin, rest in entries if not pin or "--hash=sha256:" not in rest]
    note(f"sec30.unpinned.{path.stem}", len(loose))
    assert entries
    assert loose == []


def test_the_component_list_names_what_is_installed(capsys: pytest.CaptureFixture[str]) -> None:
    main()
    told = json.loads(capsys.readouterr().out)
    names = {part["name"].lower() for part in told["components"]}
    assert {"django", "psycopg", "channels", "celery"} <= names
    assert told["bomFormat"] == "CycloneDX"
    assert all(part["version"] and part["purl"] for part in told["components"])


def test_what_is_installed_is_what_was_locked() -> None:
    """The runtime's packages are of the locked versions; what else is in a developer's environment is not shipped."""
    locked = dict(
        re.findall(
            r"^([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?==([^\s\\;]+)",
            (ROOT / "requirements/base.txt").read_text(),
            re.MULTILINE,
        )
    )
    installed = {part.name.lower().replace("_", "-"): part.version for part in components()}
    differing = {
        name: (pin, installed[key])
        for name, pin in locked.items()
        if (key := name.lower().replace("_", "-")) in installed and installed[key] != pin
    }
    assert len(locked) > 40
    assert differing == {}
