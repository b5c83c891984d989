"""A small Slack export, as Slack's documentation describes its files, and what it takes to import one in a test."""

from __future__ import annotations

import io
import json
import zipfile
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from apps.accounts.types import Principal
from apps.chat.models import HistoryImport
from apps.chat.services.slack import imports
from apps.files.services.uploads import Author, store_stream
from tests.factories.runs import work_off

BEGIN = 1_700_000_000  # 14 November 2023


def ts(second: int, micro: int = 1) -> str:
    """Return a message's name `second` seconds after the beginning."""
    return f"{BEGIN + second}.{micro:06}"


def user(pk: str, name: str, address: str = "", **fields: Any) -> dict[str, Any]:
    """Return a row of `users.json`."""
    profile = {"real_name": name, **({"email": address} if address else {})}
    return {"id": pk, "team_id": "T1", "name": name.lower(), "profile": profile, **fields}


def said(second: int, author: str, text: str, **fields: Any) -> dict[str, Any]:
    """Return a message."""
    return {"type": "message", "user": author, "text": text, "ts": ts(second), **fields}


class Export:
    """Rows of an export; `zipped` writes it."""

    def __init__(self) -> None:
        self.users: list[Any] = [
            user("U1", "Anna Zarnetska", "anna@example.org"),
            user("U2", "Ben Other", "ben@slack.example"),
            user("U3", "Cleo Gone", deleted=True),
        ]
        self.listings: dict[str, list[Any]] = defaultdict(list)
        self.days: dict[tuple[str, str], list[Any]] = defaultdict(list)
        self.files: dict[str, bytes] = {}

    def channel(self, name: str, pk: str, *, members: Iterable[str] = ("U1", "U2"), **fields: Any) -> None:
        """Add a channel; `listing` puts it among the private ones."""
        listing = fields.pop("listing", "channels.json")
        self.listings[listing].append({"id": pk, "name": name, "members": list(members), **fields})

    def direct(self, pk: str, *members: str) -> None:
        """Add a conversation of two."""
        self.listings["dms.json"].append({"id": pk, "members": list(members)})

    def say(self, folder: str, *messages: Any) -> None:
        """Add messages, each to its day."""
        for message in messages:
            day = datetime.fromtimestamp(BEGIN, UTC)
            at = message.get("ts") if isinstance(message, dict) else None
            if isinstance(at, str) and len(at) == 17:
                day = datetime.fromtimestamp(int(message["ts"].partition(".")[0]), UTC)
            self.days[folder, f"{day:%Y-%m-%d}"].append(message)

    def entries(self) -> dict[str, bytes]:
        """Return names and contents."""
        found = {"users.json": json.dumps(self.users).encode()}
        for name in ("channels.json", "groups.json", "mpims.json", "dms.json"):
            found[name] = json.dumps(self.listings[name]).encode()
        for (folder, day), messages in self.days.items():
            found[f"{folder}/{day}.json"] = json.dumps(messages).encode()
        return found | self.files

    def zipped(self) -> bytes:
        """Return the archive."""
        return packed(self.entries().items())


def packed(entries: Iterable[tuple[str, bytes]]) -> bytes:
    """Return a zip of exactly these entries."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def small() -> Export:
    """Return an export with a bit of everything."""
    export = Export()
    export.channel("general", "C1", purpose={"value": "all of us"})
    export.channel("secret", "G1", members=["U1", "U2"], listing="groups.json")
    export.direct("D1", "U1", "U2")
    export.say(
        "general",
        said(0, "U1", "<@U1> has joined", subtype="channel_join"),
        said(1, "U1", "Hello *all*, see <http://example.org|this> <!channel>", thread_ts=ts(1), reply_count=1),
        said(5, "U2", "welcome <@U1> :tada:", thread_ts=ts(1)),
        said(9, "U3", "I leave &amp; thank you", edited={"user": "U3", "ts": ts(20)}),
        said(86_400 * 3, "U2", "a file", files=[{"id": "F00000001", "name": "plan.txt", "mode": "hosted"}]),
        said(86_400 * 3 + 1, "U2", "nice", reactions=[{"name": "+1", "users": ["U1", "U3"], "count": 2}]),
        {"type": "message", "subtype": "bot_message", "bot_id": "B1", "username": "Deploy", "text": "done",
         "ts": ts(86_400 * 3 + 2)},
    )  # fmt: skip
    export.say("secret", said(30, "U2", "only for us"))
    export.say("D1", said(40, "U1", "between two"))
    export.files["general/attachments/F00000001-plan.txt"] = b"the plan of the whole year\n"
    return export


def uploaded(importer: Principal, data: bytes, name: str = "export.zip") -> UUID:
    """Store an archive as the importer's own upload."""
    author = Author(importer.organization_id, importer.id)
    return store_stream(uploader=author, name=name, size_bytes=len(data), source=io.BytesIO(data)).id


def checked(importer: Principal, data: bytes) -> HistoryImport:
    """Look through an archive."""
    import_id = imports.start_check(principal=importer, file_id=uploaded(importer, data))
    work_off()
    return HistoryImport.objects.get(pk=import_id)


def imported(importer: Principal, data: bytes, **options: Any) -> HistoryImport:
    """Look through an archive and store it."""
    row = checked(importer, data)
    imports.confirm(principal=importer, import_id=row.pk, **options)
    work_off()
    row.refresh_from_db()
    return row
