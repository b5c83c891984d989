"""An export is what somebody made: refused as a whole or row by row, with a code, and nothing is half-written."""

from __future__ import annotations

import json
import struct
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from apps.accounts.errors import PermissionMissing
from apps.accounts.types import Principal
from apps.chat.import_errors import ImportAtWork, ImportNotReady, NoImportFile, SlackExportRefused
from apps.chat.models import Conversation, ImportNote, Message
from apps.chat.services.slack import archive, imports
from apps.chat.types import ImportState
from tests.chat.slack.exports import Export, checked, imported, packed, said, small, ts, uploaded, user
from tests.chat.world import World

DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.fixture
def owner(world: World) -> Principal:
    return world.person("Olga Owner", role="owner")


def twice(name: str) -> bytes:
    with pytest.warns(UserWarning, match="Duplicate name"):
        return packed([*small().entries().items(), (name, b"[]")])


def with_directory_of(size: int) -> bytes:
    data = bytearray(small().zipped())
    end = data.rfind(b"PK\x05\x06")
    data[end + 12 : end + 16] = struct.pack("<I", size)
    return bytes(data)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: packed([("readme.txt", b"hello")]), "slack.no_export"),
        (lambda: twice("users.json"), "slack.duplicate_names"),
        (lambda: packed({**small().entries(), "users.json": DEEP}.items()), "slack.no_json"),
        (lambda: packed({**small().entries(), "users.json": b'{"a": 1}'}.items()), "slack.wrong_shape"),
        (lambda: packed({**small().entries(), "users.json": b" " * 50_000_000 + b"[]"}.items()), "slack.bomb"),
    ],
)  # fmt: skip
def test_an_archive_that_cannot_be_trusted_is_refused_whole(
    world: World, owner: Principal, make: Any, code: str
) -> None:
    row = checked(owner, make())
    assert (row.state, row.error_code, row.report) == (ImportState.REFUSED, code, {})
    assert not Conversation.objects.exists()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"no zip at all", "slack.no_zip"),
        (with_directory_of(archive.MOST_DIRECTORY_BYTES + 1), "slack.too_many_files"),
    ],
)
def test_a_list_of_names_is_measured_before_it_is_read(tmp_path: Path, data: bytes, code: str) -> None:
    path = tmp_path / "export.zip"
    path.write_bytes(data)
    with pytest.raises(SlackExportRefused) as refused, archive.opened(path):
        pass
    assert refused.value.reason == code


def test_single_files_are_left_out_with_a_code(world: World, owner: Principal) -> None:
    export = small()
    export.channel("dark", "C9")
    export.files |= {
        "../../etc/passwd": b"x",
        "/etc/passwd": b"x",
        "general\\2023-11-14.json": b"[]",
        "dark/2023-11-10.json": DEEP,
        "dark/2023-11-11.json": b"[" + b" " * 20_000_000 + b"]",
        "dark/2023-11-12.json": b'{"not": "a list"}',
        "dark/2023-11-13.json": b"\xff\xfe",
        "nowhere/2023-11-13.json": json.dumps([said(1, "U1", "lost")]).encode(),
    }
    row = imported(owner, export.zipped())
    assert row.state == ImportState.DONE
    assert {code: row.report["notes"][code] for code in row.report["notes"] if "slack.person" not in code} == {
        "slack.unsafe_name": 3, "slack.unknown_folder": 1, "slack.no_json": 2, "slack.bomb": 1,
        "slack.wrong_shape": 1, "slack.system_message": 1, "slack.bookmarks_untold": 3,
    }  # fmt: skip
    assert ImportNote.objects.filter(code="slack.unsafe_name", place="../../etc/passwd").exists()
    assert Message.objects.count() == 8


