"""Who reads the trail, what is found in it, and that reading shows nothing of another organization."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import orjson
import pytest
from django.conf import settings as django_settings
from django.db.models import Model
from django.test import Client
from lxml import html

from apps.accounts.selectors.scopes import visible_scopes
from apps.accounts.services import principal_cache, sessions
from apps.chat.services import conversations, messages
from apps.core import tenancy
from apps.core.models import AuditEntry
from apps.core.services import audit
from apps.ops.selectors import figures
from apps.runs.models import Run
from apps.security.models import AuditCheck
from apps.security.selectors import trail
from apps.security.types import ChainState
from tests.accounts.sessions import open_session
from tests.agents.test_answers import FACT, index_all
from tests.conftest import owner_connection
from tests.factories.accounts import (
    PASSWORD,
    MemberFactory,
    OrganizationFactory,
    PersonFactory,
    ScopeFactory,
    api_key,
    principal_of,
)
from tests.factories.runs import work_off
from tests.security.trails import DONE, act
from tests.walls import everywhere

FORBIDDEN_ROLES = ("admin", "moderator", "member", "guest")


def rows(model: type[Model], **which: object) -> list[Any]:
    """Return the rows of all organizations, oldest first."""
    with everywhere():
        return list(model.objects.filter(**which).order_by("pk"))


@pytest.fixture
def organization(db, tmp_path, settings):
    """An organization, and anchors of this test's own."""
    security = settings.CONFIGURATION.security.model_copy(update={"audit_anchor_dir": tmp_path})
    settings.CONFIGURATION = replace(settings.CONFIGURATION, security=security)
    principal_cache.follow(None)
    sessions._tracked.clear()
    return OrganizationFactory(slug="nordlicht")


@pytest.fixture
def auditor(organization):
    """A member with the built-in role."""
    return MemberFactory(organization=organization, role="auditor", name="Clara Prüfer")


def browser(member):
    client = Client()
    client.cookies[django_settings.SESSION_COOKIE_NAME] = open_session(member.user)
    return client


def call(member, path="", **options):
    key = api_key(member)
    return Client().get(f"/api/v1/audit/{path}", HTTP_AUTHORIZATION=f"Bearer {key.secret}", **options)


def found(member, **filters):
    answer = call(member, data=filters)
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def text(response):
    return " ".join(" ".join(html.fromstring(response.content).xpath("//main")[0].itertext()).split())


@pytest.mark.parametrize("role", FORBIDDEN_ROLES)
def test_others_are_refused_and_learn_nothing(organization, role):
    act(organization.pk)
    member = MemberFactory(organization=organization, role=role)
    assert call(member).status_code == 403
    assert call(member, "verify/").status_code == 403
    assert browser(member).get("/o/nordlicht/console/audit/").status_code == 404
    assert browser(member).post("/o/nordlicht/console/audit/export/").status_code == 404
    assert not rows(Run)


@pytest.mark.parametrize("role", ["owner", "auditor"])
def test_owners_and_auditors_read(organization, role):
    act(organization.pk)
    member = MemberFactory(organization=organization, role=role)
    assert [entry["action"] for entry in found(member)] == [DONE]
    assert "Tested" in text(browser(member).get("/o/nordlicht/console/audit/"))


def test_a_key_needs_the_scope(organization, auditor):
    key = api_key(auditor, scopes=["admin:read"])
    answer = Client().get("/api/v1/audit/", HTTP_AUTHORIZATION=f"Bearer {key.secret}")
    assert answer.status_code == 403


def test_another_organizations_trail_does_not_exist(organization, auditor):
    other = OrganizationFactory()
    act(other.pk)
    act(None)
    keys = [row.key for row in rows(AuditEntry)]
    assert found(auditor) == []
    for key in [*keys, uuid4()]:
        assert call(auditor, f"{key}/").status_code == 404
        assert browser(auditor).get(f"/o/nordlicht/console/audit/{key}/").status_code == 404
    assert "Nothing found in the trail" in text(browser(auditor).get("/o/nordlicht/console/audit/"))


def test_an_auditor_sees_no_content_without_a_seat(organization, auditor):
    open_scope = ScopeFactory(organization=organization, audience="organization")
    member = MemberFactory(organization=organization)
    with tenancy.use(organization.pk):
        assert list(visible_scopes(principal_of(member))) == [open_scope.pk]  # control
        assert list(visible_scopes(principal_of(auditor))) == []
    assert not {"search.use", "agent.ask", "message.send"} & principal_of(auditor).permissions


def test_the_search_function_knows_auditors(db):
    with owner_connection() as owner:
        functions = "SELECT count(*) FROM pg_proc WHERE prosrc LIKE %s"
        assert owner.execute(functions, ["%r.key = 'guest'%"]).fetchone() == (0,)
        assert owner.execute(functions, ["%r.key IN ('guest', 'auditor')%"]).fetchone() == (1,)


