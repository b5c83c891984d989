"""An IMAP server for tests, by RFC 3501: what a client needs to read a folder, with literals, TLS and STARTTLS."""

from __future__ import annotations

import email
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage, Message
from typing import Any

from apps.documents.types import SourceKind
from tests.core.outbound_servers import PUBLIC

USER, SECRET = "reader@mail.example", 'pa "ss\\wörd'
_COMMAND = re.compile(rb"(\S+) (UID FETCH|\S+)(?: (.*))?", re.DOTALL)


@dataclass
class Post:
    """A mailbox a test changes, and the server before it."""

    port: int = 0
    security: str = "tls"
    folders: dict[bytes, dict[int, bytes]] = field(default_factory=lambda: {b"INBOX": {}})
    validity: int = 7
    said: list[bytes] = field(default_factory=list)
    connections: int = 0
    instead: Callable[[bytes], bytes | None] = lambda command: None
    greeting: bytes = b"* OK ready\r\n"
    kind: SourceKind = SourceKind.IMAP
    secret: str = SECRET

    def settings(self, **more: Any) -> dict[str, Any]:
        here = {"host": "mail.example", "port": self.port, "security": self.security, "username": USER}
        return here | more

    def deliver(self, raw: bytes, folder: bytes = b"INBOX") -> int:
        mails = self.folders.setdefault(folder, {})
        uid = max(mails, default=0) + 1
        mails[uid] = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        return uid

    def number_anew(self) -> None:
        """A new UIDVALIDITY, and other numbers for the same mails."""
        self.validity += 1
        self.folders = {
            name: {uid + 100: raw for uid, raw in mails.items()} for name, mails in self.folders.items()
        }


ServePost = Callable[..., Post]


def mail(
    words: str,
    *,
    key: str = "one@mail.example",
    subject: str = "Crane",
    files: dict[str, bytes] | None = None,
) -> bytes:
    """A mail as programs write it."""
    message = EmailMessage()
    message["From"], message["To"] = "Ann <ann@mail.example>", "team@mail.example"
    message["Date"], message["Subject"] = "Mon, 30 Nov 2026 08:00:00 +0000", subject
    message["Message-ID"] = f"<{key}>"
    message.set_content(words)
    for name, data in (files or {}).items():
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


@contextmanager
def posted(post: Post, context: ssl.SSLContext) -> Iterator[Post]:
    """Serve a mailbox until the block ends."""
    listener = socket.create_server((PUBLIC, 0))
    post.port = listener.getsockname()[1]

    def serve() -> None:
        while True:
            try:
                taken, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(taken,), daemon=True).start()

    def one(taken: socket.socket) -> None:
        with suppress(OSError):
            post.connections += 1
            line = context.wrap_socket(taken, server_side=True) if post.security == "tls" else taken
            with line:
                _Session(post, line, context).run()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield post
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(2)


