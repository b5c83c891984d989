"""Statements whose plan a connection keeps: the same answers, behind the same walls, told to the server once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from django.conf import LazySettings
from django.db import InternalError, ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import Organization
from apps.core import tenancy
from apps.core.database import planned
from tests.factories.accounts import MemberFactory, OrganizationFactory

pytestmark = pytest.mark.django_db

_NAMES = "SELECT name FROM accounts_member WHERE name LIKE 'P%%' AND (name = %(name)s OR %(name)s = '')"
_RUNS = 8  # after the fifth the server may take a plan that fits all parameters


@pytest.fixture
def organization() -> UUID:
    organization: UUID = OrganizationFactory().pk
    return organization


def ask(sql: str, parameters: Any) -> list[Any]:
    with connection.cursor() as cursor:
        planned.execute(cursor, sql, parameters)
        return cursor.fetchall()


def kept(sql: str) -> list[tuple[int, int]]:
    """Return how often each kept statement of this text ran, with a plan for all parameters and for these."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE name = %s",
            [planned._statement(sql).name],
        )
        return list(cursor.fetchall())


def test_the_server_is_told_once_and_then_only_what_differs(organization: UUID) -> None:
    sql = f"{_NAMES} ORDER BY name"
    with tenancy.use(organization):
        for name in ("Pia", "Paul", "Anna"):
            MemberFactory(organization=Organization.objects.get(pk=organization), name=name)
        with (
            connection.cursor() as cursor
        ):  # which it would choose depends on what other tests left in the tables
            cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        answers = [ask(sql, {"name": name}) for name in ["Pia", "Paul"] * (_RUNS // 2)]
        ((general, special),) = kept(sql)
    assert answers == [[("Pia",)], [("Paul",)]] * (_RUNS // 2)
    assert (general, special) == (_RUNS, 0)


def test_a_kept_statement_sees_each_time_the_organization_of_the_moment() -> None:
    organizations = [OrganizationFactory() for _ in range(2)]
    for organization in organizations:
        with tenancy.use(organization.pk):
            MemberFactory(organization=organization, name=f"P {organization.slug}")
    for _ in range(_RUNS):
        for organization in organizations:
            with tenancy.use(organization.pk):
                assert ask(_NAMES, {"name": ""}) == [(f"P {organization.slug}",)]


def test_places_are_numbered_in_their_order(organization: UUID) -> None:
    with tenancy.use(organization):
        assert ask("SELECT %s::int - %s::int, '100%%'", [7, 2]) == [(5, "100%")]
        assert ask("SELECT 'nothing asked'", []) == [("nothing asked",)]


def test_nothing_is_kept_where_a_pooler_may_hand_connections_on(
    organization: UUID, settings: LazySettings
) -> None:
    database = settings.CONFIGURATION.database.model_copy(update={"database_plans_stay": False})
    settings.CONFIGURATION = replace(settings.CONFIGURATION, database=database)
    sql = "SELECT %s::int + 1 AS of_no_connection"
    with tenancy.use(organization):
        assert ask(sql, [1]) == [(2,)]
        assert kept(sql) == []


def test_outside_every_organization_the_walls_are_asked_as_always() -> None:
    with pytest.raises(tenancy.OrganizationUnset):
        ask(_NAMES, {"name": ""})


def test_a_connection_that_keeps_enough_answers_all_the_same(
    organization: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planned, "MOST", 0)
    sql = "SELECT %s::int + 2 AS one_too_many"
    with tenancy.use(organization):
        assert ask(sql, [1]) == [(3,)]
        assert kept(sql) == []


def test_what_the_server_refuses_is_not_taken_for_kept(organization: UUID) -> None:
    wrong, right = "SELECT %s::int FROM no_such_table", "SELECT %s::int + 3 AS after_a_failure"
    with tenancy.use(organization):
        for _ in range(2):
            with pytest.raises(ProgrammingError), transaction.atomic():
                ask(wrong, [1])
        with transaction.atomic():
            with pytest.raises(ProgrammingError):
                ask(wrong, [1])
            with pytest.raises(InternalError):
                ask(right, [1])
            transaction.set_rollback(True)
        assert ask(right, [1]) == [(4,)]


@pytest.mark.django_db(transaction=True)
def test_a_new_connection_is_told_anew(organization: UUID) -> None:
    sql = "SELECT %s::int + 4 AS on_each_connection"
    with tenancy.use(organization):
        assert ask(sql, [1]) == [(5,)]
        connection.close()
        assert kept(sql) == []
        assert ask(sql, [1]) == [(5,)]
        assert len(kept(sql)) == 1


@pytest.mark.parametrize("may_stay", [True, False])
def test_several_statements_are_asked_together(
    organization: UUID, settings: LazySettings, may_stay: bool
) -> None:
    database = settings.CONFIGURATION.database.model_copy(update={"database_plans_stay": may_stay})
    settings.CONFIGURATION = replace(settings.CONFIGURATION, database=database)
    with tenancy.use(organization):
        for name in ("Pia", "Paul"):
            MemberFactory(organization=Organization.objects.get(pk=organization), name=name)
        asked = [(_NAMES, {"name": "Pia"}), ("SELECT %s::int", [7]), (_NAMES, {"name": "Quint"})]
        with CaptureQueriesContext(connection) as told, connection.cursor() as cursor:
            found = planned.read_each(cursor, asked)
        assert found == [[("Pia",)], [(7,)], []]
        assert len(told) == (1 if may_stay else 3)
        with connection.cursor() as cursor:
            assert planned.read_each(cursor, []) == []
