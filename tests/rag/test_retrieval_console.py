"""The console's page of retrieval: lists with filters, one search, who may look, and that looking is recorded."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone
from lxml import html

from apps.accounts.errors import PermissionMissing
from apps.accounts.models import User
from apps.accounts.types import Principal
from apps.core.models import AuditEntry
from apps.rag.models import RecallCheck, SearchTrace
from apps.rag.selectors import traces
from apps.rag.services import inspecting, thumbs
from apps.rag.services.traces import keep_trace
from apps.rag.types import SearchOrigin
from apps.runs.models import Run
from tests.accounts.sessions import open_session
from tests.chat.world import World
from tests.rag.library import ask, index_message

PAGE = "/o/nordlicht/console/retrieval/"


@pytest.fixture
def admin(world: World) -> Principal:
    return world.person("Aylin", "admin")


@pytest.fixture
def ada(world: World) -> Principal:
    ada = world.person("Ada")
    sent = world.say(ada, world.channel(ada, "geheim", is_private=True), "The crane is booked")
    index_message(world.organization.pk, sent.conversation_id, sent.id)
    return ada


def _client(person: Principal) -> Client:
    client = Client()
    client.cookies["session"] = open_session(User.objects.get(pk=person.id))
    return client


def _searched(principal: Principal, query: str, origin: SearchOrigin = SearchOrigin.PAGE) -> UUID:
    result = ask(principal, query)
    keep_trace(principal=principal, origin=origin, query=query, result=result)
    return result.id


def _queries(client: Client, query: str = "") -> list[str]:
    page = html.fromstring(client.get(PAGE + query).content)
    return page.xpath("//tbody//a[@class='file__name']/text()")


def test_a_search_without_words_can_be_opened(admin: Principal) -> None:
    search = _searched(admin, "")
    client = _client(admin)
    assert _queries(client) == ["without words"]
    assert "without words" in client.get(f"{PAGE}{search}/").content.decode()


def test_an_empty_page_says_what_stands_here(admin: Principal) -> None:
    text = html.fromstring(_client(admin).get(PAGE).content).text_content()
    assert "No searches here" in text
    assert "Nothing was compared yet." in text
    assert not AuditEntry.objects.filter(action="search.listed").exists()


def test_searches_are_listed_newest_first_and_filtered(ada: Principal, admin: Principal) -> None:
    first = _searched(ada, "crane")
    _searched(ada, "nothing at all")
    slow = _searched(ada, "crane slow", SearchOrigin.AGENT)
    SearchTrace.objects.filter(pk=slow).update(took_ms=900)
    thumbs.give_thumb(principal=ada, search_id=first, number=1, is_good=False)
    client = _client(admin)
    assert _queries(client) == ["crane slow", "nothing at all", "crane"]
    assert _queries(client, "?which=slow") == ["crane slow"]
    assert _queries(client, "?which=empty") == ["nothing at all"]
    assert _queries(client, "?which=bad") == ["crane"]
    assert _queries(client, "?origin=agent") == ["crane slow"]
    assert _queries(client, "?origin=agent&which=bad") == []
    assert len(_queries(client, "?which=nonsense&origin=%00")) == 3
    sums = traces.sum_up(admin)
    assert (sums.searches, sums.empty, sums.slow, sums.thumbs_up, sums.thumbs_down) == (3, 1, 1, 0, 1)
    assert sums.p95_ms is not None
    assert sums.p95_ms > 500


def test_a_search_that_is_being_written_counts_once_it_was_meant(ada: Principal, admin: Principal) -> None:
    client, own = _client(admin), _client(ada)

    def write(text: str) -> UUID:
        answer = own.get("/o/nordlicht/search/", {"q": text}, headers={"Search-Draft": "1"})
        made = SearchTrace.objects.latest("created_at")
        assert f'data-finished="/o/nordlicht/search/{made.pk}/finished/"' in answer.content.decode()
        return made.pk

    drafts = {text: write(text) for text in ("cr", "cra", "cran", "crane", "crane booked")}
    assert _queries(client) == _queries(client, "?which=empty") == []
    assert (traces.sum_up(admin).searches, traces.sum_up(admin).median_ms) == (0, None)
    for _ in range(2):
        assert own.post(f"/o/nordlicht/search/{drafts['cra']}/finished/").status_code == 204
    assert own.get(f"/o/nordlicht/search/{drafts['crane']}/hits/1/").status_code == 200
    thumbs.give_thumb(principal=ada, search_id=drafts["crane booked"], number=1, is_good=False)
    assert _queries(client) == ["crane booked", "crane", "cra"]
    submitted = own.get("/o/nordlicht/search/", {"q": "crane"}).content.decode()
    assert "data-finished" not in submitted
    assert traces.sum_up(admin).searches == 4


def test_nobody_says_of_the_searches_of_others_that_they_were_meant(
    world: World, ada: Principal, admin: Principal
) -> None:
    made = _searched(ada, "crane")
    SearchTrace.objects.update(is_finished=False)
    assert _client(admin).post(f"/o/nordlicht/search/{made}/finished/").status_code == 404
    assert _client(ada).get(f"/o/nordlicht/search/{made}/finished/").status_code == 405
    assert not SearchTrace.objects.get().is_finished


def test_old_searches_are_in_no_sum(ada: Principal, admin: Principal) -> None:
    _searched(ada, "crane")
    SearchTrace.objects.update(created_at=timezone.now() - timedelta(days=8))
    assert traces.sum_up(admin).searches == 0
    assert traces.sum_up(admin).median_ms is None


def test_one_search_is_shown_without_what_the_reader_may_not_see(ada: Principal, admin: Principal) -> None:
    made = _searched(ada, "crane")
    thumbs.give_thumb(principal=ada, search_id=made, number=1, is_good=True)
    answer = _client(admin).get(f"{PAGE}{made}/")
    assert answer.status_code == 200
    text = " ".join(html.fromstring(answer.content).text_content().split())
    assert "ByAda" in text
    assert "With a word of the query1" in text
    assert "You may not open it, or it is gone" in text
    assert "geheim" not in text
    assert "booked" not in text
    seen = inspecting.look_at_search(admin, made).hits[0]
    assert (seen.hit, seen.is_good, seen.words_rank) == (None, True, 1)
    own = _searched(admin, "crane")
    assert inspecting.look_at_search(admin, own).hits == []


def test_looking_is_recorded(ada: Principal, admin: Principal) -> None:
    made = _searched(ada, "crane")
    client = _client(admin)
    client.get(f"{PAGE}?which=empty")  # nothing was shown
    client.get(f"{PAGE}?origin=page")
    client.get(f"{PAGE}{made}/")
    listed, opened = AuditEntry.objects.filter(action__startswith="search.").order_by("id")
    assert (listed.action, listed.actor_id, listed.details) == (
        "search.listed", admin.id, {"which": "", "origin": "page", "shown": 1},
    )  # fmt: skip
    assert (opened.action, opened.object_id, opened.details) == (
        "search.opened", str(made), {"searcher": str(ada.id)},
    )  # fmt: skip


@pytest.mark.parametrize("role", ["moderator", "member", "guest", "auditor"])
def test_others_have_no_such_page(world: World, ada: Principal, role: str) -> None:
    made = _searched(ada, "crane")
    ben = world.person("Ben", role)
    client = _client(ben)
    assert [client.get(where).status_code for where in (PAGE, f"{PAGE}{made}/")] == [404] * 2
    assert client.post(f"{PAGE}check/").status_code == 404
    with pytest.raises(PermissionMissing):
        inspecting.look_at_search(ben, made)
    assert not AuditEntry.objects.filter(action__startswith="search.").exists()
    assert not Run.objects.filter(kind="rag.recall").exists()


def test_a_search_of_another_organization_does_not_exist(ada: Principal, admin: Principal) -> None:
    assert _client(admin).get(f"{PAGE}{UUID(int=7)}/").status_code == 404


def test_the_check_of_the_index_is_shown_and_started(ada: Principal, admin: Principal) -> None:
    RecallCheck.objects.create(
        organization_id=admin.organization_id, queries=12, through_index=3, recall=0.985, worst=0.8, chunks=62
    )
    client = _client(admin)
    text = " ".join(html.fromstring(client.get(PAGE).content).text_content().split())
    assert "98.5%of the ten nearest passages" in text
    assert "Lowest of a search80.0%" in text
    answer = client.post(f"{PAGE}check/")
    assert (answer.status_code, answer.headers["Location"]) == (302, PAGE)
    assert Run.objects.filter(kind="rag.recall").count() == 1


@pytest.mark.parametrize("rows", [1, 20])
def test_the_page_costs_as_many_queries_for_any_number(
    ada: Principal, admin: Principal, django_assert_num_queries, rows: int
) -> None:
    for number in range(rows):
        _searched(ada, f"crane {number}")
    with django_assert_num_queries(2):  # searches; thumbs
        assert len(traces.list_searches(admin, offset=0, limit=50)) == rows