class _Session:
    def __init__(self, post: Post, line: socket.socket, context: ssl.SSLContext) -> None:
        self.post, self.line, self.context = post, line, context
        self.line.settimeout(5)
        self.file = line.makefile("rb")
        self.is_in, self.mails = False, {}
        self.is_safe = post.security == "tls"

    def run(self) -> None:
        try:
            self.line.sendall(self.post.greeting)
            while command := self.command():
                self.post.said.append(command)
                tag = command.split(b" ")[0]
                other = self.post.instead(command)
                if other is None:
                    self.answer(command)
                else:
                    self.line.sendall(other.replace(b"TAG", tag))
        finally:
            self.file.close()
            self.line.close()

    def command(self) -> bytes:
        whole = b""
        while True:
            row = self.file.readline().removesuffix(b"\r\n")
            if not row and not whole:
                return b""
            literal = re.search(rb"\{(\d+)\}$", row)
            if literal is None:
                return whole + row
            self.line.sendall(b"+ go on\r\n")
            whole += row[: literal.start()] + b"<" + self.file.read(int(literal[1])) + b">"

    def answer(self, command: bytes) -> None:
        tag, word, rest = _COMMAND.fullmatch(command).groups()
        done = {
            b"STARTTLS": self.starttls, b"LOGIN": self.login, b"EXAMINE": self.examine, b"UID FETCH": self.fetch,
        }[word](tag, rest)  # fmt: skip
        if done:
            self.line.sendall(done)

    def starttls(self, tag: bytes, _rest: bytes) -> bytes:
        self.line.sendall(tag + b" OK begin\r\n")
        self.file.close()
        self.line = self.context.wrap_socket(self.line, server_side=True)
        self.file, self.is_safe = self.line.makefile("rb"), True
        return b""

    def login(self, tag: bytes, rest: bytes) -> bytes:
        assert self.is_safe
        self.is_in = rest == f"<{USER}> <{SECRET}>".encode()
        return tag + (b" OK in\r\n" if self.is_in else b" NO [AUTHENTICATIONFAILED] no\r\n")

    def examine(self, tag: bytes, rest: bytes) -> bytes:
        assert self.is_in
        name = rest[1:-1].replace(b'\\"', b'"').replace(b"\\\\", b"\\")
        if name not in self.post.folders:
            return tag + b" NO [NONEXISTENT] no such folder\r\n"
        self.mails = self.post.folders[name]
        return (
            (
                b"* FLAGS (\\Seen \\Deleted)\r\n* %d EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY %d] valid (really)\r\n"
                % (len(self.mails), self.post.validity)
            )
            + tag
            + b" OK [READ-ONLY] done\r\n"
        )

    def fetch(self, tag: bytes, rest: bytes) -> bytes:
        which, _, what = rest.partition(b" ")
        assert b"BODY[" not in what, "marks as read"
        wanted = list(self.mails) if which == b"1:*" else [int(which)]
        said = b"* 99 EXPUNGE\r\n* 5 FETCH (FLAGS (\\Seen))\r\n"
        for number, uid in enumerate(wanted, 1):
            if uid in self.mails:
                said += b"* %d FETCH (UID %d" % (number, uid) + self.items(self.mails[uid], what) + b")\r\n"
        return said + tag + b" OK done\r\n"

    def items(self, raw: bytes, what: bytes) -> bytes:
        message = _parsed(raw)
        said = b" BODYSTRUCTURE " + structure(message) if b"BODYSTRUCTURE" in what else b""
        for section in re.findall(rb"BODY\.PEEK\[([^\]]*)\]", what):
            data = fields(raw, section) if section.startswith(b"HEADER") else part(message, section)
            said += b" BODY[" + section + b"] {%d}\r\n" % len(data) + data
        return said


def _parsed(raw: bytes) -> Message:
    return email.message_from_bytes(raw)


def fields(raw: bytes, section: bytes) -> bytes:
    names = section[section.index(b"(") + 1 : -1].upper().split(b" ")
    head = raw.partition(b"\r\n\r\n")[0] + b"\r\n"
    rows = re.findall(rb"[^\r\n]+\r\n(?:[ \t][^\r\n]*\r\n)*", head)
    return b"".join(row for row in rows if row.partition(b":")[0].upper() in names) + b"\r\n"


def part(message: Message, section: bytes) -> bytes:
    for number in map(int, section.split(b".")):
        payload = message.get_payload()
        if isinstance(payload, list):
            message = payload[number - 1]
    payload = message.get_payload()
    return payload.encode("utf-8", "surrogateescape") if isinstance(payload, str) else b""


def structure(message: Message) -> bytes:
    """A BODYSTRUCTURE, RFC 3501 section 7.4.2."""
    payload = message.get_payload()
    if isinstance(payload, list) and message.get_content_maintype() == "multipart":
        inner = b"".join(structure(one) for one in payload)
        return b"(" + inner + b" " + quoted(message.get_content_subtype()) + b" NIL NIL NIL NIL)"
    data = part(message, b"1") if not isinstance(payload, list) else message.as_bytes()
    words = [message.get_content_maintype(), message.get_content_subtype()]
    encoding = message.get("Content-Transfer-Encoding", "7bit")
    said = b"(" + b" ".join(map(quoted, words)) + b" " + parameters(message, "content-type") + b" NIL NIL "
    said += quoted(encoding) + b" %d" % len(data)
    if words[0] == "text":
        said += b" %d" % data.count(b"\n")
    disposition = message.get_content_disposition()
    shown = b"NIL"
    if disposition:
        shown = b"(" + quoted(disposition) + b" " + parameters(message, "content-disposition") + b")"
    return said + b" NIL " + shown + b" NIL NIL)"


def parameters(message: Message, header: str) -> bytes:
    rows = re.findall(r';\s*([\w*]+)=("[^"]*"|[^\s;]+)', str(message.get(header, "")))
    if not rows:
        return b"NIL"
    pairs = (quoted(name) + b" " + quoted(value.strip('"')) for name, value in rows)
    return b"(" + b" ".join(pairs) + b")"


def quoted(text: str) -> bytes:
    data = text.encode("utf-8", "surrogateescape")
    if b'"' in data or b"\\" in data or not data.isascii():
        return b"{%d}\r\n" % len(data) + data
    return b'"' + data + b'"'
