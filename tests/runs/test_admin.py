"""Django's admin for runs: looks, and acts through the services only."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client

from apps.accounts.models import Member, User
from apps.core.models import Event
from apps.ops.selectors.figures import exposition
from apps.runs.models import Run
from apps.runs.selectors.figures import queue_figures
from apps.runs.types import StepSpec
from tests.accounts.sessions import open_session
from tests.factories.runs import run_of, work

pytestmark = pytest.mark.django_db
REFUSED = StepSpec("tests.refused")


@pytest.fixture
def operator() -> Client:
    client = Client()
    user = User.objects.create_superuser("operator@example.org", "a long password")
    client.cookies[settings.SESSION_COOKIE_NAME] = open_session(user)
    return client


@pytest.mark.parametrize("page", ["run", "step", "attempt"])
def test_lists_open_and_offer_no_form(member: Member, operator: Client, page: str) -> None:
    work(run_of(member, REFUSED))
    assert operator.get(f"/admin/runs/{page}/").status_code == 200
    assert operator.get(f"/admin/runs/{page}/add/").status_code == 403


def test_an_operator_cancels_and_retries_through_the_services(member: Member, operator: Client) -> None:
    open_run, failed = run_of(member, REFUSED), run_of(member, REFUSED)
    work(failed)
    chosen = [str(open_run.id), str(failed.id)]
    operator.post("/admin/runs/run/", {"action": "retry", "_selected_action": chosen})
    assert set(Run.objects.values_list("state", flat=True)) == {"queued"}
    operator.post("/admin/runs/run/", {"action": "cancel", "_selected_action": chosen})
    assert set(Run.objects.values_list("state", flat=True)) == {"cancelled"}
    assert Event.objects.filter(type="run.finished").count() == 3


def test_the_figures_of_the_queues(member: Member) -> None:
    run_of(member, REFUSED)
    run_of(member, REFUSED, queue="ingest")
    work(run_of(member, REFUSED))
    figures = {each.queue: each for each in queue_figures()}
    assert set(figures) == {"default", "ingest"}
    assert (figures["default"].queued, figures["default"].failed) == (1, 1)
    assert figures["ingest"].oldest_due_seconds >= 0


def test_the_figures_are_exposed(member: Member) -> None:
    run_of(member, REFUSED, queue="ingest")
    text = exposition().decode()
    assert 'chatsystem_runs_queued{queue="ingest"} 1.0' in text
    assert 'chatsystem_runs_oldest_due_seconds{queue="ingest"}' in text