def test_rows_of_any_shape_are_refused_alone(world: World, owner: Principal) -> None:
    export = Export()
    export.users += [7, None, {"id": 9}, {"id": "U1"}, user("U5", "Eve\u202e\x00 \ud800", "not an address")]
    export.channel("odd", "C1", members=["U1", "U5", 7, None])  # type: ignore[list-item]
    export.listings["channels.json"] += [
        "x",
        {"id": "C2"},
        {"id": "C3", "name": "odd"},
        {"id": "../C4", "name": "a"},
    ]
    export.say(
        "odd",
        5, None, [], "text", {},
        said(1, "U1", "good"),
        said(1, "U1", "the same moment"),
        {**said(2, "U1", "no time"), "ts": "9999999999999.1"},
        {**said(2, "U1", "no time"), "ts": 17.5},
        {**said(2, "U1", "to come"), "ts": "3999999999.000001"},
        {"text": "of nobody", "ts": ts(3)},
        said(4, "U404", "of somebody forgotten"),
        said(5, "U1", ""),
        said(6, "U1", "half \ud83d and \x00"),
        said(7, "U1", "answers nothing", thread_ts=ts(999)),
        said(8, "U1", "x", files="no list", reactions=[{"name": "+1", "users": "no list"}, 7], edited="no"),
        said(9, "U1", "x", reactions=[{"name": "parrot_of_ours", "users": ["U1"]}]),
        said(10, "U1", "x", files=[{"id": "F00000009", "mode": "tombstone"}, 7, {"id": {}}]),
    )  # fmt: skip
    row = imported(owner, export.zipped())
    assert (row.state, row.error_code) == (ImportState.DONE, "")
    assert row.result["notes"] == {
        "slack.no_message": 4, "slack.time_invalid": 4, "slack.author_missing": 1, "slack.empty": 1, "slack.twice": 1,
        "slack.text_repaired": 1, "slack.thread_missing": 1, "slack.emoji_unknown": 1, "slack.file_gone": 1,
    }  # fmt: skip
    bodies = list(Message.objects.order_by("sent_at").values_list("body", flat=True))
    assert bodies == [
        "good", "of somebody forgotten", "half \ufffd and \ufffd", "answers nothing", "x", "x", "x\nF00000009",
    ]  # fmt: skip


def test_very_long_texts_become_several_messages(world: World, owner: Principal) -> None:
    export = Export()
    export.channel("long", "C1")
    export.say("long", said(1, "U1", "word *b* " * 5_000))
    row = imported(owner, export.zipped())
    assert row.result["notes"] == {"slack.text_split": 1}
    parts = list(Message.objects.order_by("sequence").values_list("body", flat=True))
    assert len(parts) == 4
    assert "".join(parts).count("**b**") == 5_000


def test_a_zip_is_not_believed_about_sizes(world: World, owner: Principal) -> None:
    data = bytearray(small().zipped())
    with zipfile.ZipFile(BytesIO(data)) as opened:
        entry = opened.getinfo("general/2023-11-14.json")
    at = data.rfind(b"general/2023-11-14.json") - 46
    assert data[at : at + 4] == b"PK\x01\x02"
    data[at + 24 : at + 28] = struct.pack("<I", entry.file_size - 10)
    row = checked(owner, bytes(data))
    assert row.state == ImportState.READY
    assert row.report["notes"]["slack.damaged"] == 1


def test_an_import_needs_the_right_and_its_own_file(world: World, owner: Principal) -> None:
    moderator, other = world.person("Mo", role="moderator"), world.person("Otto", role="admin")
    file = uploaded(owner, small().zipped())
    with pytest.raises(PermissionMissing):
        imports.start_check(principal=moderator, file_id=uploaded(moderator, small().zipped()))
    with pytest.raises(NoImportFile):
        imports.start_check(principal=other, file_id=file)
    first = imports.start_check(principal=owner, file_id=file)
    with pytest.raises(ImportAtWork):
        imports.start_check(principal=other, file_id=uploaded(other, small().zipped()))
    with pytest.raises(ImportNotReady):
        imports.confirm(principal=owner, import_id=first)
    assert not Conversation.objects.exists()
