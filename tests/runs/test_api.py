"""The REST endpoints of runs, and their stream as server-sent events."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connections
from django.http.response import HttpResponseBase
from django.test import AsyncClient, Client

from apps.accounts.models import Member, Seat
from apps.accounts.services.scopes import remove_seat
from apps.core import tenancy
from apps.runs.models import Run, RunFrame, Step
from apps.runs.services import following
from apps.runs.types import StepSpec
from tests.factories.accounts import MemberFactory, ScopeFactory, SeatFactory, api_key
from tests.factories.runs import run_of, work

pytestmark = pytest.mark.django_db
REFUSED = StepSpec("tests.refused")


class Api:
    """A program with a member's key."""

    def __init__(self, member: Member) -> None:
        self._client, self._headers = Client(), {"Authorization": f"Bearer {api_key(member).secret}"}

    def get(self, path: str) -> Any:
        return self._client.get(f"/api/v1/{path}", headers=self._headers)

    def post(self, path: str) -> Any:
        return self._client.post(
            f"/api/v1/{path}", {}, content_type="application/json", headers=self._headers
        )


def test_a_run_is_shown_with_its_steps(member: Member) -> None:
    run = run_of(member, REFUSED, StepSpec("tests.typed", {"document_id": member.pk}))
    work(run)
    body = Api(member).get(f"runs/{run.id}/").json()
    assert (body["state"], body["error_code"], body["error"]) == (
        "failed",
        "tests.refused",
        "This is refused for good.",
    )
    assert [(step["name"], step["state"]) for step in body["steps"]] == [
        ("tests.refused", "failed"),
        ("tests.typed", "queued"),
    ]
    assert "input" not in body


def test_the_list_is_filtered_and_paged(member: Member) -> None:
    runs = [run_of(member, REFUSED, kind=kind) for kind in ("a", "b", "a")]
    work(runs[0])
    run_of(MemberFactory(organization=member.organization), REFUSED)
    api = Api(member)
    assert [row["id"] for row in api.get("runs/").json()["results"]] == [
        str(run.id) for run in reversed(runs)
    ]
    assert [row["id"] for row in api.get("runs/?kind=a&state=queued").json()["results"]] == [str(runs[2].id)]
    both = api.get("runs/?state=queued&state=failed&limit=2").json()
    assert len(both["results"]) == 2
    assert both["next"]
    assert api.get("runs/?state=lost").json()["code"] == "core.invalid_input"


@pytest.mark.parametrize("rows", [1, 20])
def test_the_list_costs_the_same_for_any_number(
    member: Member, rows: int, django_assert_num_queries: Any
) -> None:
    for _ in range(rows):
        run_of(member, REFUSED)
    api = Api(member)
    api.get("runs/")
    with django_assert_num_queries(2):  # the key; the runs
        assert len(api.get("runs/").json()["results"]) == rows


def test_cancel_and_retry(member: Member) -> None:
    api = Api(member)
    run = run_of(member, REFUSED)
    assert api.post(f"runs/{run.id}/retry/").json()["code"] == "runs.nothing_to_retry"
    work(run)
    assert api.post(f"runs/{run.id}/retry/").json()["state"] == "queued"
    assert api.post(f"runs/{run.id}/cancel/").json()["state"] == "cancelled"
    assert Step.objects.get().state == "cancelled"


def test_a_foreign_run_is_the_same_as_none(member: Member) -> None:
    run = run_of(member, REFUSED)
    missing = Api(member).get(f"runs/{uuid4()}/").json()
    for other in (MemberFactory(organization=member.organization), MemberFactory()):
        api = Api(other)
        answers = [api.get(f"runs/{run.id}/"), api.get(f"runs/{run.id}/events")]
        answers += [api.post(f"runs/{run.id}/{act}/") for act in ("cancel", "retry")]
        for answer in answers:
            assert answer.status_code == 404
            assert {**answer.json(), "request_id": ""} == {**missing, "request_id": ""}
    assert Run.objects.get().state == "queued"


def test_a_strange_last_event_id_is_refused(member: Member) -> None:
    run = run_of(member, REFUSED)
    key = api_key(member).secret
    answer = Client().get(
        f"/api/v1/runs/{run.id}/events", headers={"Authorization": f"Bearer {key}", "Last-Event-ID": "x"}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "core.invalid_input")


@pytest.fixture
async def closing_thread() -> AsyncIterator[None]:
    """Close the connection of the thread in which the views of an async test ran."""
    yield
    await sync_to_async(connections.close_all)()


async def answer_to(member: Member, run: Any, last: int = 0) -> HttpResponseBase:
    """Return what a reader of the stream is answered."""
    key = await sync_to_async(api_key)(member)
    return await AsyncClient().get(
        f"/api/v1/runs/{run.id}/events",
        headers={"Authorization": f"Bearer {key.secret}", "Last-Event-ID": str(last)},
    )


