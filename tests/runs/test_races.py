"""Many at once: one lease, one run for a retry key, shares of queues, a cancel from beside."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest
from django.db import connection, connections

from apps.accounts.models import Member
from apps.core import tenancy
from apps.runs.models import Attempt, Run, RunFrame
from apps.runs.services import workers
from apps.runs.services.runs import cancel_run
from apps.runs.types import RunState, RunView, StepSpec
from tests.factories.accounts import principal_of
from tests.factories.runs import run_of, work
from tests.runs.worker import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
Result = TypeVar("Result")


def at_once(count: int, do: Callable[[int], Result]) -> list[Result]:
    """Call the function in so many threads, starting together; each gives its connections back."""
    barrier = threading.Barrier(count)

    def call(number: int) -> Result:
        try:
            barrier.wait()
            return do(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(call, range(count)))


def in_thread(run: RunView) -> threading.Thread:
    """Work on a run beside the test."""

    def call() -> None:
        try:
            work(run)
        finally:
            connections.close_all()

    thread = threading.Thread(target=call)
    thread.start()
    return thread


def test_eight_workers_get_one_lease(member: Member, notes: Path) -> None:
    run = run_of(member, StepSpec("tests.note", {"path": str(notes), "text": "x"}))
    assert sum(at_once(8, lambda _number: work(run))) == 1
    assert notes.read_text() == "x\n"
    assert Attempt.objects.count() == 1


def test_eight_starts_with_one_key_make_one_run(member: Member, notes: Path) -> None:
    spec = StepSpec("tests.note", {"path": str(notes), "text": "x"})
    runs = at_once(8, lambda _number: run_of(member, spec, retry_key="one"))
    assert len({run.id for run in runs}) == 1
    assert Run.objects.count() == 1


def test_no_transaction_is_open_while_a_step_works(member: Member) -> None:
    run = run_of(member, StepSpec("tests.transaction"))
    assert work(run)
    with connection.cursor() as cursor:
        cursor.execute("SELECT result::text FROM runs_step")
        assert cursor.fetchone() == ("false",)


def test_a_cancel_stops_a_working_step_within_a_second(member: Member, notes: Path) -> None:
    run = run_of(member, StepSpec("tests.wait", {"path": str(notes)}))
    thread = in_thread(run)
    wait_for(notes.read_text)
    assert cancel_run(principal=principal_of(member), run_id=run.id).is_cancelling
    took = wait_for(lambda: Run.objects.get().state == RunState.CANCELLED)
    thread.join()
    assert took < 1
    assert list(Attempt.objects.values_list("outcome", flat=True)) == ["cancelled"]


def test_a_step_that_survives_exceptions_does_not_survive_a_cancel(member: Member, notes: Path) -> None:
    run = run_of(member, StepSpec("tests.cleanup", {"path": str(notes)}))
    thread = in_thread(run)
    wait_for(Attempt.objects.exists)
    cancel_run(principal=principal_of(member), run_id=run.id)
    thread.join(timeout=5)
    assert Run.objects.get().state == RunState.CANCELLED
    assert notes.read_text() == ""


def test_a_stopping_worker_gives_its_run_back_at_once(
    member: Member, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = run_of(member, StepSpec("tests.wait", {"path": str(notes)}))
    thread = in_thread(run)
    wait_for(notes.read_text)
    with monkeypatch.context() as patch:
        patch.setattr(workers, "stopping", told := threading.Event())
        told.set()
        thread.join(timeout=5)
    assert not thread.is_alive()
    after = Run.objects.get()
    assert (after.state, after.lease_owner) == (RunState.QUEUED, "")
    Path(f"{notes}.go").touch()
    assert work(run)
    outcomes = Attempt.objects.order_by("number").values_list("outcome", flat=True)
    assert list(outcomes) == ["interrupted", "succeeded"]


def test_frames_are_stored_while_the_step_goes_on(member: Member, notes: Path) -> None:
    run = run_of(member, StepSpec("tests.stream_and_wait", {"path": str(notes)}))
    thread = in_thread(run)
    took = wait_for(lambda: RunFrame.objects.count() == 3)
    Path(f"{notes}.go").touch()
    thread.join()
    assert took < 2
    assert Run.objects.get().state == RunState.SUCCEEDED


def test_a_queue_uses_its_share_only_and_the_next_is_poked(
    member: Member, notes: Path, redis: object
) -> None:
    spec = StepSpec("tests.wait", {"path": str(notes)})
    runs = [run_of(member, spec, queue="ingest") for _ in range(3)]

    def take(number: int) -> bool:
        with tenancy.use(member.organization_id):
            from apps.runs.services.working import work_on

            return work_on(run_id=runs[number].id, queue="ingest")

    threads = [threading.Thread(target=lambda n=n: at_once(1, lambda _: take(n))) for n in range(2)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(notes.read_text().splitlines()) == 2)
    assert not take(2)
    redis.delete("celery:ingest")  # type: ignore[attr-defined]
    Path(f"{notes}.go").touch()
    for thread in threads:
        thread.join()
    assert redis.llen("celery:ingest") == 1  # type: ignore[attr-defined]
    assert take(2)
