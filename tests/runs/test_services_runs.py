"""Who sees, cancels and retries which runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.utils import timezone

from apps.accounts.models import Member
from apps.core.models import Event
from apps.runs.errors import NothingToRetry, NotYourRun, RunNotFound
from apps.runs.models import Run, RunFrame, Step
from apps.runs.selectors import frames
from apps.runs.selectors.runs import get_run, list_runs, list_steps
from apps.runs.services.runs import cancel_run, retry_run
from apps.runs.types import RunState, StepSpec
from tests.factories.accounts import MemberFactory, ScopeFactory, SeatFactory, principal_of
from tests.factories.runs import run_of, work

REFUSED = StepSpec("tests.refused")


def test_others_see_neither_the_run_nor_that_it_exists(member: Member) -> None:
    run = run_of(member, REFUSED)
    colleague, stranger = MemberFactory(organization=member.organization), MemberFactory()
    for other in (principal_of(colleague), principal_of(stranger)):
        with pytest.raises(RunNotFound):
            get_run(principal=other, run_id=run.id)
        with pytest.raises(RunNotFound):
            list_steps(principal=other, run_id=run.id)
        with pytest.raises(RunNotFound):
            cancel_run(principal=other, run_id=run.id)
        with pytest.raises(RunNotFound):
            retry_run(principal=other, run_id=run.id)
        assert not list_runs(principal=other).exists()
        assert not frames.is_visible(other, run.id)
    assert Run.objects.get().cancel_requested_at is None


def test_readers_of_the_scope_see_it_and_may_not_stop_it(member: Member) -> None:
    scope = ScopeFactory(organization=member.organization)
    reader = MemberFactory(organization=member.organization)
    run = run_of(member, REFUSED, scope_id=scope.pk)
    with pytest.raises(RunNotFound):
        get_run(principal=principal_of(reader), run_id=run.id)
    SeatFactory(scope=scope, member=reader)
    Run.objects.update(created_at=timezone.now())
    assert get_run(principal=principal_of(reader), run_id=run.id).id == run.id
    with pytest.raises(NotYourRun):
        cancel_run(principal=principal_of(reader), run_id=run.id)
    assert Run.objects.get().state == RunState.QUEUED


def test_an_administrator_sees_and_stops_any_run_of_the_organization(member: Member) -> None:
    run = run_of(member, REFUSED)
    admin = principal_of(MemberFactory(organization=member.organization, role="admin"))
    assert cancel_run(principal=admin, run_id=run.id).state == RunState.CANCELLED


def test_cancelling_a_waiting_run_ends_it_at_once(member: Member, notes: Path) -> None:
    run = run_of(member, StepSpec("tests.note", {"path": str(notes), "text": "x"}))
    cancelled = cancel_run(principal=principal_of(member), run_id=run.id)
    assert (cancelled.state, cancelled.is_finished) == (RunState.CANCELLED, True)
    assert not work(run)
    assert notes.read_text() == ""
    assert list(Step.objects.values_list("state", flat=True)) == ["cancelled"]
    assert RunFrame.objects.values_list("type", "data__state").get() == ("run.finished", "cancelled")
    assert Event.objects.filter(type="run.finished").count() == 1


def test_cancelling_a_finished_run_changes_nothing(member: Member) -> None:
    run = run_of(member, REFUSED)
    assert work(run)
    assert cancel_run(principal=principal_of(member), run_id=run.id).state == RunState.FAILED
    assert Event.objects.filter(type="run.finished").count() == 1


def test_only_failed_steps_are_tried_again(member: Member, notes: Path) -> None:
    bad = Path(f"{notes}.bad")
    bad.write_text("2 3")
    run = run_of(member, StepSpec("tests.outline", {"path": str(notes), "pages": 4}))
    assert work(run)
    assert Run.objects.get().steps_failed == 2
    bad.write_text("3")
    again = retry_run(principal=principal_of(member), run_id=run.id)
    assert (again.state, again.steps_failed, again.steps_done) == (RunState.QUEUED, 0, 4)
    assert work(run)
    after = Run.objects.get()
    assert (after.state, after.steps_failed, after.steps_done) == (RunState.SUCCEEDED, 1, 5)
    assert notes.read_text().splitlines() == ["page 1", "page 4", "end", "page 2"]


def test_a_failed_run_goes_on_behind_the_failed_step(member: Member, notes: Path) -> None:
    run = run_of(member, REFUSED, StepSpec("tests.note", {"path": str(notes), "text": "after"}))
    assert work(run)
    Step.objects.filter(name="tests.refused").update(
        name="tests.page", input={"path": str(notes), "number": 2}
    )
    retry_run(principal=principal_of(member), run_id=run.id)
    assert work(run)
    assert Run.objects.get().state == RunState.SUCCEEDED
    assert notes.read_text().splitlines() == ["page 2", "after"]


def test_there_is_nothing_to_retry_in_an_open_or_a_good_run(member: Member, notes: Path) -> None:
    run = run_of(member, StepSpec("tests.note", {"path": str(notes), "text": "x"}))
    with pytest.raises(NothingToRetry):
        retry_run(principal=principal_of(member), run_id=run.id)
    assert work(run)
    with pytest.raises(NothingToRetry):
        retry_run(principal=principal_of(member), run_id=run.id)
    assert Event.objects.filter(type="run.queued").count() == 1


def test_stored_frames_are_read_after_a_number(member: Member) -> None:
    run = run_of(member, StepSpec("tests.stream", {"words": ["a", "b", "c"]}))
    assert work(run)
    assert [frame.number for frame in frames.stored(run_id=run.id, after=2)] == [3, 4]
    assert frames.after(run_id=run.id, after=3) == [
        f'{{"frame":"stream","run":"{run.id}","id":4,"type":"run.finished",'
        '"data":{"state":"succeeded","error_code":"","error_text":""}}'.encode()
    ]
