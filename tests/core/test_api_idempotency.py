"""The same request twice: one effect, one answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import uuid4

import orjson
import pytest
from django.db import connection
from django.test import RequestFactory
from django.utils import timezone

from apps.core import tenancy
from apps.core.models import FeatureFlag, RetryKey
from apps.core.services import retry
from tests.core.api_views import ORGANIZATION, Flags
from tests.walls import everywhere

view = Flags.as_view()


def send(body, *, key="k1", caller="1", path="/flags", organization=ORGANIZATION):
    headers = {"caller": caller, "organization": str(organization)}
    headers |= {"idempotency-key": key} if key is not None else {}
    with tenancy.use(organization):
        response = view(
            RequestFactory().post(path, orjson.dumps(body), content_type="application/json", headers=headers)
        )
        response.render()
    return response


def test_repeating_returns_the_first_answer(db):
    first, second = send({"key": "a"}), send({"key": "a"})
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert second["Location"] == "/flags/1"
    assert "Idempotent-Replay" not in first
    assert second["Idempotent-Replay"] == "true"
    assert FeatureFlag.objects.count() == 1


def test_another_body_or_address_is_another_request(db):
    send({"key": "a"})
    for refused in (send({"key": "b"}), send({"key": "a"}, path="/flags?x=1")):
        assert refused.status_code == 422
        assert refused.data["code"] == "core.idempotency_key_reused"
    assert FeatureFlag.objects.count() == 1


def test_order_of_names_does_not_matter(db):
    send({"key": "a", "outcome": "x"})
    assert send({"outcome": "x", "key": "a"})["Idempotent-Replay"] == "true"


def test_a_key_belongs_to_its_principal(db):
    assert send({"key": "a"}).data["key"] == "a"
    other = send({"key": "b"}, caller="2")
    assert other.status_code == 201
    assert other.data == {"key": "b", "count": 2}


def test_a_key_belongs_to_its_organization(db):
    assert send({"key": "a"}).status_code == 201
    elsewhere = send({"key": "b"}, organization=uuid4())
    assert elsewhere.status_code == 201
    assert "Idempotent-Replay" not in elsewhere


def test_without_a_key_or_a_caller_nothing_is_kept(db):
    send({"key": "a"}, key=None)
    send({"key": "b"}, caller="")
    with everywhere():
        assert not RetryKey.objects.exists()


@pytest.mark.parametrize("key", ["", "x" * 201, "a b", "\u00e4"])
def test_a_bad_key_is_refused(db, key):
    assert send({"key": "a"}, key=key).data["code"] == "core.idempotency_key_invalid"
    assert not FeatureFlag.objects.exists()


@pytest.mark.parametrize(("outcome", "status"), [("refused", 422), ("missing", 404)])
def test_a_final_refusal_is_kept_and_its_effects_are_not(db, outcome, status):
    first, second = send({"key": "a", "outcome": outcome}), send({"key": "a", "outcome": outcome})
    assert first.status_code == second.status_code == status
    assert first["Content-Type"] == second["Content-Type"] == "application/problem+json"
    assert second["Idempotent-Replay"] == "true"
    assert not FeatureFlag.objects.exists()


def test_a_fault_is_not_kept(db):
    with pytest.raises(RuntimeError):
        send({"key": "a", "outcome": "fault"})
    with everywhere():
        assert not RetryKey.objects.exists()
    assert not FeatureFlag.objects.exists()


def test_five_copies_at_once_have_one_effect(transactional_db):
    start = Barrier(5)

    def copy(_number):
        start.wait(5)
        try:
            return send({"key": "a"})
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as threads:
        answers = list(threads.map(copy, range(5)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert {answer.data["code"] for answer in answers if answer.status_code == 409} <= {
        "core.request_in_progress"
    }
    assert FeatureFlag.objects.count() == 1


def test_a_crash_between_effect_and_answer_leaves_neither(transactional_db, monkeypatch):
    def die(**_values):
        raise SystemExit

    monkeypatch.setattr(RetryKey.objects, "create", die)
    with pytest.raises(SystemExit):
        send({"key": "a"})
    monkeypatch.undo()
    assert not FeatureFlag.objects.exists()
    assert send({"key": "a"}).status_code == 201


def test_old_keys_are_forgotten_young_ones_kept(db):
    send({"key": "a"}, key="old")
    send({"key": "b"}, key="young")
    with everywhere():
        RetryKey.objects.filter(key="old").update(created_at=timezone.now() - timedelta(hours=49))
        assert retry.prune() == 1
        assert [kept.key for kept in RetryKey.objects.all()] == ["young"]