FILTERS = [
    ({"person": "anna"}, 1),
    ({"person": "ANNA@nordlicht.example"}, 1),
    ({"person": "new@example.org"}, 1),
    ({"person": "nobody"}, 0),
    ({"action": "test"}, 3),
    ({"action": "test.trail"}, 3),
    ({"action": "tes"}, 0),
    ({"object": "o2"}, 1),
    ({"object_type": "thing"}, 3),
    ({"outcome": "refused"}, 1),
    ({"request": "r9"}, 0),
    ({"since": "2001-01-01T00:00:00Z"}, 3),
    ({"until": "2001-01-01T00:00:00Z"}, 0),
    ({"outcome": "refused", "person": "anna"}, 0),
]


@pytest.mark.parametrize(("filters", "count"), FILTERS)
def test_filters_find_what_they_say(organization, auditor, filters, count):
    anna = MemberFactory(organization=organization, name="Anna Berg", user__email="anna@nordlicht.example")
    act(organization.pk, actor_id=anna.user_id, object_id="o1", person="")
    act(organization.pk, object_id="o2", person="new@example.org")
    act(organization.pk, object_id="o3", person="", outcome="refused")
    assert len(found(auditor, **filters)) == count


def test_things_are_named_in_the_readers_language(organization, auditor):
    act(organization.pk, object_type="conversation", object_id="o1")
    act(organization.pk, object_type="of_a_plugin", object_id="o2")
    client = browser(auditor)
    client.cookies[django_settings.LANGUAGE_COOKIE_NAME] = "de"
    said = text(client.get("/o/nordlicht/console/audit/"))
    assert "Unterhaltung" in said
    assert "of_a_plugin" in said


def test_a_person_is_found_as_asker_and_as_object(organization, auditor):
    anna = MemberFactory(organization=organization)
    act(organization.pk, on_behalf_of=anna.user_id)
    act(organization.pk, object_type="member", object_id=anna.user_id)
    act(organization.pk)
    assert len(found(auditor, person=str(anna.user_id))) == 2


@pytest.mark.parametrize(
    "query",
    [
        "outcome=maybe",
        "action=DROP",
        "since=yesterday",
        "colour=red",
        "limit=0",
        "cursor=x",
        "person=%00",
        "person=",
    ],
)
def test_wrong_filters_are_refused_by_the_api_and_ignored_by_the_page(organization, auditor, query):
    assert call(auditor, f"?{query}").status_code == 400
    assert browser(auditor).get(f"/o/nordlicht/console/audit/?{query}").status_code == 200


def test_pages_follow_each_other_without_hole_or_double(organization, auditor):
    act(organization.pk, times=7)
    seen, path = [], "?limit=3"
    while path:
        page = call(auditor, path).json()
        seen += [entry["details"]["turn"] for entry in page["results"]]
        path = (page["next"] or "").partition("/audit/")[2]
    assert seen == [6, 5, 4, 3, 2, 1, 0]


def test_the_pages_of_the_console_follow_each_other(organization, auditor, monkeypatch):
    monkeypatch.setattr("apps.security.console.trail.ROWS", 2)
    act(organization.pk, times=3)
    client, address = browser(auditor), "/o/nordlicht/console/audit/"
    first = html.fromstring(client.get(address).content)
    (older,) = first.xpath('//a[@rel="next"]/@href')
    second = html.fromstring(client.get(address + older).content)
    assert [len(page.xpath("//tbody/tr")) for page in (first, second)] == [2, 1]
    assert len(second.xpath('//a[@rel="prev"]')) == 1


@pytest.mark.parametrize("rows", [1, 20])
def test_a_page_costs_a_fixed_number_of_queries(organization, auditor, django_assert_num_queries, rows):
    act(organization.pk, times=rows)
    client = browser(auditor)
    client.get("/o/nordlicht/console/audit/")
    # user, its session, seat; emergency accounts; entries, names; head, waiting, last check
    with django_assert_num_queries(10):
        assert client.get("/o/nordlicht/console/audit/").status_code == 200
    key = api_key(auditor)
    headers = {"HTTP_AUTHORIZATION": f"Bearer {key.secret}"}
    Client().get("/api/v1/audit/", **headers)
    with django_assert_num_queries(3):  # key; entries, names
        assert Client().get("/api/v1/audit/", **headers).status_code == 200


