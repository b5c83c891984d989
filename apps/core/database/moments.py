"""Moments as the server writes them, read by Python's own parser.

psycopg takes a regular expression for each, twenty times as long; a page of a search or a list holds hundreds.
"""

from __future__ import annotations

from datetime import datetime, tzinfo

from django.db.backends.postgresql.psycopg_any import BaseTzLoader
from psycopg.abc import Buffer
from psycopg.adapt import AdaptersMap


class MomentLoader(BaseTzLoader):  # type: ignore[misc]  # Django's stubs leave it out
    """As Django's loader: the moment in the connection's time zone."""

    def load(self, data: Buffer) -> datetime:
        """Return the moment.

        Raises:
            psycopg.DataError: it is before the year 1, after 9999, or infinite.
        """
        try:
            moment = datetime.fromisoformat(str(data, "ascii"))
        except ValueError:
            moment = super().load(data)
        return moment if moment.tzinfo is self.timezone else moment.replace(tzinfo=self.timezone)


def register(adapters: AdaptersMap, timezone: tzinfo) -> None:
    """Let connections with these adapters read their moments so. Once, for one time zone."""
    loader = type("MomentLoader", (MomentLoader,), {"timezone": timezone})
    adapters.register_loader("timestamptz", loader)
