"""Feature flags: on for the same ones every time."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from apps.core.models import FeatureFlag
from apps.core.services import flags
from apps.core.services.flags import is_on

ORGANIZATION, PERSON = UUID(int=1), UUID(int=2)


@pytest.fixture(autouse=True)
def _fresh():
    flags.forget()
    yield
    flags.forget()


def flag(**values):
    return FeatureFlag.objects.create(key="new", **values)


def test_a_flag_nobody_made_is_off(db):
    assert not is_on("new", ORGANIZATION, PERSON)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, False),
        ({"everyone": True}, True),
        ({"organizations_on": [ORGANIZATION]}, True),
        ({"organizations_on": [PERSON]}, False),
        ({"everyone": True, "organizations_off": [ORGANIZATION]}, False),
        ({"organizations_off": [ORGANIZATION], "people_on": [PERSON]}, True),
        ({"everyone": True, "organizations_on": [ORGANIZATION], "people_off": [PERSON]}, False),
        ({"percentage": 100}, True),
        ({"percentage": 100, "organizations_off": [ORGANIZATION]}, False),
    ],
)
def test_the_nearest_rule_decides(db, values, expected):
    flag(**values)
    assert is_on("new", ORGANIZATION, PERSON) is expected


def test_a_percentage_takes_about_that_many_and_keeps_them_as_it_grows(db):
    people = [uuid4() for _ in range(1000)]
    row = flag(percentage=20)
    early = {person for person in people if is_on("new", ORGANIZATION, person)}
    assert 140 < len(early) < 260
    row.percentage = 50
    row.save()
    flags.forget()
    later = {person for person in people if is_on("new", ORGANIZATION, person)}
    assert early < later
    assert 420 < len(later) < 580


def test_two_flags_take_different_people():
    people = [uuid4() for _ in range(1000)]
    both = [one for one in people if flags.share_of("a", one) < 30 and flags.share_of("b", one) < 30]
    assert 50 < len(both) < 140
    assert {flags.share_of("a", one) for one in people} <= set(range(100))


def test_without_a_person_the_organization_is_counted(db):
    flag(percentage=100)
    assert is_on("new", ORGANIZATION)
    assert not is_on("new")


def test_flags_are_read_together_and_again_after_five_seconds(db, monkeypatch, django_assert_num_queries):
    now = [50.0]
    monkeypatch.setattr(flags, "_clock", lambda: now[0])
    row = flag()
    with django_assert_num_queries(1):
        assert [is_on("new"), is_on("other"), is_on("new")] == [False, False, False]
    row.everyone = True
    row.save()
    assert not is_on("new")
    now[0] += 5.0
    assert is_on("new")
