"""The admin of the mechanisms: for staff, with the product's sign-in, without contents."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Organization
from apps.core import tenancy
from apps.core.events import subscribers
from apps.core.events.subscribers import DurableConsumer
from apps.core.models import Consumer, DeadLetter, Event, FeatureFlag
from apps.core.services import flags
from tests.core.events import ORGANIZATION, Ticked, tick
from tests.factories.accounts import MemberFactory, OrganizationFactory


def browser(*, is_staff=True, is_superuser=True, permissions=()):
    """A browser of an operator who looks at the organization of the ticks."""
    place = Organization.objects.filter(pk=ORGANIZATION).first() or OrganizationFactory(pk=ORGANIZATION)
    user = MemberFactory(organization=place).user
    user.is_staff, user.is_superuser = is_staff, is_superuser
    user.save()
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def letter(db):
    event = tick(number=41)
    stored = {
        "organization_id": str(ORGANIZATION), "stream_id": str(event.stream_id), "scope_id": None, "actor_id": None,
        "sequence": 1, "created_at": event.recorded_at.isoformat(), "type": Ticked.type, "payload": {"number": 41},
    }  # fmt: skip
    with tenancy.use(ORGANIZATION):
        yield DeadLetter.objects.create(
            consumer="test.consumer", position=1, organization_id=ORGANIZATION, event_type=Ticked.type, event=stored,
            error="ValueError: poison", attempts=5,
        )  # fmt: skip


def act(client, action, *letters):
    address = reverse("admin:core_deadletter_changelist")
    return client.post(
        address, {"action": action, "_selected_action": [str(one.pk) for one in letters]}, follow=True
    )


def test_visitors_are_sent_to_sign_in_and_others_are_refused(db):
    address = reverse("admin:index")
    assert reverse("account_login") in Client().get(address)["Location"]
    refused = browser(is_staff=False, is_superuser=False).get(address, follow=True)
    assert refused.status_code == 403
    assert b'type="password"' not in refused.content
    assert browser().get(address).status_code == 200


@pytest.mark.parametrize("model", [Consumer, DeadLetter, Event])
def test_rows_are_only_looked_at(db, model):
    client = browser()
    name = f"admin:core_{model._meta.model_name}"
    assert client.get(reverse(f"{name}_changelist")).status_code == 200
    assert client.get(reverse(f"{name}_add")).status_code == 403


def test_contents_of_events_are_not_shown(letter):
    client = browser()
    event = Event.objects.get()
    for address in (
        reverse("admin:core_event_change", args=[event.pk]), reverse("admin:core_deadletter_change", args=[letter.pk]),
        reverse("admin:core_event_changelist"), reverse("admin:core_deadletter_changelist"),
    ):  # fmt: skip
        text = client.get(address).content.decode()
        assert "test.ticked" in text
        assert "&quot;number&quot;" not in text
        assert "payload" not in text


def test_a_dead_letter_is_replayed(letter, monkeypatch):
    heard = []
    consumer = DurableConsumer(
        "test.consumer", frozenset({Ticked.type}), lambda event: heard.append(event.number), True
    )
    monkeypatch.setitem(subscribers._durable, "test.consumer", consumer)
    assert b"1 dead letter settled." in act(browser(), "replay", letter).content
    letter.refresh_from_db()
    assert (heard, letter.state) == ([41], "replayed")


def test_a_replay_that_fails_says_why_and_stays_open(letter, monkeypatch):
    def fail(_event):
        raise ValueError("still")

    consumer = DurableConsumer("test.consumer", frozenset({Ticked.type}), fail, True)
    monkeypatch.setitem(subscribers._durable, "test.consumer", consumer)
    assert b"ValueError" in (said := act(browser(), "replay", letter).content)
    assert b"still" not in said
    letter.refresh_from_db()
    assert letter.state == "open"
    assert "tests/core/test_admin.py" in letter.error
    assert "still" not in letter.error


def test_a_dead_letter_is_dismissed(letter):
    act(browser(), "dismiss", letter)
    letter.refresh_from_db()
    assert letter.state == "dismissed"


def test_looking_is_not_settling(letter):
    client = browser(is_superuser=False, permissions=["view_deadletter"])
    assert client.get(reverse("admin:core_deadletter_changelist")).status_code == 200
    act(client, "dismiss", letter)
    letter.refresh_from_db()
    assert letter.state == "open"


def test_a_switched_flag_counts_at_once(db):
    FeatureFlag.objects.create(key="new")
    assert not flags.is_on("new")
    data = {"key": "new", "everyone": "on", "percentage": "0"}
    client = browser()
    response = client.post(reverse("admin:core_featureflag_change", args=["new"]), data)
    assert response.status_code == 302
    assert flags.is_on("new")
    client.post(reverse("admin:core_featureflag_delete", args=["new"]), {"post": "yes"})
    assert not flags.is_on("new")


@pytest.mark.parametrize("rows", [1, 20])
def test_the_list_of_dead_letters_costs_the_same(db, letter, rows, django_assert_num_queries):
    DeadLetter.objects.bulk_create(
        DeadLetter(
            consumer="test.consumer", position=10 + number, organization_id=ORGANIZATION, event_type="x", event={},
            error="", attempts=5,
        )
        for number in range(rows)
    )  # fmt: skip
    client = browser()
    address = reverse("admin:core_deadletter_changelist")
    client.get(address)
    with django_assert_num_queries(
        10
    ):  # the organizations in the header; whether one asks the operator for a factor
        client.get(address)


def test_every_model_of_the_mechanisms_an_operator_needs_is_there():
    registered = {model.__name__ for model in admin.site._registry if model._meta.app_label == "core"}
    assert registered == {"Consumer", "DeadLetter", "Event", "FeatureFlag"}
