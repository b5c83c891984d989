"""With a real worker process: it works when poked, dies without harm, and Redis may be empty."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from apps.accounts.models import Member
from apps.runs.models import Attempt, Run
from apps.runs.services import poking, recovery
from apps.runs.types import RunState, StepSpec
from tests.factories.runs import run_of
from tests.runs.worker import wait_for, worker
from tests.walls import everywhere

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(180),
]  # a busy machine starts a worker slowly


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "worker.log"
    path.touch()
    return path


def is_finished() -> bool:
    return Run.objects.filter(finished_at__isnull=False).exists()


def test_a_killed_worker_costs_nothing_and_the_effect_comes_once(
    member: Member, notes: Path, log: Path
) -> None:
    run_of(member, StepSpec("tests.wait", {"path": str(notes)}), queue="ingest")
    with worker(log) as process:
        wait_for(lambda: "began" in notes.read_text(), log=log)
        assert recovery.recover_lost() == 0
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert Run.objects.get().state == RunState.RUNNING
    assert recovery.recover_lost() == 1
    Path(f"{notes}.go").touch()
    with worker(log):
        recovery.poke_due()
        wait_for(is_finished, log=log)
    assert Run.objects.get().state == RunState.SUCCEEDED
    assert notes.read_text().splitlines().count("done") == 1
    assert list(Attempt.objects.order_by("number").values_list("outcome", flat=True)) == ["lost", "succeeded"]


def test_a_stopped_worker_leaves_within_seconds_and_its_work_is_due(
    member: Member, notes: Path, log: Path
) -> None:
    run_of(member, StepSpec("tests.wait", {"path": str(notes)}))
    with worker(log) as process:
        wait_for(lambda: "began" in notes.read_text(), log=log)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=6) == 0
    assert Run.objects.values_list("state", "lease_owner").get() == ("queued", "")
    assert Attempt.objects.values_list("outcome", flat=True).get() == "interrupted"


def test_without_redis_the_run_is_stored_and_poked_later(
    member: Member, notes: Path, log: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(settings, "CELERY_BROKER_URL", "redis+socket:///nowhere/redis.sock")
        poking._sender.cache_clear()
        begun = time.monotonic()
        run = run_of(member, StepSpec("tests.note", {"path": str(notes), "text": "x"}))
        assert recovery.poke_due() == 0
        assert time.monotonic() - begun < 2
    poking._sender.cache_clear()
    assert "run.not_poked" in caplog.text
    assert Run.objects.get().state == RunState.QUEUED
    with worker(log):
        with everywhere():
            assert recovery.poke_due() == 1
        wait_for(is_finished, log=log)
    assert Run.objects.get(pk=run.id).state == RunState.SUCCEEDED
    assert notes.read_text() == "x\n"
