"""Figures for Prometheus: those the processes counted, and those the database knows."""

from __future__ import annotations

import os
from collections.abc import Iterator

from django.db import connection
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from apps.core.api.problems import DATABASE_AWAY
from apps.core.selectors.event_log import event_log_state
from apps.rag.selectors.figures import find_recall_figures
from apps.runs.selectors.figures import queue_figures
from apps.security.selectors.trail import waiting_everywhere


class DatabaseFigures(Collector):
    """What one look at the event log and the runs says; only `chatsystem_database_up` while the database is away."""

    def collect(self) -> Iterator[Metric]:
        """Yield the figures. Seven queries."""
        try:
            yield from _figures()
            up = 1
        except DATABASE_AWAY:
            up = 0
        yield GaugeMetricFamily("chatsystem_database_up", "PostgreSQL answers", value=up)


def _figures() -> list[Metric]:
    state = event_log_state()
    behind = GaugeMetricFamily("chatsystem_consumer_behind", "Positions behind the feed", labels=["consumer"])
    dead = GaugeMetricFamily("chatsystem_dead_letters", "Events a consumer gave up on", labels=["consumer"])
    for consumer in state.consumers:
        behind.add_metric([consumer.name], consumer.behind)
        dead.add_metric([consumer.name], consumer.dead_letters)
    return [
        GaugeMetricFamily(
            "chatsystem_outbox_events", "Events the relay has not moved yet", value=state.outbox
        ),
        GaugeMetricFamily(
            "chatsystem_relay_lag_seconds", "Age of the oldest of them", value=state.lag_seconds
        ),
        GaugeMetricFamily("chatsystem_feed_head", "Highest position in the feed", value=state.head),
        behind,
        dead,
        *_runs(),
        *_trail(),
        *_recall(),
        _connections(),
    ]


def _runs() -> list[Metric]:
    queued = GaugeMetricFamily("chatsystem_runs_queued", "Runs that wait for a worker", labels=["queue"])
    running = GaugeMetricFamily("chatsystem_runs_running", "Runs a worker holds", labels=["queue"])
    oldest = GaugeMetricFamily(
        "chatsystem_runs_oldest_due_seconds", "How long the oldest due run waits", labels=["queue"]
    )
    failed = GaugeMetricFamily(
        "chatsystem_runs_failed", "Runs that failed in the last hour", labels=["queue"]
    )
    for figures in queue_figures():
        queued.add_metric([figures.queue], figures.queued)
        running.add_metric([figures.queue], figures.running)
        oldest.add_metric([figures.queue], figures.oldest_due_seconds)
        failed.add_metric([figures.queue], figures.failed)
    return [queued, running, oldest, failed]


def _trail() -> list[Metric]:
    entries, seconds = waiting_everywhere()
    return [
        GaugeMetricFamily(
            "chatsystem_audit_unchained_entries", "Audit entries the relay has not chained yet", value=entries
        ),
        GaugeMetricFamily(
            "chatsystem_audit_oldest_unchained_seconds", "Age of the oldest of them", value=seconds
        ),
    ]


def _recall() -> list[Metric]:
    figures = find_recall_figures()
    if figures is None:
        return []
    share = GaugeMetricFamily(
        "chatsystem_search_recall",
        "Share of the ten nearest passages that the index finds, latest check of each organization",
        labels=["of"],
    )
    share.add_metric(["mean"], figures.mean)
    share.add_metric(["lowest"], figures.lowest)
    return [
        share,
        GaugeMetricFamily(
            "chatsystem_search_recall_age_seconds", "Age of the newest check", value=figures.age_seconds
        ),
    ]


def _connections() -> Metric:
    family = GaugeMetricFamily(
        "chatsystem_database_connections", "Open connections by state", labels=["state"]
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(state, 'other'), count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() GROUP BY 1 ORDER BY 1"
        )
        for state, number in cursor.fetchall():
            family.add_metric([state], number)
    return family


def exposition() -> bytes:
    """Return everything in Prometheus's text format; of all processes where `PROMETHEUS_MULTIPROC_DIR` is set."""
    counted: CollectorRegistry = REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        counted = CollectorRegistry()
        MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
    looked_up = CollectorRegistry()
    looked_up.register(DatabaseFigures())
    return generate_latest(counted) + generate_latest(looked_up)
