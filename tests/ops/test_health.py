"""Health pages and metrics: every part by name, and nothing for strangers."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import redis as redis_module
from django.conf import settings
from django.db import OperationalError
from django.test import Client
from pydantic import SecretStr

from apps.core.selectors import event_log
from apps.elyza.types import ModelHealth
from apps.ops.selectors import figures, health
from tests.core.events import tick


def ask(client=None):
    response = (client or Client()).get("/readyz")
    return response, {name: part["state"] for name, part in response.json()["parts"].items()}


@pytest.fixture
def model(monkeypatch):
    """What the model process says."""

    def say(state):
        monkeypatch.setattr(health.encoder, "find_health", lambda: ModelHealth(state))

    say("ready")
    return say


def test_all_parts_are_well(db, model):
    response, parts = ask()
    assert response.status_code == 200
    assert response.json()["status"] == "ready"
    assert parts == {"database": "ok", "migrations": "ok", "redis": "ok", "relay": "ok", "model": "ok"}
    assert "no-store" in response["Cache-Control"]


def test_a_database_that_is_away_is_503(db, model, monkeypatch):
    class Away:
        def cursor(self):
            raise OperationalError("10.9.8.7")

    monkeypatch.setattr(health, "connection", Away())
    response, parts = ask()
    assert response.status_code == 503
    assert response["Retry-After"] == "2"
    assert response.json()["status"] == "unavailable"
    assert parts["database"] == "down"
    assert "10.9.8.7" not in response.content.decode()


def test_missing_migrations_are_503(db, model, monkeypatch):
    monkeypatch.setattr(health, "_missing_migrations", lambda: 2)
    response, parts = ask()
    assert (response.status_code, parts["migrations"]) == (503, "down")


def test_migrations_are_looked_at_until_they_are_there(db, model, monkeypatch):
    monkeypatch.setattr(health, "_seen_applied", [])
    assert ask()[1]["migrations"] == "ok"
    monkeypatch.setattr(health, "MigrationExecutor", None)
    assert ask()[1]["migrations"] == "ok"


def test_without_redis_it_serves_and_says_so(db, model, monkeypatch):
    class Away:
        def ping(self):
            raise redis_module.ConnectionError

    monkeypatch.setattr(health, "client", Away)
    response, parts = ask()
    assert (response.status_code, response.json()["status"], parts["redis"]) == (200, "degraded", "down")


def test_a_late_relay_is_named(db, model, monkeypatch):
    monkeypatch.setattr(health, "relay_lag_seconds", lambda: 61.0)
    response, parts = ask()
    assert (response.status_code, parts["relay"]) == (200, "degraded")
    assert response.json()["parts"]["relay"]["note"] == "61 s behind"


@pytest.mark.parametrize("state", ["absent", "loading", "failed", "not_installed"])
def test_a_missing_model_is_named(db, model, state):
    model(state)
    response, parts = ask()
    assert (response.status_code, parts["model"]) == (200, "degraded")
    assert response.json()["parts"]["model"]["note"] == state


def test_liveness_asks_nobody(client, django_assert_num_queries, db):
    with django_assert_num_queries(0):
        assert client.get("/livez").json()["status"] == "alive"


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
def test_health_is_read_only(db, client, path):
    assert client.post(path).status_code in (403, 405)


def test_how_the_event_log_is_doing(db):
    for _ in range(3):
        tick()
    state = event_log.event_log_state()
    assert (state.outbox, state.lag_seconds >= 0) == (3, True)
    assert event_log.relay_lag_seconds() == pytest.approx(state.lag_seconds, abs=5)


def with_token(settings, token):
    configuration = settings.CONFIGURATION
    server = configuration.server.model_copy(update={"metrics_token": token and SecretStr(token)})
    settings.CONFIGURATION = replace(configuration, server=server)


def test_metrics_need_their_token(db, client, settings):
    with_token(settings, "hush-hush")
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"authorization": "Bearer wrong"}).status_code == 404
    response = client.get("/metrics", headers={"authorization": "Bearer hush-hush"})
    assert response.status_code == 200
    assert b"chatsystem_outbox_events" in response.content


@pytest.mark.parametrize(
    ("public", "peer", "forwarded", "expected"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1", "", 200),
        ("http://localhost:8000", "::1", "", 200),
        ("http://127.0.0.1:8000", "127.0.0.1", "1.2.3.4", 404),
        ("http://127.0.0.1:8000", "10.0.0.1", "", 404),
        ("https://chat.example.org", "127.0.0.1", "", 404),
    ],
)
@pytest.mark.usefixtures("db")
def test_without_a_token_only_a_loopback_server_shows_them(settings, public, peer, forwarded, expected):
    with_token(settings, None)
    settings.PUBLIC_URL = public
    headers = {"x-forwarded-for": forwarded} if forwarded else {}
    assert Client().get("/metrics", REMOTE_ADDR=peer, headers=headers).status_code == expected


def test_metrics_tell_how_requests_and_the_log_are_doing(db, client):
    client.get("/livez")
    tick()
    text = figures.exposition().decode()
    for name in (
        "chatsystem_outbox_events 1.0", "chatsystem_relay_lag_seconds", "chatsystem_feed_head",
        "chatsystem_database_up 1.0",
        'chatsystem_http_answers_total{method="GET",route="/livez",status="200"}', "chatsystem_database_connections",
    ):  # fmt: skip
        assert name in text, name


def test_metrics_survive_a_database_that_is_away(db, monkeypatch):
    def away():
        raise OperationalError

    monkeypatch.setattr(figures, "event_log_state", away)
    text = figures.exposition().decode()
    assert "chatsystem_database_up 0.0" in text
    assert "chatsystem_http_answers_total" in text


# Two count, the third shows what they counted: forked, as the project is loaded once so.
COUNT = """
import os
import django
django.setup()
from apps.core.events.consumers import position_gauge
from apps.core.http.observing import answers
from apps.core.realtime.hub import sockets_open
from apps.ops.selectors.figures import exposition
for number in (2, 3):
    if child := os.fork():
        assert os.waitpid(child, 0)[1] == 0
        continue
    answers.labels("/livez", "GET", 200).inc(number)
    sockets_open.set(number)
    position_gauge.labels("rag.index").set(number)
    os._exit(0)
print(exposition().decode())
"""


@pytest.mark.timeout(180)
def test_several_processes_are_counted_together(tmp_path: Path):
    variables = {
        **os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "chatsystem.settings.test",
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    }  # fmt: skip
    command = [sys.executable, "-c", COUNT]
    text = subprocess.run(
        command, cwd=settings.BASE_DIR, env=variables, capture_output=True, text=True, check=True
    ).stdout
    assert 'chatsystem_http_answers_total{method="GET",route="/livez",status="200"} 5.0' in text
    assert 'chatsystem_consumer_position{consumer="rag.index"} 3.0' in text
    assert "chatsystem_sockets_open 5.0" in text
    assert "chatsystem_database_up 0.0" in text
