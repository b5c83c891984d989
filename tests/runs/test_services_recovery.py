"""Lost workers, poisoned steps, pokes that got lost."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from django.conf import settings
from django.utils import timezone

from apps.accounts.models import Member
from apps.runs.errors import LeaseLost
from apps.runs.models import Attempt, Run, RunFrame, Step
from apps.runs.services import leases, recovery, settling, workers
from apps.runs.services.frames import FrameWriter
from apps.runs.services.leases import Lease
from apps.runs.types import RunState, RunView, StepSpec
from tests.factories.runs import run_of, work


def note(path: Path, text: str = "x", *, optional: bool = False) -> StepSpec:
    return StepSpec("tests.note", {"path": str(path), "text": text}, key=text, optional=optional)


def begin(run: RunView) -> Lease:
    """Take the lease and begin a step, as a worker that dies now."""
    lease = leases.take(run_id=run.id)
    assert lease is not None
    assert settling.claim_step(lease) is not None
    return lease


def let_lease_run_out() -> None:
    Run.objects.exclude(lease_owner="").update(lease_expires_at=timezone.now() - timedelta(seconds=1))


def make_due() -> None:
    Step.objects.update(due_at=timezone.now())
    Run.objects.filter(finished_at=None).update(due_at=timezone.now())


def test_a_healthy_lease_is_left_alone(member: Member, notes: Path) -> None:
    begin(run_of(member, note(notes)))
    assert recovery.recover_lost() == 0
    assert Run.objects.exclude(lease_owner="").count() == 1


def test_a_lease_that_ran_out_makes_the_step_due_again(member: Member, notes: Path) -> None:
    run = run_of(member, note(notes))
    begin(run)
    let_lease_run_out()
    assert recovery.recover_lost() == 1
    assert recovery.recover_lost() == 0
    assert work(run)
    assert Run.objects.get().state == RunState.SUCCEEDED
    assert list(Attempt.objects.order_by("number").values_list("outcome", flat=True)) == ["lost", "succeeded"]
    assert notes.read_text().splitlines() == ["x"]


def test_a_worker_taken_for_dead_can_write_nothing(member: Member, notes: Path) -> None:
    run = run_of(member, note(notes))
    lease = begin(run)
    let_lease_run_out()
    recovery.recover_lost()
    with pytest.raises(LeaseLost):
        leases.renew(lease)
    with pytest.raises(LeaseLost):
        FrameWriter(lease).emit("token", {})
    with pytest.raises(LeaseLost):
        settling.claim_step(lease)
    assert not RunFrame.objects.exists()
    assert Run.objects.get().state == RunState.QUEUED


def test_a_dead_process_of_this_machine_is_found_at_once(member: Member, notes: Path) -> None:
    begin(run_of(member, note(notes)))
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        start = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[19]
        Run.objects.update(lease_owner=f"{workers.machine()}:{child.pid}:{start}:abc")
        assert recovery.recover_lost() == 0
        child.kill()
    assert recovery.recover_lost() == 1


@pytest.mark.parametrize(
    "owner",
    ["000000000000:1:1:abc", f"{workers.machine()}:{os.getpid()}::abc"],
    ids=["another machine", "no start time"],
)
def test_what_cannot_be_known_is_not_called_dead(owner: str) -> None:
    assert not workers.is_dead(owner)


def lose_five_times(run: RunView) -> None:
    for _ in range(5):
        make_due()
        begin(run)
        let_lease_run_out()
        assert recovery.recover_lost() == 1


def test_a_step_that_kills_its_worker_is_given_up(member: Member, notes: Path) -> None:
    run = run_of(member, note(notes), note(notes, "next"))
    lose_five_times(run)
    after = Run.objects.get()
    assert (after.state, after.error_code, after.lease_owner) == ("failed", "runs.worker_lost", "")
    assert Attempt.objects.filter(outcome="lost").count() == 5
    assert not work(run)
    assert notes.read_text() == ""


def test_a_poisoned_optional_step_does_not_end_the_run(member: Member, notes: Path) -> None:
    run = run_of(member, note(notes, optional=True), note(notes, "next"))
    lose_five_times(run)
    make_due()
    assert work(run)
    after = Run.objects.get()
    assert (after.state, after.steps_failed, after.steps_done) == (RunState.SUCCEEDED, 1, 1)
    assert notes.read_text() == "next\n"


def waiting_pokes(queue: str) -> int:
    client = redis.Redis.from_url(settings.REDIS_URL)
    return int(client.llen(f"celery:{queue}"))


def test_what_is_due_and_unleased_is_poked(member: Member, notes: Path) -> None:
    run_of(member, note(notes), queue="ingest")
    run_of(member, note(notes), due_at=timezone.now() + timedelta(hours=1))
    begin(run_of(member, note(notes)))
    assert recovery.poke_due() == 1
    assert waiting_pokes("ingest") == 1
    assert waiting_pokes("default") == 0


def test_a_full_queue_is_not_filled_further(member: Member, notes: Path) -> None:
    run_of(member, note(notes))
    redis.Redis.from_url(settings.REDIS_URL).rpush("celery:default", *["{}"] * recovery.BATCH)
    assert recovery.poke_due() == 0


def test_frames_are_forgotten_a_day_after_the_end(member: Member) -> None:
    old = run_of(member, StepSpec("tests.stream", {"words": ["a"]}))
    new = run_of(member, StepSpec("tests.stream", {"words": ["b"]}))
    work(old)
    work(new)
    Run.objects.filter(pk=old.id).update(finished_at=timezone.now() - timedelta(days=2))
    recovery.forget_frames()
    assert set(RunFrame.objects.values_list("run_id", flat=True)) == {new.id}
