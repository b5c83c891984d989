"""What must stay true of the code: one write path, known events, described settings, no forbidden shortcut."""

from __future__ import annotations

import ast
import re

import pytest

from apps.core.events.types import registered
from apps.ops import reference
from tests.architecture.sources import ROOT, modules, texts

INSERT = r"INSERT\s+INTO\s+(public\.)?chat_message\b"
DEFINITION = r"(?s)CREATE OR REPLACE FUNCTION chat_send_batch\([^$]*AS \$\$.*?\nEND \$\$"


def test_messages_are_inserted_in_one_place_only():
    """The write path is the SQL function; a second INSERT would skip sequence, event and idempotency."""
    inserting = [name for name, text in texts() if re.search(INSERT, text, re.IGNORECASE)]
    creating = [
        f"{name}:{node.lineno}"
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and re.fullmatch(r"Message(\.objects\.\w*create\w*)?", ast.unparse(node.func))
    ]
    assert inserting == []
    assert creating == []
    migrations = [path.read_text(encoding="utf-8") for path in (ROOT / "apps").glob("*/migrations/*.py")]
    definitions = [found for text in migrations for found in re.findall(DEFINITION, text)]
    assert definitions != []
    # A later definition replaces the function. Each holds the INSERT once; nothing else does.
    assert {len(re.findall(INSERT, found, re.IGNORECASE)) for found in definitions} == {1}
    outside = "".join(re.sub(DEFINITION, "", text) for text in migrations)
    assert re.search(INSERT, outside, re.IGNORECASE) is None


def ours():
    return {name: cls for name, cls in registered().items() if cls.__module__.startswith("apps.")}


def test_event_types_are_dotted_and_live_in_the_events_of_their_app():
    assert len(ours()) > 5
    assert [name for name in ours() if not re.fullmatch(r"[a-z_]+\.[a-z_]+", name)] == []
    assert [cls for cls in ours().values() if cls.__module__.split(".")[2] != "events"] == []


def test_every_event_says_what_it_means():
    assert [name for name, cls in ours().items() if (cls.__doc__ or "").startswith(f"{cls.__name__}(")] == []


@pytest.mark.parametrize("name", ["settings.md", "events.md"])
def test_settings_and_events_are_documented_as_they_are(name):
    written = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
    assert written == reference.pages()[name], "run `manage.py reference`"


def test_no_setting_is_read_past_the_groups():
    """`os.environ` belongs to the settings, the supervisor, and what starts or asks about processes."""
    allowed = (
        "apps.core.conf",
        "chatsystem",
        "apps.ops.selectors.figures",
        "apps.elyza.server.__main__",
        "apps.documents.sandbox.client",
    )
    readers = [
        name
        for name, tree in modules().items()
        if not name.startswith(allowed) and re.search(r"\bos\.(environ|getenv)\b", ast.unparse(tree))
    ]
    assert readers == []


def test_no_except_is_silent():
    silent = [
        f"{name}:{node.lineno}"
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and len(node.body) == 1
        and isinstance(node.body[0], ast.Pass)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
    ]
    assert silent == []


def test_no_model_is_reached_by_the_back_door():
    assert [name for name, tree in modules().items() if "apps.get_model(" in ast.unparse(tree)] == []


def test_relations_point_nowhere_back():
    """`related_name="+"`: nobody reaches upwards through a reverse relation."""
    wrong = [
        f"{name}:{node.lineno}"
        for name, tree in modules().items()
        if ".models" in name
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("models.ForeignKey", "models.OneToOneField")
        and "related_name='+'" not in ast.unparse(node)
    ]
    assert wrong == []
