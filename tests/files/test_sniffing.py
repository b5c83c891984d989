"""What a file is, by content and by name."""

from __future__ import annotations

import io

import pytest

from apps.files.errors import TypeMismatch, TypeRefused
from apps.files.sniffing import INLINE, sniff
from tests.factories.files import archive, picture

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    ("name", "data", "media_type"),
    [
        ("a.png", picture("PNG"), "image/png"),
        ("a.JPG", picture("JPEG"), "image/jpeg"),
        ("a.gif", picture("GIF"), "image/gif"),
        ("a.webp", picture("WEBP"), "image/webp"),
        ("a.svg", SVG, "image/svg+xml"),
        ("a.html", b"<html>", "text/html"),
        ("a.txt", "Grüße".encode(), "text/plain"),
        ("a.txt", "Grüße".encode("latin-1"), "text/plain"),
        ("a.txt", "Grüße".encode("utf-16"), "text/plain"),
        ("a.csv", b"a;b\n", "text/csv"),
        ("a.pdf", b"%PDF-1.7\n", "application/pdf"),
        ("a.zip", archive("x"), "application/zip"),
        (
            "a.docx",
            archive("[Content_Types].xml", "word/document.xml"),
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        ("a.mp3", b"ID3\x03" + bytes(20), "audio/mpeg"),
        ("a.mp4", bytes(4) + b"ftypisom", "video/mp4"),
        ("a.wav", b"RIFF\x00\x00\x00\x00WAVE", "audio/wav"),
        ("a.unheard", b"anything", "application/octet-stream"),
        ("no ending", picture("PNG"), "image/png"),
        ("no ending", b"<html>", "application/octet-stream"),
    ],
)
def test_name_and_content_agree(name: str, data: bytes, media_type: str) -> None:
    assert sniff(io.BytesIO(data), name).media_type == media_type


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.png", b"<html>"),
        ("a.png", SVG),
        ("a.png", picture("JPEG")),
        ("a.jpg", b"GIF89a" + bytes(20)),
        ("a.pdf", archive("x")),
        ("a.docx", archive("x")),
        ("a.docx", b"plain"),
        ("a.xlsx", archive("[Content_Types].xml", "word/document.xml")),
        ("a.txt", picture("PNG")),
        ("a.html", bytes(range(256))),
        ("a.mp3", b"<html>"),
    ],
)
def test_a_name_that_lies_is_refused(name: str, data: bytes) -> None:
    with pytest.raises(TypeMismatch):
        sniff(io.BytesIO(data), name)


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.txt", b"MZ"), ("a", b"\x7fELF"), ("a.bat", b"echo"), ("a.jar", archive("x")), ("a.EXE", b"x")],
)
def test_programs_are_refused(name: str, data: bytes) -> None:
    with pytest.raises(TypeRefused):
        sniff(io.BytesIO(data), name)


def test_nothing_that_runs_code_is_ever_shown_in_place() -> None:
    active = {
        "image/svg+xml",
        "text/html",
        "application/xml",
        "text/javascript",
        "application/pdf",
        "text/css",
    }
    assert not INLINE & active
    assert all(media_type.partition("/")[0] in ("image", "audio", "video") for media_type in INLINE)
