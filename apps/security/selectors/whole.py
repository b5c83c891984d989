"""Everything of an organization: each of its tables, read from the models, so that a new one is in it by itself.

What is left out has its reason here, and a test compares: what is made from the rest, the copy of everything in the
log, and columns that hold a secret or find something by one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from apps.accounts.selectors.people import export_people
from apps.accounts.services import access
from apps.accounts.types import Principal
from apps.core.data_exports import ExportKind, ExportPart, Wanted, added_parts
from apps.core.models.encrypted import BlindIndexField, EncryptedTextField
from apps.core.walls import walled_tables
from apps.security.errors import NothingToExport

KEY = "organization"
RIGHT = "organization.manage"
LEFT_OUT: Mapping[str, str] = {
    "core_event": "the log repeats what the other tables say",
    "core_eventfeed": "the log repeats what the other tables say",
    "core_eventoutbox": "the log repeats what the other tables say",
    "core_deadletter": "the log repeats what the other tables say",
    "core_retrykey": "answers kept for a day, for callers that try again",
    "core_stream": "counters",
    "rag_chunk": "made from messages and documents",
    "rag_chunkmessage": "made from messages and documents",
    "rag_chunktokens": "made from messages and documents",
    "rag_indexstat": "made from messages and documents",
    "rag_termstat": "made from messages and documents",
    "runs_attempt": "how work was done",
    "runs_runframe": "how work was done",
    "runs_step": "how work was done",
    "accounts_oauthcode": "a way in, for minutes",
    "accounts_oauthdevice": "a way in, for minutes",
    "accounts_refreshtoken": "a way in",
    "accounts_tokenfamily": "a way in",
    "notify_pushsubscription": "a way to a device",
    "notify_replyaddress": "a way in for mail",
}
_SECRET = re.compile(r"(^|_)(hash|secret|nonce|people_key|storage_key|file_key|endpoint|index)$")
_CHUNK = 2000


def exported_tables() -> dict[str, list[str]]:
    """Return the tables of an export with the columns that are left out."""
    kept = walled_tables() - LEFT_OUT.keys()
    models_of_all = (model._meta for model in apps.get_models(include_auto_created=True))  # noqa: SLF001 - public
    return {
        meta.db_table: [str(field.column) for field in meta.concrete_fields if _is_secret(field)]
        for meta in models_of_all
        if meta.db_table in kept
    }


def _is_secret(field: models.Field[Any, Any]) -> bool:
    return isinstance(field, EncryptedTextField | BlindIndexField) or bool(_SECRET.search(str(field.column)))


def _parts() -> list[ExportPart]:
    people = ExportPart(name="people", rows=lambda wanted: export_people(wanted.organization_id))
    tables = [
        ExportPart(name=table, rows=partial(_rows, table, left_out))
        for table, left_out in sorted(exported_tables().items())
    ]
    return [people, *tables, *added_parts(KEY)]


def _rows(table: str, left_out: list[str], wanted: Wanted) -> Iterator[bytes]:
    """Yield the rows of a table as lines of JSON, by a cursor on the server; the caller holds a transaction."""
    statement = (
        f"SELECT (to_jsonb(x) - %s::text[])::text FROM {connection.ops.quote_name(table)} x "  # noqa: S608 - a model's
        "WHERE x.organization_id = %s"
    )
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement, [left_out, wanted.organization_id])
        while rows := cursor.fetchmany(_CHUNK):
            yield from (line.encode() for (line,) in rows)


def _require(principal: Principal, target_id: UUID) -> None:
    """Let owners export their own organization.

    Raises:
        NothingToExport, PermissionMissing.
    """
    if target_id != principal.organization_id:
        raise NothingToExport
    access.require(principal, RIGHT)


ORGANIZATION = ExportKind(
    key=KEY,
    label=_("Organization"),
    require=_require,
    name=lambda principal, _id: principal.organization_name or principal.organization_slug,
    parts=_parts,
    note="Every table of the organization, one file each, and the contents of its files. Secrets, the event log and "
    "what is made from the rest are not in it.",
)
