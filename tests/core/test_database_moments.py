"""Moments from the database are the same as psycopg's own, whatever the server writes."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import psycopg
import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import BaseTzLoader
from psycopg.adapt import AdaptersMap
from psycopg.postgres import types
from psycopg.pq import Format

from apps.core.database import moments

OID = types["timestamptz"].oid
WRITTEN = [
    b"2026-11-29 20:14:22+00", b"2026-11-29 20:14:22.5+00", b"2026-11-29 20:14:22.123456+00", b"0001-01-01 00:00:00+00",
    b"9999-12-31 23:59:59.999999+00", b"2024-02-29 00:00:00.000001+00",
]  # fmt: skip


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("zone", [UTC, ZoneInfo("Europe/Berlin")])
def test_a_moment_is_read_as_django_reads_it(written: bytes, zone: object):
    adapters = AdaptersMap(psycopg.adapters)
    moments.register(adapters, zone)
    ours = adapters.get_loader(OID, Format.TEXT)(OID)
    django = type("Django", (BaseTzLoader,), {"timezone": zone})(OID)
    assert ours.load(written) == django.load(written)
    assert ours.load(memoryview(written)).tzinfo is zone


@pytest.mark.parametrize(
    "written", [b"infinity", b"-infinity", b"0044-03-15 12:00:00+00 BC", b"10000-01-01 00:00:00+00"]
)
def test_what_python_cannot_hold_is_refused_as_before(written: bytes):
    loader = type("Moments", (moments.MomentLoader,), {"timezone": UTC})(OID)
    with pytest.raises(psycopg.DataError):
        loader.load(written)


@pytest.mark.django_db
def test_connections_of_the_product_read_so():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT timestamptz '2026-11-29 20:14:22.25+02', array[timestamptz '2026-01-01 00:00+0'], null::timestamptz"
        )
        assert cursor.fetchone() == (
            datetime(2026, 11, 29, 18, 14, 22, 250000, tzinfo=UTC), [datetime(2026, 1, 1, tzinfo=UTC)], None
        )  # fmt: skip
        loader = cursor.connection.adapters.get_loader(OID, Format.TEXT)
    assert issubclass(loader, moments.MomentLoader)