def test_an_entry_shows_everything_once_opened(organization, auditor):
    anna = MemberFactory(organization=organization, name="Anna Berg")
    act(organization.pk, actor_id=anna.user_id, object_type="member", object_id=auditor.user_id)
    (row,) = rows(AuditEntry)
    key = row.key
    said = text(browser(auditor).get(f"/o/nordlicht/console/audit/{key}/"))
    for part in ("Anna Berg", "Clara Prüfer", "192.0.2.1", "ben@example.org", str(key), "not yet chained"):
        assert part in said
    entry = call(auditor, f"{key}/").json()
    assert (entry["id"], entry["actor"], entry["address"]) == (str(key), str(anna.user_id), "192.0.2.1")


def test_an_export_is_complete_and_stands_in_the_trail(organization, auditor):
    act(organization.pk, times=3)
    act(OrganizationFactory().pk)
    answer = browser(auditor).post("/o/nordlicht/console/audit/export/?action=test.trail")
    lines = [orjson.loads(line) for line in b"".join(answer.streaming_content).splitlines()]
    assert [line["details"]["turn"] for line in lines] == [0, 1, 2]
    assert answer["Content-Disposition"].startswith('attachment; filename="audit-nordlicht-')
    (entry,) = rows(AuditEntry, action="audit.exported")
    assert (entry.actor_id, entry.organization_id) == (auditor.user_id, organization.pk)
    assert entry.details["acts"] == "test.trail"
    assert browser(auditor).get("/o/nordlicht/console/audit/export/").status_code == 405


def test_an_export_goes_over_many_pages(organization, auditor, monkeypatch):
    monkeypatch.setattr("apps.security.services.exporting_trail.PAGE", 2)
    act(organization.pk, times=5)
    answer = browser(auditor).post("/o/nordlicht/console/audit/export/")
    assert len(b"".join(answer.streaming_content).splitlines()) == 6  # with the export's own line


def test_verification_runs_and_its_result_is_shown(organization, auditor):
    act(organization.pk, times=2)
    address = "/o/nordlicht/console/audit/"
    assert "never verified" in text(browser(auditor).get(address))
    assert browser(auditor).post(f"{address}verify/").status_code == 302
    work_off()
    assert "found whole" in text(browser(auditor).get(address))
    (check,) = rows(AuditCheck)
    assert (check.waiting, check.entries, check.findings_total) == (2, 0, 0)
    (entry,) = rows(AuditEntry, action="audit.verified")
    assert entry.actor_id == auditor.user_id


def test_verification_over_the_api(organization, auditor):
    key = api_key(auditor)
    headers = {"HTTP_AUTHORIZATION": f"Bearer {key.secret}"}
    before = Client().get("/api/v1/audit/verify/", **headers).json()
    assert (before["state"], before["checked_at"]) == ("empty", None)
    started = Client().post("/api/v1/audit/verify/", **headers)
    assert started.status_code == 202
    assert [str(run.pk) for run in rows(Run)] == [started.json()["run"]]
    work_off()
    assert Client().get("/api/v1/audit/verify/", **headers).json()["state"] == "whole"


def test_the_badge_tells_how_the_trail_is(organization, auditor):
    with tenancy.use(organization.pk):
        reader = principal_of(auditor)
        assert trail.get_state(reader).state == ChainState.EMPTY
        act(organization.pk)
        assert trail.get_state(reader).state == ChainState.UNVERIFIED
        values = {"entries": 1, "waiting": 0, "head": 1, "anchors": 0, "last_anchor": 0, "emptied": 0}
        AuditCheck.objects.create(organization=organization, findings=[], findings_total=0, **values)
        assert trail.get_state(reader).state == ChainState.WHOLE
        finding = {
            "problem": "removed",
            "chain": None,
            "number": 7,
            "text": "The entry with number 7 is missing.",
        }
        AuditCheck.objects.create(organization=organization, findings=[finding], findings_total=1, **values)
        assert trail.get_state(reader).state == ChainState.BROKEN
    said = text(browser(auditor).get("/o/nordlicht/console/audit/"))
    assert "1 finding" in said
    assert "The entry with number 7 is missing." in said


def test_metrics_count_what_waits(organization):
    act(organization.pk, times=2)
    said = figures.exposition().decode()
    assert "chatsystem_audit_unchained_entries 2.0" in said
    assert "chatsystem_audit_oldest_unchained_seconds" in said


def test_an_entry_of_an_app_that_is_gone_is_shown_by_its_name(organization, auditor):
    act(organization.pk)
    with tenancy.use(organization.pk):
        row = AuditEntry.objects.get()
        row.action = "gone.done"
        (view,) = trail.views_of([row])
    assert view.label == "gone.done"


# What is recorded at the doors


