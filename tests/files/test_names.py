"""Names from outside."""

import pytest

from apps.files.names import clean_name, extension


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\windows\\system.ini", "system.ini"),
        ("/", "file"),
        ("", "file"),
        ("...", "file"),
        (".", "file"),
        ("\x00", "file"),
        ("a\x00b.txt", "a b.txt"),
        ("line\nbreak\r.txt", "line break .txt"),
        ("\u202egnp.exe", "gnp.exe"),
        ("half \ud800.txt", "half .txt"),
        ("  spaces  .txt ", "spaces .txt"),
        ("U\u0308bersicht.txt", "\u00dcbersicht.txt"),
        ("CON", "CON"),
        ("dir/", "dir"),
    ],
)
def test_a_name_is_kept_for_people_only(given: str, kept: str) -> None:
    assert clean_name(given) == kept


def test_a_long_name_keeps_its_ending() -> None:
    name = clean_name("x" * 400 + ".tar.PDF")
    assert len(name) == 255
    assert name.endswith(".pdf")
    assert extension(name) == ".pdf"
