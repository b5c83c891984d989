"""Talk to an IMAP server, to read only; sources: RFC 3501 and RFC 9051. What it says is not trusted.

Python's own client believes the sizes a server announces and waits as long as it drips; this one does neither.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from apps.core.outbound.lines import Line, open_line, place
from apps.documents.connectors.asking import PURPOSE, told
from apps.documents.errors import SourceError, SourceFailed

TURN_SECONDS: Final = 30.0
LIST_SECONDS: Final = 120.0
LONGEST_LINE: Final = 1024 * 1024
_DEEPEST: Final = 50
_LITERAL: Final = re.compile(rb"\{(\d{1,10})\}$")
_TOKEN: Final = re.compile(
    rb' +|\(|\)|"(?:[^"\\]|\\.)*"|[^ ()"\[\]\\]+(?:\[[^\]]*\](?:<\d+>)?)?|\\[^ ()"]+', re.DOTALL
)
_FETCH: Final = re.compile(rb"\* \d+ FETCH ", re.IGNORECASE)
_EXISTS: Final = re.compile(rb"\* (\d{1,10}) EXISTS", re.IGNORECASE)
_VALIDITY: Final = re.compile(rb"\* OK \[UIDVALIDITY (\d{1,10})\]", re.IGNORECASE)
_LATER: Final = (b"[UNAVAILABLE]", b"[INUSE]", b"[LIMIT]", b"[OVERQUOTA]", b"[THROTTLED]")


@dataclass(frozen=True)
class Mailbox:
    """An opened folder: how many mails it has, and the number that says whether their ids are still the same."""

    count: int
    validity: str


@dataclass
class Answer:
    """A response: text, and the literals in it, each where it stood."""

    pieces: list[bytes] = field(default_factory=list)
    literals: list[bytes] = field(default_factory=list)

    @property
    def head(self) -> bytes:
        return self.pieces[0]


class Refused(Exception):
    """The server says NO; `answer` is what it says."""

    def __init__(self, answer: bytes) -> None:
        super().__init__()
        self.answer = answer


class Talk:
    """A signed-in session. Any failure ends it."""

    def __init__(self, line: Line) -> None:
        self._line, self._buffer, self._count, self._left = line, b"", 0, 0

    def close(self) -> None:
        """Hang up."""
        self._line.close()

    def greet(self, *, with_starttls: bool) -> None:
        """Hear the greeting; where the line is still open to read, encrypt it before anything is said.

        Raises:
            SourceFailed.
        """
        self._begin(TURN_SECONDS)
        head = self._response().head.upper()
        if head.startswith(b"* BYE"):
            raise SourceFailed(SourceError.UNREACHABLE)
        if not head.startswith(b"* OK"):
            raise SourceFailed(SourceError.NONSENSE)
        if with_starttls:
            try:
                list(self.run([b"STARTTLS"]))
            except Refused as error:
                raise SourceFailed(SourceError.NONSENSE) from error
            if self._buffer:  # said before it was encrypted, to be believed after
                raise SourceFailed(SourceError.NONSENSE)
            with told():
                self._line.secure()

    def log_in(self, username: str, secret: str) -> None:
        """Sign in.

        Raises:
            SourceFailed.
        """
        try:
            list(self.run([b"LOGIN ", username.encode(), b" ", secret.encode()], literals={1, 3}))
        except Refused as error:
            is_later = any(word in error.answer.upper() for word in _LATER)
            raise SourceFailed(SourceError.THROTTLED if is_later else SourceError.CREDENTIALS) from error

    def examine(self, folder: str) -> Mailbox:
        """Open a folder to read only.

        Raises:
            SourceFailed: also when there is none.
        """
        count, validity = 0, b""
        try:
            for answer in self.run([b"EXAMINE ", _named(folder)]):
                if found := _EXISTS.match(answer.head):
                    count = int(found[1])
                if found := _VALIDITY.match(answer.head):
                    validity = found[1]
        except Refused as error:
            raise SourceFailed(SourceError.MISSING) from error
        if not validity:
            raise SourceFailed(SourceError.NONSENSE)
        return Mailbox(count, validity.decode())

    def fetch(self, which: str, what: str, *, most_bytes: int, seconds: float) -> Iterator[dict[bytes, Any]]:
        """Yield what a server says of each mail: values by name in capitals.

        Args:
            which: ids, such as `1:*`.

        Raises:
            SourceFailed: also when it says more than allowed.
        """
        try:
            for answer in self.run(
                [f"UID FETCH {which} {what}".encode()], most_bytes=most_bytes, seconds=seconds
            ):
                if begun := _FETCH.match(answer.head):
                    yield _pairs(answer, begun.end())
        except Refused as error:
            raise SourceFailed(SourceError.NONSENSE) from error

    def run(
        self,
        parts: list[bytes],
        *,
        literals: Collection[int] = (),
        most_bytes: int = LONGEST_LINE,
        seconds: float = TURN_SECONDS,
    ) -> Iterator[Answer]:
        """Say a command and yield what is answered to it.

        Args:
            literals: which parts are sent as they are, whatever is in them.

        Raises:
            Refused. SourceFailed.
        """
        self._begin(seconds, most_bytes)
        self._count += 1
        tag = b"C%d" % self._count
        said = tag + b" "
        for number, part in enumerate(parts):
            if number not in literals:
                said += part
                continue
            self._say(said + b"{%d}\r\n" % len(part))
            self._wait_for_go(tag)
            said = part
        self._say(said + b"\r\n")
        while True:
            answer = self._response()
            if answer.head.startswith(tag + b" "):
                self._require_ok(answer.head[len(tag) + 1 :])
                return
            if answer.head.upper().startswith(b"* BYE"):
                raise SourceFailed(SourceError.UNREACHABLE)
            yield answer

    def _wait_for_go(self, tag: bytes) -> None:
        while not (head := self._response().head).startswith(b"+"):
            if head.startswith(tag + b" "):
                self._require_ok(head[len(tag) + 1 :])
                raise SourceFailed(SourceError.NONSENSE)

    def _require_ok(self, said: bytes) -> None:
        word = said[:3].upper()
        if word.startswith(b"NO"):
            raise Refused(said)
        if not word.startswith(b"OK"):
            raise SourceFailed(SourceError.NONSENSE)

    def _begin(self, seconds: float, most_bytes: int = LONGEST_LINE) -> None:
        self._line.allow(seconds)
        self._left = most_bytes + LONGEST_LINE

    def _say(self, data: bytes) -> None:
        with told():
            self._line.send(data)

    def _response(self) -> Answer:
        answer = Answer()
        while True:
            line = self._until_line()
            announced = _LITERAL.search(line)
            if announced is None:
                answer.pieces.append(line)
                return answer
            answer.pieces.append(line[: announced.start()])
            answer.literals.append(self._exactly(int(announced[1])))

    def _until_line(self) -> bytes:
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > LONGEST_LINE:
                raise SourceFailed(SourceError.NONSENSE)
            self._more()
        line, self._buffer = self._buffer[:end], self._buffer[end + 1 :]
        return line.removesuffix(b"\r")

    def _exactly(self, size: int) -> bytes:
        if size > self._left:
            raise SourceFailed(SourceError.TOO_LARGE)
        kept = bytearray(self._buffer)
        while len(kept) < size:
            self._buffer = b""
            self._more()
            kept += self._buffer
        self._buffer = bytes(kept[size:])
        return bytes(kept[:size])

    def _more(self) -> None:
        with told():
            data = self._line.receive()
        self._left -= len(data)
        if self._left < 0:
            raise SourceFailed(SourceError.TOO_LARGE)
        self._buffer += data


def open_talk(host: str, port: int, *, with_starttls: bool) -> Talk:
    """Connect, and encrypt.

    Raises:
        SourceFailed.
    """
    with told():
        line = open_line(place(host, port, is_encrypted=not with_starttls), purpose=PURPOSE)
    talk = Talk(line)
    try:
        talk.greet(with_starttls=with_starttls)
    except BaseException:
        talk.close()
        raise
    return talk


def _pairs(answer: Answer, begin: int) -> dict[bytes, Any]:
    """Return names and values of a FETCH response."""
    parsed = _parsed([answer.head[begin:], *answer.pieces[1:]], answer.literals)
    if len(parsed) != 1 or not isinstance(parsed[0], list) or len(parsed[0]) % 2:
        raise SourceFailed(SourceError.NONSENSE)
    names, values = parsed[0][::2], parsed[0][1::2]
    if not all(isinstance(name, bytes) for name in names):
        raise SourceFailed(SourceError.NONSENSE)
    return {name.upper(): value for name, value in zip(names, values, strict=True)}


def _parsed(pieces: list[bytes], literals: list[bytes]) -> list[Any]:
    """Return nested lists of byte strings; NIL is None. Atoms, strings and literals are told apart no more."""
    stack: list[list[Any]] = [[]]
    for number, piece in enumerate(pieces):
        at = 0
        while at < len(piece):
            found = _TOKEN.match(piece, at)
            if found is None:
                raise SourceFailed(SourceError.NONSENSE)
            _place(stack, found[0])
            at = found.end()
        if number < len(literals):
            stack[-1].append(literals[number])
    if len(stack) != 1:
        raise SourceFailed(SourceError.NONSENSE)
    return stack[0]


def _place(stack: list[list[Any]], token: bytes) -> None:
    if token.startswith(b" "):
        return
    if token == b"(":
        inner: list[Any] = []
        stack[-1].append(inner)
        stack.append(inner)
    elif token == b")":
        stack.pop()
    elif token.startswith(b'"'):
        stack[-1].append(re.sub(rb"\\(.)", rb"\1", token[1:-1], flags=re.DOTALL))
    else:
        stack[-1].append(None if token.upper() == b"NIL" else token)
    if not 0 < len(stack) <= _DEEPEST:
        raise SourceFailed(SourceError.NONSENSE)


def _named(folder: str) -> bytes:
    """Return the name of a folder as it is sent: a quoted string in modified UTF-7, RFC 3501 section 5.1.3."""
    encoded, plain = "", re.compile(r"[\x20-\x7e]+|[^\x20-\x7e]+")
    for run in plain.findall(folder):
        if run.isascii() and run.isprintable():
            encoded += run.replace("&", "&-")
        else:
            packed = base64.b64encode(run.encode("utf-16-be")).decode("ascii")
            encoded += f"&{packed.rstrip('=').replace('/', ',')}-"
    escaped = encoded.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'.encode("ascii")