def test_a_missing_right_is_in_the_trail_with_session_and_address(organization):
    member = MemberFactory(organization=organization)
    key = api_key(member)
    answer = Client().get(
        "/api/v1/audit/", HTTP_AUTHORIZATION=f"Bearer {key.secret}", REMOTE_ADDR="203.0.113.7"
    )
    assert answer.status_code == 403
    (entry,) = rows(AuditEntry, action="access.refused")
    assert (entry.outcome, entry.actor_id, entry.session) == ("refused", member.user_id, str(key.row.pk))
    assert (entry.address, entry.details["permission"]) == ("203.0.113.7", "audit.read")
    assert entry.request_id == answer["X-Request-ID"]


def test_what_every_member_may_leaves_no_line(organization):
    guest = MemberFactory(organization=organization, role="guest")
    key = api_key(guest)
    answer = Client().post(
        "/api/v1/conversations/", {"name": "x"}, "application/json", HTTP_AUTHORIZATION=f"Bearer {key.secret}"
    )
    assert answer.status_code == 403
    assert not rows(AuditEntry)


def test_sign_ins_are_in_the_trail_of_each_organization_once(organization):
    user = PersonFactory(email="two@example.org")
    other = OrganizationFactory()
    for one in (organization, other):
        MemberFactory(organization=one, user=user)
    Client().post("/accounts/login/", {"login": "two@example.org", "password": PASSWORD})
    Client().post("/accounts/login/", {"login": "TWO@example.org", "password": "wrong phrase 12"})
    entries = rows(AuditEntry, action="account.signed_in")
    assert sorted((str(entry.organization_id), entry.outcome) for entry in entries) == sorted(
        (str(one.pk), outcome) for one in (organization, other) for outcome in ("done", "refused")
    )
    assert {entry.person for entry in entries if entry.outcome == "refused"} == {"two@example.org"}


def test_an_unknown_name_is_in_the_trail_of_the_installation(organization):
    Client().post("/accounts/login/", {"login": "nobody@example.org", "password": "wrong phrase 12"})
    (entry,) = rows(AuditEntry)
    assert (entry.organization_id, entry.outcome, entry.actor_id) == (audit.PLATFORM, "refused", None)
    assert (entry.person, entry.details) == ("nobody@example.org", {"reason": "wrong_credentials"})


def test_an_operators_sign_in_is_in_the_trail_of_the_installation(organization):
    user = PersonFactory(is_staff=True)
    MemberFactory(organization=organization, user=user)
    Client().post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    entries = rows(AuditEntry, action="account.signed_in")
    assert {entry.organization_id for entry in entries} == {organization.pk, audit.PLATFORM}


def test_keys_that_open_nothing_are_in_the_trail(organization):
    member = MemberFactory(organization=organization)
    expired = api_key(member, days=-1)
    for secret in (expired.secret, "ck_nosuchkey"):
        answer = Client().get("/api/v1/me/", HTTP_AUTHORIZATION=f"Bearer {secret}")
        assert answer.status_code == 401
    said = [(row.organization_id, row.details) for row in rows(AuditEntry, action="api_key.refused")]
    assert said == [(organization.pk, {"reason": "expired"}), (audit.PLATFORM, {"reason": "unknown"})]
    assert "nosuchkey" not in str([vars(row) for row in rows(AuditEntry)])


def test_giving_a_role_above_ones_own_is_in_the_trail(organization):
    admin = MemberFactory(organization=organization, role="admin")
    ben = MemberFactory(organization=organization)
    key = api_key(admin)
    answer = Client().patch(
        f"/api/v1/members/{ben.pk}/", {"role": "auditor"}, "application/json",
        HTTP_AUTHORIZATION=f"Bearer {key.secret}", HTTP_IF_MATCH="*",
    )  # fmt: skip
    assert answer.status_code == 403, answer.content
    (entry,) = rows(AuditEntry, action="access.refused")
    assert entry.details == {"reason": "accounts.role_above_own", "role": "auditor"}


def test_a_search_by_a_program_is_in_the_trail_and_one_by_a_person_is_not(organization, settings):
    model = settings.CONFIGURATION.model.model_copy(update={"model_url": "", "embedding": "hashed"})
    settings.CONFIGURATION = replace(settings.CONFIGURATION, model=model)
    person = MemberFactory(organization=organization)
    agent = MemberFactory(organization=organization, agent=True)
    with tenancy.use(organization.pk):
        channel = conversations.create_channel(principal=principal_of(person), name="betrieb")
        messages.send_message(
            principal=principal_of(person), conversation_id=channel, body=FACT, client_key=uuid4().hex
        )
        index_all()
    for member in (person, agent):
        key = api_key(member)
        answer = Client().get("/api/v1/search/?q=Getriebe", HTTP_AUTHORIZATION=f"Bearer {key.secret}")
        assert len(answer.json()["results"]) == 1
    (entry,) = rows(AuditEntry, action="retrieval.read")
    assert (entry.actor_id, entry.details["purpose"]) == (agent.user_id, "search")
    assert len(entry.details["chunks"]) == 1
