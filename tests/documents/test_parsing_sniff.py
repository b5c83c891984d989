"""Type by content and by name; archives within limits."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from random import Random

import pytest

from apps.documents.parsing import sniff
from apps.documents.parsing.archive import check_parts, open_archive
from apps.documents.parsing.errors import ErrorCode, ParseError
from apps.documents.parsing.types import Limits
from tests.documents import samples
from tests.documents.checks import read_all

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def detect(data, name):
    return sniff.detect(io.BytesIO(data), name)


def refusal(data, name):
    with pytest.raises(ParseError) as caught:
        detect(data, name)
    return caught.value.code


@pytest.mark.parametrize(
    ("make", "name", "media_type"),
    [
        (lambda: b"hello", "a.TXT", sniff.TEXT),
        (lambda: "Größe".encode("utf-16-le"), "a.txt", sniff.TEXT),
        (lambda: "Größe".encode("cp1252"), "a.txt", sniff.TEXT),
        (lambda: b"# Title", "a.md", sniff.MARKDOWN),
        (lambda: b"<p>x</p>", "a.htm", sniff.HTML),
        (lambda: b"a;b\n1;2", "a.csv", sniff.CSV),
        (lambda: samples.text_pdf(["x"]), "a.pdf", sniff.PDF),
        (samples.word_file, "a.docx", sniff.DOCX),
        (samples.workbook, "a.xlsx", sniff.XLSX),
    ],
)
def test_good_files(make, name, media_type):
    assert detect(make(), name) == media_type


@pytest.mark.parametrize(
    "name", ["a.exe", "a.svg", "a.docm", "a.doc", "a.zip", "a", ".pdf", "a.pdf.js", "a.pdf "]
)
def test_names_that_are_not_on_the_list(name):
    assert refusal(b"%PDF-1.7", name) is ErrorCode.UNSUPPORTED_TYPE


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: b"MZ\x90\x00" + b"\0" * 200, "a.pdf"),
        (lambda: b"<html><script>1</script>%PDF-1.7", "a.pdf"),
        (lambda: b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "a.txt"),
        (lambda: samples.text_pdf(["x"]), "a.txt"),
        (lambda: samples.text_pdf(["x"]), "a.docx"),
        (lambda: b"%!PS-Adobe-3.0\n(x) show", "a.txt"),
        (lambda: bytes(range(1, 32)) * 50, "a.csv"),
        (lambda: b"text\0with\0zeros", "a.md"),
        (samples.word_file, "a.xlsx"),
        (samples.workbook, "a.docx"),
        (samples.word_file, "a.pdf"),
        (samples.word_file, "a.html"),
        (lambda: samples.rewritten(samples.word_file(), {"word/vbaProject.bin": b"macro"}), "a.docx"),
        (lambda: samples.rewritten(samples.word_file(), {"word/document.xml": None}), "a.docx"),
        (lambda: samples.rewritten(samples.word_file(), {"[Content_Types].xml": b"<Types/>"}), "a.docx"),
        (lambda: OLE + b"\0" * 600, "a.docx"),
    ],
)
def test_content_that_does_not_fit_the_name(make, name):
    assert refusal(make(), name) is ErrorCode.TYPE_MISMATCH


def test_empty_large_and_encrypted_files():
    assert refusal(b"", "a.txt") is ErrorCode.EMPTY
    with pytest.raises(ParseError) as caught:
        sniff.detect(io.BytesIO(b"x" * 101), "a.txt", Limits(file_bytes=100))
    assert caught.value.code is ErrorCode.TOO_LARGE
    package = OLE + b"\0" * 512 + "EncryptedPackage".encode("utf-16-le")
    assert refusal(package, "a.docx") is ErrorCode.ENCRYPTED


def test_damaged_archives_are_corrupt():
    data = samples.word_file()
    assert refusal(data[:-200], "a.docx") is ErrorCode.CORRUPT
    assert refusal(b"PK\x03\x04", "a.docx") is ErrorCode.CORRUPT
    broken = bytearray(data)
    place = data.index(b"word/document.xml") + 60
    broken[place : place + 40] = b"\xff" * 40
    with pytest.raises(ParseError) as caught:
        read_all(bytes(broken), sniff.DOCX)
    assert caught.value.code is ErrorCode.CORRUPT


@pytest.mark.parametrize("make", [samples.word_file, samples.workbook])
def test_damage_anywhere_is_a_refusal_and_nothing_else(make):
    """Detection runs in the web process: whatever the bytes, it answers with a type or a code."""
    random, data, answers = Random(7), make(), Counter()
    for _ in range(300):
        damaged = bytearray(data)
        for _ in range(random.choice((1, 5, 60))):
            damaged[random.randrange(len(damaged))] = random.randrange(256)
        try:
            answers[detect(bytes(damaged), "a.docx")] += 1
        except ParseError as error:
            answers[error.code] += 1
    assert answers.total() == 300
    assert answers[ErrorCode.CORRUPT] > 10


def test_crowded_archive_is_a_bomb_before_its_directory_is_read():
    assert refusal(samples.crowded_archive(), "a.docx") is ErrorCode.BOMB


def test_a_directory_that_lies_about_its_size_is_a_bomb():
    data = bytearray(samples.word_file())
    end = data.rindex(b"PK\x05\x06")
    data[end + 12 : end + 16] = (50 * 2**20).to_bytes(4, "little")
    assert refusal(bytes(data), "a.docx") is ErrorCode.BOMB
    data[end + 12 : end + 16] = (100).to_bytes(4, "little")
    data[end + 10 : end + 12] = b"\xff\xff"
    assert refusal(bytes(data), "a.docx") is ErrorCode.BOMB


def test_zip_bomb_is_found_while_counting():
    data = samples.zip_bomb()
    assert len(data) < 2**20
    assert detect(data, "a.docx") == sniff.DOCX
    with pytest.raises(ParseError) as caught:
        read_all(data, sniff.DOCX)
    assert caught.value.code is ErrorCode.BOMB


def test_total_size_counts_over_all_parts():
    with open_archive(io.BytesIO(samples.word_file()), Limits()) as archive:
        check_parts(archive, Limits())
        with pytest.raises(ParseError) as caught:
            check_parts(archive, Limits(archive_bytes=10_000))
    assert caught.value.code is ErrorCode.BOMB


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_in_office_parts_are_refused(encoding, tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    xml = (
        f'<?xml version="1.0" encoding="{encoding}"?>'
        f'<!DOCTYPE d [<!ENTITY x SYSTEM "{tmp_path.as_uri()}/secret.txt">]>'
        '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r>'
        "<w:t>&x;</w:t></w:r></w:p></w:body></w:document>"
    )
    data = samples.rewritten(samples.word_file(), {"word/document.xml": xml.encode(encoding)})
    with pytest.raises(ParseError) as caught:
        read_all(data, sniff.DOCX)
    assert caught.value.code is ErrorCode.CORRUPT


def test_two_parts_of_one_name_are_corrupt():
    out = io.BytesIO(samples.word_file())
    with zipfile.ZipFile(out, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("word/document.xml", b"<other/>")
    assert refusal(out.getvalue(), "a.docx") is ErrorCode.CORRUPT
