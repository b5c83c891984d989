"""Bring stored secrets under the current key, batch by batch, while they are read and written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.apps import apps
from django.db import connection, models, transaction

from apps.core.models.encrypted import BlindIndexField, EncryptedTextField
from apps.core.services import secrets

BATCH: Final = 200


@dataclass(frozen=True)
class Place:
    """Where stored secrets are.

    Attributes:
        name: for people, like `table.column`.
        count: how many there are by key id; of one organization, or where None is given of all.
        rotate: bring at most one batch of an organization under the current key; returns how many were moved, 0 when
            none is left. Rows somebody holds right now are left for the next call.
        is_tenant: rows belong to organizations; others are moved with `organization_id` None.
    """

    name: str
    count: Callable[[UUID | None], Counter[str]]
    rotate: Callable[[UUID | None], int]
    is_tenant: bool


_registered: dict[str, Place] = {}


def register_place(place: Place) -> None:
    """Announce stored secrets that are no encrypted field, such as one inside a JSON column of a library."""
    _registered[place.name] = place


def places(models_: Iterable[type[models.Model]] | None = None) -> list[Place]:
    """Return every place, those of encrypted fields by themselves."""
    found = {
        place.name: place
        for model in (apps.get_models() if models_ is None else models_)
        for place in map(_place_of, _encrypted_fields(model))
    }
    return sorted((found | _registered).values(), key=lambda place: place.name)


def count_by_key(*, organization_id: UUID | None = None) -> Counter[str]:
    """Return how many stored secrets each key has. One query a place; a key with none left may be retired."""
    total: Counter[str] = Counter()
    for place in places():
        if organization_id is None or place.is_tenant:
            total += place.count(organization_id)
    return total


def _encrypted_fields(model: type[models.Model]) -> list[EncryptedTextField]:
    if model._meta.proxy or not model._meta.managed:  # noqa: SLF001 - Django's public name
        return []
    return [field for field in model._meta.local_fields if isinstance(field, EncryptedTextField)]  # noqa: SLF001 - Django's public name


def _place_of(field: EncryptedTextField) -> Place:
    column = _Column(field)
    return Place(field.context, column.count, column.rotate, column.is_tenant)


class _Column:
    """The SQL of one encrypted column."""

    def __init__(self, field: EncryptedTextField) -> None:
        meta = field.model._meta  # noqa: SLF001 - Django's public name
        self._context = field.context
        self.is_tenant = any(other.column == "organization_id" for other in meta.local_fields)
        self._table, self._column, self._key = map(_quoted, (meta.db_table, field.column, meta.pk.column))
        followers = [
            other.column
            for other in meta.local_fields
            if isinstance(other, BlindIndexField) and other.of == field.name
        ]
        self._index = _quoted(followers[0]) if followers else ""

    def count(self, organization_id: UUID | None) -> Counter[str]:
        where, arguments = self._of(organization_id)
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT split_part({self._column}, '.', 2), count(*) FROM {self._table} "  # noqa: S608 - own names
                f"WHERE {self._column} IS NOT NULL{where} GROUP BY 1",
                arguments,
            )
            return Counter(dict(cursor.fetchall()))

    def rotate(self, organization_id: UUID | None) -> int:
        where, arguments = self._of(organization_id)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {self._key}, {self._column} FROM {self._table} "  # noqa: S608 - names of models, quoted
                f"WHERE {self._column} IS NOT NULL "
                f"AND split_part({self._column}, '.', 2) <> %s{where} "
                f"ORDER BY {self._key} LIMIT {BATCH} FOR NO KEY UPDATE SKIP LOCKED",
                [secrets.current_key_id(), *arguments],
            )
            rows = cursor.fetchall()
            for key, stored in rows:
                self._move(cursor, key, stored)
            return len(rows)

    def _move(self, cursor: Any, key: object, stored: str) -> None:  # Any: Django's cursor wrapper
        text = secrets.decrypt(stored, context=self._context)
        values, setting = [secrets.encrypt(text, context=self._context)], f"{self._column} = %s"
        if self._index:
            values.append(secrets.blind_index(text, context=self._context))
            setting += f", {self._index} = %s"
        cursor.execute(f"UPDATE {self._table} SET {setting} WHERE {self._key} = %s", [*values, key])  # noqa: S608 - as above

    def _of(self, organization_id: UUID | None) -> tuple[str, list[UUID]]:
        if organization_id is None or not self.is_tenant:
            return "", []
        return " AND organization_id = %s", [organization_id]


def _quoted(name: str | None) -> str:
    """Return a name of a model as SQL."""
    return connection.ops.quote_name(name or "")
