"""Walk the trees of a commit: which files it has, by path. Names in trees come from strangers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from apps.documents.connectors.contract import LONGEST_ID
from apps.documents.connectors.git_pack import COMMIT, TREE, Stored
from apps.documents.connectors.paths import Patterns, is_readable, is_showable
from apps.documents.errors import SourceError, SourceFailed

MOST_FILES: Final = 10_000
MOST_ENTRIES: Final = 200_000  # visited, so that trees that name each other again and again end
_LONGEST_PATH: Final = 4096
_FOLDER: Final = b"40000"
_FILES: Final = frozenset({b"100644", b"100755", b"100664"})  # no links, no submodules
_ID_BYTES: Final = 20


@dataclass
class Found:
    """Files to read by path with their ids, and those whose names cannot be shown."""

    files: dict[str, str] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)


def walk(objects: Mapping[str, Stored], commit: str, patterns: Patterns) -> Found:
    """Return the files of a commit that can be documents and that are wanted.

    Raises:
        SourceFailed: an object is missing or damaged; more files than are read.
    """
    found, visited = Found(), 0
    waiting = [("", _tree_of(objects, commit))]
    while waiting:
        place, tree = waiting.pop()
        for mode, name, target in _entries(_object(objects, tree, TREE)):
            visited += 1
            if visited > MOST_ENTRIES or len(found.files) > MOST_FILES:
                raise SourceFailed(SourceError.TOO_MANY)
            path = f"{place}{_shown(name)}"
            if not name or b"/" in name or name.startswith(b".") or len(path) > _LONGEST_PATH:
                continue
            if mode == _FOLDER:
                waiting.append((f"{path}/", target))
            elif mode in _FILES:
                _note(found, path, target, patterns)
    return found


def _note(found: Found, path: str, target: str, patterns: Patterns) -> None:
    if not is_readable(path) or not patterns.match(path):
        return
    if is_showable(path):
        found.files[path] = target
    elif len(found.unreadable) < MOST_FILES:
        found.unreadable.append(path.encode("unicode_escape").decode("ascii")[:LONGEST_ID])


def _tree_of(objects: Mapping[str, Stored], commit: str) -> str:
    first, _, _rest = _object(objects, commit, COMMIT).partition(b"\n")
    word, _, tree = first.partition(b" ")
    if word != b"tree":
        raise SourceFailed(SourceError.NONSENSE)
    return tree.decode("ascii", "replace")


def _object(objects: Mapping[str, Stored], name: str, kind: int) -> bytes:
    stored = objects.get(name)
    if stored is None or stored.kind != kind:
        raise SourceFailed(SourceError.NONSENSE)
    return stored.data


def _entries(tree: bytes) -> Iterator[tuple[bytes, bytes, str]]:
    """Yield mode, name and id of each entry."""
    at = 0
    while at < len(tree):
        end = tree.find(b"\0", at)
        mode, _, name = tree[at:end].partition(b" ")
        target = tree[end + 1 : end + 1 + _ID_BYTES]
        if end < 0 or len(target) != _ID_BYTES:
            raise SourceFailed(SourceError.NONSENSE)
        yield mode, name, target.hex()
        at = end + 1 + _ID_BYTES


def _shown(name: bytes) -> str:
    """Return a name; what is no UTF-8 in it becomes a mark that no name has, so that it is not shown as it is."""
    return name.decode("utf-8", "surrogateescape")
