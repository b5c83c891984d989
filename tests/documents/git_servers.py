"""Git over HTTP for tests: a real repository, written by dulwich, behind three servers that know nothing of our client.

`version_2` speaks what gitprotocol-v2(5) says, `dulwich` the version before it, `git` is Git's own http-backend.
"""

from __future__ import annotations

import base64
import io
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dulwich.index import commit_tree
from dulwich.objects import Blob, Commit, ShaFile, Tag, Tree
from dulwich.pack import write_pack_objects
from dulwich.repo import Repo
from dulwich.server import DictBackend
from dulwich.web import make_wsgi_chain

from apps.documents.types import SourceKind
from tests.core.outbound_servers import Play, Server, reply

PATH = "/team/handbook"
REGULAR, LINK, SUBMODULE = 0o100644, 0o120000, 0o160000
WHEN = 1_780_000_000
KIND = "application/x-git-upload-pack"
GIT_BACKEND = Path("/usr/lib/git-core/git-http-backend")


@dataclass(frozen=True)
class Asked:
    """A request as a server sees it."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_version_2(self) -> bool:
        return self.headers.get("git-protocol") == "version=2"


Answering = Callable[[Asked], bytes | Play]


@dataclass
class Repository:
    """A bare repository that a test changes; each change is a commit."""

    path: Path
    files: dict[bytes, tuple[int, bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.repo = Repo.init_bare(str(self.path), mkdir=True)
        self.repo.refs.set_symbolic_ref(b"HEAD", b"refs/heads/main")
        config = self.repo.get_config()
        config.set((b"uploadpack",), b"allowFilter", b"true")
        config.set((b"http",), b"getanyfile", b"false")
        config.write_to_path()

    def put(self, name: str | bytes, data: bytes, *, mode: int = REGULAR, branch: str = "main") -> None:
        blob = Blob.from_string(data)
        self.repo.object_store.add_object(blob)
        self.files[name if isinstance(name, bytes) else name.encode()] = (mode, blob.id)
        self.commit(branch)

    def take(self, name: str, *, branch: str = "main") -> None:
        del self.files[name.encode()]
        self.commit(branch)

    def commit(self, branch: str = "main") -> None:
        entries = [(path, blob, mode) for path, (mode, blob) in self.files.items()]
        self.commit_to(commit_tree(self.repo.object_store, entries), branch)

    def commit_to(self, tree: bytes, branch: str = "main") -> None:
        ref = b"refs/heads/" + branch.encode()
        commit = Commit()
        commit.tree, commit.message = tree, b"A change."
        commit.parents = [self.repo.refs[ref]] if ref in self.repo.refs else []
        commit.author = commit.committer = b"A <a@git.example>"
        commit.author_time = commit.commit_time = WHEN
        commit.author_timezone = commit.commit_timezone = 0
        self.repo.object_store.add_object(commit)
        self.repo.refs[ref] = commit.id

    def tag(self, name: str) -> None:
        """Name the newest commit, by an object of its own."""
        tag = Tag()
        tag.name, tag.message, tag.tagger = name.encode(), b"A release.", b"A <a@git.example>"
        tag.tag_time, tag.tag_timezone = WHEN, 0
        tag.object = (Commit, self.repo.refs[b"HEAD"])
        self.repo.object_store.add_object(tag)
        self.repo.refs[b"refs/tags/" + name.encode()] = tag.id


@dataclass
class Forge:
    """A place documents are read from: a repository and the server before it."""

    repository: Repository
    answering: Answering
    server: Server
    kind: SourceKind = SourceKind.GIT
    secret: str = ""
    pair: str = ""
    asked: list[Asked] = field(default_factory=list)

    def url(self) -> str:
        return f"https://git.example:{self.server.port}{PATH}"

    def settings(self, **more: Any) -> dict[str, Any]:
        return {"url": self.url(), **more}

    def put(self, name: str, data: bytes) -> None:
        self.repository.put(name, data)

    def take(self, name: str) -> None:
        self.repository.take(name)

    def spoil(self, name: str) -> None:
        self.repository.put(name, b"")

    def posts(self) -> int:
        return sum(one.method == "POST" for one in self.asked)

    def play(self, line: socket.socket) -> None:
        head, body = self.server.heads[-1], self.server.bodies[-1]
        first, *rest = head.split("\r\n")
        method, target, _ = first.split(" ")
        path, _, query = target.partition("?")
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (row.partition(":") for row in rest)
        }
        one = Asked(method, path, query, headers, body)
        self.asked.append(one)
        expected = f"Basic {base64.b64encode(self.pair.encode()).decode()}"
        if self.pair and headers.get("authorization") != expected:
            line.sendall(reply(b"", "WWW-Authenticate: Basic", status="401 Unauthorized"))
        else:
            said = self.answering(one)
            line.sendall(said) if isinstance(said, bytes) else said(line)

    def routes(self) -> dict[str, bytes | Play]:
        return {f"{PATH}/info/refs?service=git-upload-pack": self.play, f"{PATH}/git-upload-pack": self.play}


# Version 2


def pkt(data: bytes) -> bytes:
    return b"%04x" % (len(data) + 4) + data


def packed(objects: list[ShaFile], repo: Repo) -> bytes:
    target = io.BytesIO()
    write_pack_objects(target, [(one, None) for one in objects], repo.object_format)
    return target.getvalue()


def banded(pack: bytes) -> bytes:
    pieces = [pack[at : at + 60_000] for at in range(0, len(pack), 60_000)]
    return pkt(b"\x02Counting\n") + b"".join(pkt(b"\x01" + piece) for piece in pieces) + b"0000"


ServeForge = Callable[[Callable[[Repository], Answering]], Forge]


def version_2(repository: Repository, *, filtering: bool = True) -> Answering:
    """A server that speaks version 2, from its documentation."""

    def answer(asked: Asked) -> bytes:
        assert asked.is_version_2
        if asked.method == "GET":
            fetch = b"fetch=shallow wait-for-done" + (b" filter" if filtering else b"")
            lines = [
                b"version 2\n",
                b"agent=test\n",
                b"ls-refs=unborn\n",
                fetch + b"\n",
                b"object-format=sha1\n",
            ]
            said = pkt(b"# service=git-upload-pack\n") + b"0000" + b"".join(map(pkt, lines)) + b"0000"
            return reply(said, kind=f"{KIND}-advertisement")
        lines = lines_of(asked.body)
        if lines[0] == "command=ls-refs":
            return reply(refs(repository.repo, lines), kind=f"{KIND}-result")
        assert lines[0] == "command=fetch"
        assert lines[-1] == "done"
        return reply(objects(repository.repo, lines), kind=f"{KIND}-result")

    return answer


def lines_of(body: bytes) -> list[str]:
    lines, at = [], 0
    while at < len(body):
        size = int(body[at : at + 4], 16)
        if size > 4:
            lines.append(body[at + 4 : at + size].decode().rstrip("\n"))
        at += max(size, 4)
    return lines


def refs(repo: Repo, lines: list[str]) -> bytes:
    prefixes = tuple(
        line.removeprefix("ref-prefix ").encode() for line in lines if line.startswith("ref-prefix")
    )
    said = b""
    for name, target in sorted(repo.get_refs().items()):
        if name.startswith(prefixes):
            found = repo[target]
            peeled = b" peeled:" + found.object[1] if isinstance(found, Tag) else b""
            said += pkt(target + b" " + name + peeled + b"\n")
    return said + b"0000"


def objects(repo: Repo, lines: list[str]) -> bytes:
    (wanted,) = [line.removeprefix("want ").encode() for line in lines if line.startswith("want ")]
    if wanted not in repo.object_store:
        return pkt(b"ERR upload-pack: not our ref " + wanted)
    found = reached(repo, repo[wanted], with_blobs="filter blob:none" not in lines)
    is_shallow = "deepen 1" in lines
    shallow = pkt(b"shallow-info\n") + pkt(b"shallow " + wanted + b"\n") + b"0001" if is_shallow else b""
    return shallow + pkt(b"packfile\n") + banded(packed(found, repo))


def reached(repo: Repo, one: ShaFile, *, with_blobs: bool) -> list[ShaFile]:
    """What a commit without history, a tree, or a blob reaches."""
    found: dict[bytes, ShaFile] = {}
    waiting = [one]
    while waiting:
        now = waiting.pop()
        found[now.id] = now
        if isinstance(now, Commit):
            waiting.append(repo[now.tree])
        elif isinstance(now, Tree):
            for _, mode, target in now.iteritems():
                if target not in found and mode != SUBMODULE and (with_blobs or mode == 0o40000):
                    waiting.append(repo[target])
    return list(found.values())


# Others' servers


def dulwich(repository: Repository) -> Answering:
    """Dulwich's own server; it speaks the version before."""
    application = make_wsgi_chain(DictBackend({PATH: repository.repo}))

    def answer(asked: Asked) -> bytes:
        status: list[Any] = []
        environ = {
            "REQUEST_METHOD": asked.method, "PATH_INFO": asked.path, "QUERY_STRING": asked.query,
            "CONTENT_TYPE": asked.headers.get("content-type", ""), "CONTENT_LENGTH": str(len(asked.body)),
            "wsgi.input": io.BytesIO(asked.body), "wsgi.errors": io.StringIO(), "wsgi.url_scheme": "https",
            "SERVER_NAME": "git.example", "SERVER_PORT": "443", "SCRIPT_NAME": "",
        }  # fmt: skip
        written: list[bytes] = []

        def start(line: str, headers: list[tuple[str, str]], *_: object) -> Callable[[bytes], None]:
            status[:] = [line, dict(headers)]
            return written.append

        body = b"".join(application(environ, start))
        return reply(b"".join(written) + body, status=status[0], kind=status[1]["Content-Type"])

    return answer


def git(repository: Repository) -> Answering:
    """Git's own server, over CGI."""

    def answer(asked: Asked) -> bytes:
        repository.path.joinpath("git-daemon-export-ok").touch()
        environment = {
            "GIT_PROJECT_ROOT": str(repository.path), "GIT_HTTP_EXPORT_ALL": "1", "HOME": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*", "GIT_PROTOCOL": asked.headers.get("git-protocol", ""),
            "PATH_INFO": asked.path.removeprefix(PATH), "QUERY_STRING": asked.query,
            "REQUEST_METHOD": asked.method, "CONTENT_TYPE": asked.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(asked.body)), "REMOTE_ADDR": "127.0.0.2", "PATH": os.environ["PATH"],
        }  # fmt: skip
        done = subprocess.run(
            [GIT_BACKEND], input=asked.body, env=environment, capture_output=True, check=True, timeout=15
        )
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        kinds = [
            row.partition(b": ")[2].decode() for row in head.split(b"\r\n") if row.startswith(b"Content-Type")
        ]
        return reply(body, kind=kinds[0])

    return answer


def has_git() -> bool:
    return GIT_BACKEND.exists() and shutil.which("git") is not None
