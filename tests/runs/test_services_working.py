"""Working on runs in this process: order, retries, failures, what is written about them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from apps.accounts.models import Member, Organization, User
from apps.core.models import Event
from apps.runs.errors import BadStepInput
from apps.runs.models import Attempt, Run, RunFrame, Step
from apps.runs.selectors.runs import get_run, list_steps
from apps.runs.services.runs import start_run
from apps.runs.services.settling import pause_seconds
from apps.runs.types import RunState, StepSpec, StepState
from tests.factories.accounts import principal_of
from tests.factories.runs import run_of, work


def note(path: Path, text: str) -> StepSpec:
    return StepSpec("tests.note", {"path": str(path), "text": text}, key=text)


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def test_steps_are_done_in_order_and_the_run_succeeds(member: Member, notes: Path) -> None:
    run = run_of(member, note(notes, "one"), note(notes, "two"), note(notes, "three"))
    assert run.state == RunState.QUEUED
    assert work(run)
    after = get_run(principal=principal_of(member), run_id=run.id)
    assert after.state == RunState.SUCCEEDED
    assert (after.steps_done, after.steps_total, after.percent) == (3, 3, 100)
    assert lines(notes) == ["one", "two", "three"]
    assert list(Attempt.objects.values_list("outcome", flat=True)) == ["succeeded"] * 3
    assert list(Event.objects.order_by("id").values_list("type", flat=True)) == ["run.queued", "run.finished"]


def test_a_finished_run_is_not_worked_on_again(member: Member, notes: Path) -> None:
    run = run_of(member, note(notes, "one"))
    assert work(run)
    assert not work(run)
    assert lines(notes) == ["one"]


def test_the_same_retry_key_returns_the_first_run(member: Member, notes: Path) -> None:
    first = run_of(member, note(notes, "one"), retry_key="message-1")
    second = run_of(member, note(notes, "two"), retry_key="message-1")
    assert second.id == first.id
    assert Run.objects.count() == 1
    assert Step.objects.count() == 1
    assert Event.objects.count() == 1


def test_an_unknown_step_is_refused_and_nothing_is_written(member: Member) -> None:
    with pytest.raises(BadStepInput):
        run_of(member, StepSpec("tests.nobody_declared_this"))
    assert not Run.objects.exists()
    assert not Event.objects.exists()


def test_temporary_trouble_is_tried_again(member: Member, notes: Path) -> None:
    run = run_of(member, StepSpec("tests.flaky", {"path": str(notes), "failures": 1}))
    assert work(run)
    waiting = Run.objects.get()
    assert waiting.state == RunState.WAITING
    assert waiting.lease_owner == ""
    Step.objects.update(due_at=timezone.now())
    Run.objects.update(due_at=timezone.now())
    assert work(run)
    assert Run.objects.get().state == RunState.SUCCEEDED
    assert list(Attempt.objects.order_by("number").values_list("outcome", "error_code")) == [
        ("failed", "runs.retry_later"),
        ("succeeded", ""),
    ]


def test_a_step_gives_up_after_its_attempts(member: Member, notes: Path) -> None:
    run = run_of(member, StepSpec("tests.flaky", {"path": str(notes), "failures": 9}))
    for _ in range(3):
        Step.objects.update(due_at=timezone.now())
        Run.objects.update(due_at=timezone.now())
        assert work(run)
    assert not work(run)
    assert Run.objects.values_list("state", "error_code").get() == ("failed", "runs.retry_later")
    assert len(lines(notes)) == 3


def test_a_refusal_is_final(member: Member, notes: Path) -> None:
    run = run_of(member, StepSpec("tests.refused"), note(notes, "never"))
    assert work(run)
    after = Run.objects.get()
    assert (after.state, after.error_code, after.error_text) == (
        "failed",
        "tests.refused",
        "This is refused for good.",
    )
    assert lines(notes) == []
    assert Attempt.objects.count() == 1


def test_a_crash_is_tried_again_and_shows_no_trace_to_people(member: Member) -> None:
    run = run_of(member, StepSpec("tests.crash"))
    for _ in range(2):
        Step.objects.update(due_at=timezone.now())
        Run.objects.update(due_at=timezone.now())
        assert work(run)
    after = Run.objects.get()
    assert (after.state, after.error_code) == ("failed", "runs.step_crashed")
    assert "secret" not in after.error_text
    trace = Attempt.objects.get(number=2).error_text
    assert "tests/runs/steps.py" in trace
    assert "a secret detail" not in trace


def test_a_failed_page_is_counted_and_the_others_go_on(member: Member, notes: Path) -> None:
    Path(f"{notes}.bad").write_text("2")
    run = run_of(member, StepSpec("tests.outline", {"path": str(notes), "pages": 3}))
    assert run.queue == "ingest"
    assert work(run)
    after = get_run(principal=principal_of(member), run_id=run.id)
    assert (after.state, after.steps_done, after.steps_failed) == (RunState.SUCCEEDED, 4, 1)
    assert lines(notes) == ["page 1", "page 3", "end"]
    steps = list_steps(principal=principal_of(member), run_id=run.id)
    assert [step.key for step in steps if step.error_code] == ["2"]


def test_input_arrives_in_the_types_of_the_function(member: Member) -> None:
    run = run_of(member, StepSpec("tests.typed", {"document_id": member.pk}))
    assert work(run)
    assert Step.objects.get().result == "UUID 1"


@pytest.mark.parametrize("given", [{}, {"document_id": "no uuid"}, {"document_id": "0" * 32, "more": 1}])
def test_input_that_does_not_fit_fails_for_good(member: Member, given: dict[str, object]) -> None:
    run = run_of(member, StepSpec("tests.typed", given))
    assert work(run)
    assert Run.objects.values_list("state", "error_code").get() == ("failed", "runs.bad_step_input")
    assert Attempt.objects.count() == 1


def test_adding_the_same_steps_twice_changes_nothing(member: Member, notes: Path) -> None:
    run = run_of(
        member,
        StepSpec("tests.outline", {"path": str(notes), "pages": 2}),
        StepSpec("tests.outline", {"path": str(notes), "pages": 2}, key="again"),
    )
    assert work(run)
    assert Step.objects.filter(name="tests.page").count() == 2
    assert Run.objects.get().steps_total == 5


def test_frames_are_numbered_without_gaps_and_closed(member: Member) -> None:
    run = run_of(member, StepSpec("tests.stream", {"words": ["a", "b\x00", "\ud800c"]}))
    assert work(run)
    frames = list(RunFrame.objects.order_by("number").values_list("number", "type", "data__text"))
    assert frames == [(1, "token", "a"), (2, "token", "b"), (3, "token", "?c"), (4, "run.finished", None)]
    assert Run.objects.get().result == {"words": 3}


def test_progress_keeps_the_last_value(member: Member) -> None:
    run = run_of(member, StepSpec("tests.progress", {"total": 40}))
    assert work(run)
    assert Step.objects.values_list("progress_current", "progress_total", "state").get() == (
        40,
        40,
        StepState.SUCCEEDED,
    )


def test_a_run_in_the_future_is_left_alone(member: Member, notes: Path) -> None:
    later = timezone.now() + timedelta(hours=1)
    run = run_of(member, note(notes, "one"), due_at=later)
    assert not work(run)
    assert lines(notes) == []


def test_a_run_needs_a_step(member: Member) -> None:
    with pytest.raises(ValueError, match="step"):
        start_run(kind="tests", principal=None, steps=[])


def test_pauses_double_and_end_at_five_minutes() -> None:
    assert 0.5 <= pause_seconds(1, base=1) <= 1
    assert 4 <= pause_seconds(4, base=1) <= 8
    assert 150 <= pause_seconds(50, base=1) <= 300


def test_what_a_step_keeps_serves_the_next_ones_and_is_left(member: Member, notes: Path) -> None:
    steps = [StepSpec("tests.keep", {"path": str(notes), "number": n}, key=str(n)) for n in range(2)]
    assert work(run_of(member, *steps))
    assert lines(notes) == ["entered", "used 0", "used 1", "left"]


@pytest.mark.parametrize(("account", "spoken"), [("de", "de"), ("en", "en"), ("", "de")])
def test_work_speaks_the_language_of_who_asked(member: Member, account: str, spoken: str) -> None:
    Organization.objects.update(language="de")
    User.objects.filter(pk=member.user_id).update(language=account)
    assert work(run_of(member, StepSpec("tests.language")))
    assert Step.objects.get().result == spoken


def test_work_of_the_house_speaks_the_organizations_language(member: Member) -> None:
    Organization.objects.update(language="de")
    run = start_run(kind="tests", principal=None, steps=[StepSpec("tests.language")])
    assert work(run)
    assert Step.objects.get().result == "de"
