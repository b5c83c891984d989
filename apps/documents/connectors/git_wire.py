"""What is said to a Git server and what it answers; sources: gitprotocol-v2(5), -pack(5) and -http(5).

Version 2 is asked for. A server that knows only the one before answers in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from apps.documents.errors import SourceError, SourceFailed

SERVICE: Final = "git-upload-pack"
HEAD: Final = "HEAD"
MOST_REFS: Final = 100_000
_FLUSH, _DELIMITER, _END = b"0000", b"0001", b"0002"
_MARKS: Final = frozenset({_FLUSH, _DELIMITER, _END})
_HEX: Final = re.compile(rb"[0-9a-f]{4}")
_ID: Final = re.compile(r"[0-9a-f]{40}")
_NOTHING: Final = "0" * 40
_PACK, _PROGRESS = 1, 2
_PEELED: Final = "^{}"
_CAPABILITIES: Final = (
    "side-band-64k",
    "thin-pack",
    "ofs-delta",
    "no-progress",
)  # some servers insist on the second


@dataclass(frozen=True)
class Server:
    """What a server said of itself.

    Attributes:
        refs: id by name, what tags point at under `name^{}`; of version 1 only, 2 is asked for them.
    """

    version: int
    capabilities: Mapping[str, str]
    refs: Mapping[str, str] = field(default_factory=dict)

    @property
    def can_filter(self) -> bool:
        """Return whether trees can be had without their files, and then single files."""
        return self.version == 2 and "filter" in self.capabilities.get("fetch", "").split()


def read_server(body: bytes) -> Server:
    """Return what the first answer says.

    Raises:
        SourceFailed.
    """
    lines = [line for line in _packets(body) if line not in _MARKS]
    if lines and lines[0].startswith(b"# service="):
        del lines[0]
    if lines and lines[0].rstrip(b"\n") == b"version 2":
        return Server(2, dict(_capability(_text(line)) for line in lines[1:]))
    if lines and lines[0].rstrip(b"\n") == b"version 1":
        del lines[0]
    if not lines:
        raise SourceFailed(SourceError.NONSENSE)
    first, _, offered = lines[0].partition(b"\0")
    refs = _refs([first, *lines[1:]])
    return Server(1, dict(_capability(part) for part in _text(offered).split()), refs)


def ask_refs(names: Iterable[str]) -> bytes:
    """Return the request of version 2 for these names."""
    wanted = [f"ref-prefix {name}" for name in names]
    return _command("ls-refs", ["peel", "symrefs", *wanted])


def read_refs(body: bytes) -> dict[str, str]:
    """Return ids by name as `Server.refs` has them.

    Raises:
        SourceFailed.
    """
    refs = {}
    for line in _packets(body):
        if line in _MARKS:
            continue
        target, _, rest = _text(line).rstrip("\n").partition(" ")
        name, *attributes = rest.split(" ")
        refs[name] = target
        peeled = [text.removeprefix("peeled:") for text in attributes if text.startswith("peeled:")]
        refs.update((f"{name}{_PEELED}", found) for found in peeled)
    return _valid(refs)


def ask_objects(server: Server, wanted: str, *, with_files: bool, is_single: bool = False) -> bytes:
    """Return the request for a commit without its history, or for a single object.

    Args:
        with_files: without, only commit and trees are asked for.
    """
    if server.version == 1:
        able = [name for name in _CAPABILITIES if name in server.capabilities]
        lines = [" ".join(["want", wanted, *able]), "deepen 1"]
        return b"".join(map(_line, lines)) + _FLUSH + _line("done")
    lines = ["no-progress", "ofs-delta", f"want {wanted}"]
    if not is_single:
        lines.append("deepen 1")
    if not with_files:
        lines.append("filter blob:none")
    return _command("fetch", [*lines, "done"])


def read_objects(body: bytes) -> bytes:
    """Return the pack of an answer.

    Raises:
        SourceFailed: also where the server says why there is none.
    """
    pack = bytearray()
    packets = _packets(body)
    for line in packets:
        if line.rstrip(b"\n") in (b"packfile", b"NAK"):
            break
    for line in packets:
        if line in _MARKS:
            continue
        if line[0] == _PACK:
            pack += memoryview(line)[1:]
        elif line[0] != _PROGRESS:
            raise SourceFailed(SourceError.NONSENSE)
    return bytes(pack)


def target_of(refs: Mapping[str, str], name: str) -> str:
    """Return the commit of a branch, of a tag, or, for an empty name, of what the server thinks is meant.

    Raises:
        SourceFailed.
    """
    for ref in names_of(name):
        if ref in refs:
            return refs.get(f"{ref}{_PEELED}", refs[ref])
    raise SourceFailed(SourceError.BRANCH_GONE if name and HEAD in refs else SourceError.EMPTY)


def names_of(name: str) -> list[str]:
    """Return what a name may mean, the likeliest first."""
    return [f"refs/heads/{name}", f"refs/tags/{name}"] if name else [HEAD]


def _packets(body: bytes) -> Iterator[bytes]:
    """Yield what is between the lengths, and the marks as they are; a length of 4 is an empty packet."""
    at, found = 0, 0
    while at < len(body):
        head = body[at : at + 4]
        found += 1
        if not _HEX.fullmatch(head) or head == b"0003" or found > 4 * MOST_REFS:
            raise SourceFailed(SourceError.NONSENSE)
        if head in _MARKS:
            yield head
            at += 4
            continue
        size = int(head, 16)
        line = body[at + 4 : at + size]
        if len(line) != size - 4:
            raise SourceFailed(SourceError.NONSENSE)
        if line.startswith(b"ERR "):
            raise SourceFailed(SourceError.MISSING)
        if line:
            yield line
        at += size


def _refs(lines: Iterable[bytes]) -> dict[str, str]:
    found = {}
    for line in lines:
        target, _, name = _text(line).rstrip("\n").partition(" ")
        if target == _NOTHING or target in ("shallow", "unshallow"):
            continue  # an empty repository still says what it can
        found[name] = target
    return _valid(found)


def _valid(refs: dict[str, str]) -> dict[str, str]:
    if len(refs) > MOST_REFS or not all(_ID.fullmatch(target) for target in refs.values()):
        raise SourceFailed(SourceError.NONSENSE)
    return refs


def _capability(text: str) -> tuple[str, str]:
    name, _, value = text.rstrip("\n").partition("=")
    return name, value


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace")


def _command(name: str, arguments: Iterable[str]) -> bytes:
    return _line(f"command={name}") + _DELIMITER + b"".join(map(_line, arguments)) + _FLUSH


def _line(text: str) -> bytes:
    data = text.encode() + b"\n"
    return b"%04x%b" % (len(data) + 4, data)
