"""Whose request it is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.test import RequestFactory

from apps.core.http.addresses import client_address, network


@pytest.fixture
def proxies(settings):
    def trust(number):
        configuration = settings.CONFIGURATION
        server = configuration.server.model_copy(update={"trusted_proxies": number})
        settings.CONFIGURATION = replace(configuration, server=server)

    return trust


@pytest.mark.parametrize(
    ("trusted", "forwarded", "expected"),
    [
        (0, "6.6.6.6", "10.0.0.9"),
        (1, "6.6.6.6, 2.2.2.2", "2.2.2.2"),
        (2, "6.6.6.6, 2.2.2.2, 10.0.0.1", "2.2.2.2"),
        (2, "2.2.2.2", "2.2.2.2"),
        (1, "", "10.0.0.9"),
        (1, "nonsense", ""),
        (1, "[2001:db8::1]:443", "2001:db8::1"),
        (1, "2.2.2.2:9", "2.2.2.2"),
        (1, "::ffff:2.2.2.2", "2.2.2.2"),
    ],
)
def test_only_declared_proxies_are_believed(proxies, trusted, forwarded, expected):
    proxies(trusted)
    request = RequestFactory().get("/", headers={"x-forwarded-for": forwarded}, REMOTE_ADDR="10.0.0.9")
    assert client_address(request) == expected


def test_limits_count_networks():
    assert network("2001:db8:1:2:3:4:5:6") == network("2001:db8:1:2::9") == "2001:db8:1:2::/64"
    assert network("2001:db8:1:3::1") != network("2001:db8:1:2::1")
    assert network("192.0.2.1") == "192.0.2.1"
    assert network("") == ""
