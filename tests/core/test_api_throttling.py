"""Rate limits at the REST door."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from django.test import RequestFactory

from apps.core.api.throttling import throttle
from apps.core.errors import TooManyRequests
from tests.core.api_views import FakeCaller, Flags

view = Flags.as_view()


@pytest.fixture
def slow(settings, redis):
    configuration = settings.CONFIGURATION
    security = configuration.security.model_copy(update={"requests_per_minute": 2})
    settings.CONFIGURATION = replace(configuration, security=security)


def get(caller="1"):
    request = RequestFactory().get("/flags", headers={"caller": caller})
    return request, view(request)


def test_a_caller_is_refused_after_its_burst(slow):
    answers = [get() for _ in range(3)]
    assert [response.status_code for _request, response in answers] == [200, 200, 429]
    assert [request.rate_limit.remaining for request, _response in answers] == [1, 0, 0]
    refused = answers[-1][1]
    assert refused.data["code"] == "core.rate_limited"
    assert refused["Retry-After"] == "30"


def test_callers_do_not_share(slow):
    for _ in range(2):
        get("1")
    assert get("2")[1].status_code == 200


async def test_async_views_use_the_same_buckets(slow):
    caller = FakeCaller(UUID(int=1), session="s")
    assert (await throttle(caller))["RateLimit-Remaining"] == "1"
    await throttle(caller)
    with pytest.raises(TooManyRequests):
        await throttle(caller)
    assert get("1")[1].status_code == 429


def test_visitors_pass_here(slow):
    assert [get("")[1].status_code for _ in range(4)] == [200] * 4
