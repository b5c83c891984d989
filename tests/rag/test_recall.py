"""The nightly check of the index: searches of people asked again, of the index and of every row they may see."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from apps.accounts.models import Member
from apps.accounts.types import Principal
from apps.ops.selectors.figures import exposition
from apps.rag import steps as _steps  # noqa: F401 - declares the step
from apps.rag.models import RecallCheck, SearchTrace
from apps.rag.selectors.traces import list_recall_checks
from apps.rag.services.recall import check_recall, start_check, start_due_checks
from apps.rag.services.traces import keep_trace
from apps.rag.types import SearchOrigin
from apps.runs.models import Run
from tests.chat.world import World
from tests.factories.runs import work_off
from tests.rag.library import add_document, ask, embed_all, index_message
from tests.walls import everywhere

NIGHT = "2026-11-12 02:30:00+00:00"


@pytest.fixture
def ada(world: World) -> Principal:
    """Searches in a room with one message and thirty pages, beside thirty that she does not see."""
    ada, ben = world.person("Ada"), world.person("Ben")
    for who, name in ((ada, "betrieb"), (ben, "geheim")):
        room = world.channel(who, name, is_private=True)
        sent = world.say(who, room, "The crane is booked")
        index_message(world.organization.pk, room, sent.id)
        scope_id = ask(who, "crane").hits[0].scope
        add_document(
            organization_id=world.organization.pk, scope_id=scope_id, title="Handbook",
            pages=[f"Crane number {number} of {name} is oiled." for number in range(30)],
        )  # fmt: skip
    embed_all(world.organization.pk)
    return ada


def _searched(principal: Principal, query: str) -> None:
    result = ask(principal, query)
    keep_trace(principal=principal, origin=SearchOrigin.PAGE, query=query, result=result)


def test_recent_searches_are_compared_with_the_exact_scan(world: World, ada: Principal) -> None:
    for query in ("crane number 7", "crane number 7", "oiled cranes", "has:link", '-"crane"'):
        _searched(ada, query)
    done = check_recall(organization_id=world.organization.pk)
    assert done.queries == 2  # each once, and no list: it compares no meaning
    assert done.through_index == 0  # few rows: a search compares them all
    assert done.recall is not None
    assert done.worst is not None
    assert 0.9 <= done.worst <= done.recall <= 1
    assert done.chunks == 62
    (told,) = list_recall_checks(world.person("Aylin", "admin"))
    assert (told.queries, told.recall) == (2, done.recall)


def test_both_sides_see_only_what_the_searcher_sees(world: World, ada: Principal) -> None:
    vector = f"[{','.join(['0.05'] * 384)}]"
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(model_version) FROM rag_chunk")
        (version,) = cursor.fetchone()
        cursor.execute(
            "SELECT found, nearest FROM rag_recall(%s::uuid[], %s, %s, NULL, NULL)",
            [[ada.id], vector, version],
        )
        found, nearest = cursor.fetchone()
        cursor.execute(
            "SELECT count(*) FROM rag_recall(%s::uuid[], %s, %s, NULL, NULL)", [[uuid4()], vector, version]
        )
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT id FROM rag_chunk WHERE body LIKE '%%betrieb%%' OR body LIKE '%%booked%%'")
        seen = {pk for (pk,) in cursor.fetchall()}
    assert len(found) == len(nearest) == 10
    assert set(found) | set(nearest) <= seen


def test_who_left_is_left_out(world: World, ada: Principal) -> None:
    _searched(ada, "crane")
    Member.objects.filter(pk=ada.member_id).update(deactivated_at=timezone.now())
    done = check_recall(organization_id=world.organization.pk)
    assert (done.queries, done.recall, done.worst) == (0, None, None)


def test_a_check_runs_at_night_once_where_something_was_searched(world: World, ada: Principal) -> None:
    with time_machine.travel(NIGHT, tick=False):
        with everywhere():
            assert start_due_checks() == 0  # nobody searched
        _searched(ada, "crane")
        SearchTrace.objects.update(created_at=timezone.now() - timedelta(hours=3))
        with everywhere():
            assert start_due_checks() == 1
            assert start_due_checks() == 0
        work_off()
        assert RecallCheck.objects.get().queries == 1
        with everywhere():
            assert start_due_checks() == 0
    with time_machine.travel("2026-11-13 12:00:00+00:00", tick=False), everywhere():
        assert start_due_checks() == 0  # by day
    with time_machine.travel("2026-11-13 02:00:00+00:00", tick=False), everywhere():
        assert start_due_checks() == 1


def test_an_administrator_starts_one_at_any_time(world: World, ada: Principal) -> None:
    admin = world.person("Aylin", "admin")
    first = start_check(admin)
    assert start_check(admin).id == first.id
    work_off()
    assert Run.objects.get(pk=first.id).state == "succeeded"
    assert start_check(admin).id != first.id


def test_the_command_says_what_it_measured(world: World, ada: Principal) -> None:
    def run() -> str:
        out = StringIO()
        call_command("check_recall", organization=world.organization.pk, stdout=out)
        return out.getvalue()

    assert run() == "no search of the last 7 days could be compared\n"
    _searched(ada, "crane")
    assert run().endswith("of 1 queries, 0 through the index\n")
    with pytest.raises(CommandError):
        call_command("check_recall", organization=uuid4())


def test_the_latest_check_is_a_metric(world: World, ada: Principal) -> None:
    assert b"chatsystem_search_recall" not in exposition()
    for recall, worst in ((0.5, 0.1), (0.98, 0.9)):
        RecallCheck.objects.create(
            organization_id=world.organization.pk,
            queries=5,
            through_index=5,
            recall=recall,
            worst=worst,
            chunks=9,
        )
    told = exposition().decode()
    assert 'chatsystem_search_recall{of="mean"} 0.98' in told
    assert 'chatsystem_search_recall{of="lowest"} 0.98' in told
    assert "chatsystem_search_recall_age_seconds" in told
