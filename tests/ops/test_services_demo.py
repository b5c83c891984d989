"""The file beside the demo: whole, private, and with the address of this start."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from apps.ops.services import demo

PEOPLE = [{"name": "Maren Thiessen", "api_key": "csk_1"}]
FIRST = {"base_url": "http://127.0.0.1:8000", "socket_url": "ws://127.0.0.1:8000/ws/v1/", "people": PEOPLE}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    demo.write_private(tmp_path / "demo.json", FIRST)
    return tmp_path / "demo.json"


def test_a_later_start_at_another_port_writes_its_own_addresses(file: Path) -> None:
    with file.open() as opened_before:
        demo.renew_addresses(base_url="https://chat.example.org", target=file)
        assert json.load(opened_before) == FIRST
    assert json.loads(file.read_text()) == {
        "base_url": "https://chat.example.org",
        "socket_url": "wss://chat.example.org/ws/v1/",
        "people": PEOPLE,
    }
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["demo.json"]


def test_an_unchanged_address_writes_nothing(file: Path) -> None:
    before = file.stat()
    demo.renew_addresses(base_url=FIRST["base_url"], target=file)
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_file_that_was_removed_stays_away(tmp_path: Path) -> None:
    demo.renew_addresses(base_url="http://127.0.0.1:9000", target=tmp_path / "demo.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "{", "[]", "\udcff"])
def test_a_file_that_somebody_changed_is_left_alone(
    file: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    demo.renew_addresses(base_url="http://127.0.0.1:9000", target=file)
    assert file.read_bytes() == text.encode("utf-8", "surrogateescape")
    assert [record.message for record in caplog.records] == ["demo.unreadable"]
