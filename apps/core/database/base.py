"""Django's PostgreSQL backend, counted by Prometheus, that opens nothing while the database is silent."""

from __future__ import annotations

from typing import Any

from django_prometheus.db.backends.postgresql import base

from apps.core.database import moments
from apps.core.database.pulse import pulse


class DatabaseWrapper(base.DatabaseWrapper):  # type: ignore[misc]  # django-prometheus ships no types
    """One connection of Django."""

    def get_connection_params(self) -> dict[str, Any]:
        """Return what psycopg connects with."""
        params: dict[str, Any] = super().get_connection_params()
        moments.register(params["context"], self.timezone)
        return params

    def get_new_connection(
        self, conn_params: dict[str, Any]
    ) -> Any:  # psycopg's, which Django's stubs leave open
        """Return one of the pool, or a new one where there is no pool.

        Raises:
            Silent: in place of waiting for a connection that nobody gives back.
        """
        pulse.require()
        return super().get_new_connection(conn_params)