async def events(member: Member, run: Any, last: int = 0) -> AsyncIterator[str]:
    """Yield what a reader of the stream gets."""
    answer = await answer_to(member, run, last)
    assert answer["Content-Type"] == "text/event-stream"
    assert answer["Cache-Control"] == "private, no-store"
    async for part in answer:  # type: ignore[attr-defined]  # an async iterable here
        yield part.decode()


@pytest.mark.django_db(transaction=True)
async def test_a_finished_stream_is_told_again_from_any_id(closing_thread: None) -> None:
    member = await sync_to_async(MemberFactory)()
    run = await sync_to_async(run_of)(member, StepSpec("tests.stream", {"words": ["a", "b"]}))
    await sync_to_async(work)(run)
    told = [part async for part in events(member, run)]
    assert told == [
        'id: 1\nevent: token\ndata: {"text":"a"}\n\n',
        'id: 2\nevent: token\ndata: {"text":"b"}\n\n',
        'id: 3\nevent: run.finished\ndata: {"state":"succeeded","error_code":"","error_text":""}\n\n',
    ]
    assert [part async for part in events(member, run, last=2)] == told[2:]


@pytest.mark.django_db(transaction=True)
async def test_who_heard_the_end_is_told_that_there_is_no_more(closing_thread: None) -> None:
    """An EventSource comes back with the last id whenever its stream ends."""
    member = await sync_to_async(MemberFactory)()
    run = await sync_to_async(run_of)(member, StepSpec("tests.stream", {"words": ["a"]}))
    await sync_to_async(work)(run)
    assert (await answer_to(member, run, last=2)).status_code == 204
    with tenancy.use(member.organization_id):
        await RunFrame.objects.filter(run_id=run.id).adelete()  # they are kept for a while only
    assert (await answer_to(member, run)).status_code == 204


@pytest.mark.django_db(transaction=True)
async def test_a_stream_stays_while_the_database_is_away(
    closing_thread: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = await sync_to_async(MemberFactory)()
    run = await sync_to_async(run_of)(member, StepSpec("tests.stream", {"words": ["a"]}))
    await sync_to_async(work)(run)
    stored, looks = following._stored, []

    def look(*which: Any) -> Any:
        looks.append(which)
        if len(looks) == 1:
            raise OperationalError
        return stored(*which)

    monkeypatch.setattr(following, "_stored", look)
    monkeypatch.setattr(following, "LOOK_SECONDS", 0.05)
    told = [part.partition("\n")[0] async for part in events(member, run)]
    assert [line for line in told if line.startswith("id")] == ["id: 1", "id: 2"]
    assert len(looks) == 2


def beside(run: Any) -> threading.Thread:
    def call() -> None:
        try:
            work(run)
        finally:
            connections.close_all()

    thread = threading.Thread(target=call)
    thread.start()
    return thread


@pytest.mark.django_db(transaction=True)
async def test_a_running_stream_is_followed_to_its_end_in_order(closing_thread: None, tmp_path: Path) -> None:
    member = await sync_to_async(MemberFactory)()
    notes = tmp_path / "notes"
    run = await sync_to_async(run_of)(member, StepSpec("tests.stream_and_wait", {"path": str(notes)}))
    told: list[str] = []
    thread = None
    async for part in events(member, run):
        told.append(part.partition("\n")[0])
        if thread is None:
            thread = beside(run)
        if told.count("id: 3"):
            await sync_to_async(Path(f"{notes}.go").touch)()
    assert thread is not None
    thread.join()
    assert [line for line in told if line.startswith("id")] == ["id: 1", "id: 2", "id: 3", "id: 4"]


@pytest.mark.django_db(transaction=True)
async def test_the_stream_ends_when_the_right_ends(closing_thread: None, tmp_path: Path) -> None:
    owner = await sync_to_async(MemberFactory)()
    scope = await sync_to_async(ScopeFactory)(organization=owner.organization)
    seat = await sync_to_async(SeatFactory)(scope=scope)
    with tenancy.use(seat.organization_id):
        reader = await sync_to_async(Member.objects.select_related("organization").get)(
            user_id=seat.principal_id
        )
    notes = tmp_path / "notes"
    run = await sync_to_async(run_of)(
        owner, StepSpec("tests.stream_and_wait", {"path": str(notes)}), scope_id=scope.pk
    )
    thread = beside(run)
    told: list[str] = []
    async for part in events(reader, run):
        told.append(part.partition("\n")[0])
        if told[-1] == "id: 3":
            await sync_to_async(end_seat)(seat)
    await sync_to_async(Path(f"{notes}.go").touch)()
    thread.join()
    assert "id: 3" in told
    assert "id: 4" not in told


def end_seat(seat: Seat) -> None:
    with tenancy.use(seat.organization_id):
        remove_seat(scope_id=seat.scope_id, principal_id=seat.principal_id)
