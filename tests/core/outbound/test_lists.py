"""Lists of hosts: the organization's and the operator's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from apps.core.models import AuditEntry
from apps.core.outbound import operator
from apps.core.outbound.errors import AddressNotAllowed, HostPatternInvalid, OutboundHostNotFound
from apps.core.outbound.rules import HostRules, clean_pattern
from apps.core.outbound.urls import read
from apps.core.selectors.outbound_hosts import host_rules, list_hosts
from apps.core.services.outbound_hosts import remove_host, set_host
from tests.core.outbound.doors import Get, UsePolicy
from tests.core.outbound_servers import CANARY, PUBLIC, redirect, reply, served
from tests.factories.accounts import OrganizationFactory

ACTOR = UUID(int=5)


# The lists of an organization


def test_lists_decide_which_hosts_are_reached(organization_id: UUID) -> None:
    rules = host_rules(organization_id=organization_id)
    rules.require(read("http://anything.example/"))
    set_host(organization_id=organization_id, actor_id=ACTOR, pattern="*.Bad.example", is_allowed=False)
    rules = host_rules(organization_id=organization_id)
    rules.require(read("http://bad.example/"))
    for url in ("http://a.bad.example/", "https://a.b.BAD.example./"):
        with pytest.raises(AddressNotAllowed):
            rules.require(read(url))
    set_host(organization_id=organization_id, actor_id=ACTOR, pattern="good.example", is_allowed=True)
    rules = host_rules(organization_id=organization_id)
    rules.require(read("http://good.example/"))
    for url in (
        "http://other.example/",
        "http://a.good.example/",
        "http://xgood.example/",
        "http://93.184.216.34/",
    ):
        with pytest.raises(AddressNotAllowed):
            rules.require(read(url))


def test_lists_hold_on_every_hop(get: Get, use_policy: UsePolicy) -> None:
    with served(PUBLIC, {"/": reply()}) as server:
        names = {"good.example": [[PUBLIC]], "bad.example": [[PUBLIC]]}
        with served(PUBLIC, {"/": redirect(server.url(host="bad.example"))}) as first:
            use_policy(
                server.port, first.port, names=names, rules=HostRules(denied=frozenset({"bad.example"}))
            )
            with pytest.raises(AddressNotAllowed):
                get(first.url(host="good.example"))
            assert (first.hits, server.hits) == (1, 0)


def test_lists_belong_to_one_organization(organization_id: UUID) -> None:
    set_host(organization_id=organization_id, actor_id=ACTOR, pattern="mine.example", is_allowed=True)
    other = OrganizationFactory().pk
    assert host_rules(organization_id=other) == HostRules()
    (mine,) = list_hosts(organization_id=organization_id)
    with pytest.raises(OutboundHostNotFound):
        remove_host(organization_id=other, actor_id=ACTOR, host_id=mine.id)
    assert list_hosts(organization_id=organization_id) == [mine]


def test_naming_a_host_again_moves_it(organization_id: UUID) -> None:
    for is_allowed in (True, False):
        set_host(
            organization_id=organization_id, actor_id=ACTOR, pattern="one.example", is_allowed=is_allowed
        )
    (host,) = list_hosts(organization_id=organization_id)
    assert not host.is_allowed
    remove_host(organization_id=organization_id, actor_id=ACTOR, host_id=host.id)
    assert list_hosts(organization_id=organization_id) == []
    written = AuditEntry.objects.order_by("id").values_list("action", "actor_id", "details__pattern")
    assert list(written) == [
        ("outbound_host.listed", ACTOR, "one.example"),
        ("outbound_host.listed", ACTOR, "one.example"),
        ("outbound_host.removed", ACTOR, "one.example"),
    ]


PATTERNS = [
    "", "*", "*.", "com", "*.com", "a b.example", "http://a.example", "a.example/x", "a.*.b", "-a.example",
    "a..example",
    "x@a.example", "a.example:80", "ä" * 300 + ".example",
]  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_that_is_no_host_is_refused(organization_id: UUID, pattern: str) -> None:
    with pytest.raises(HostPatternInvalid):
        set_host(organization_id=organization_id, actor_id=ACTOR, pattern=pattern, is_allowed=True)
    assert list_hosts(organization_id=organization_id) == []


def test_patterns_are_stored_in_one_spelling() -> None:
    assert clean_pattern(" *.Bücher.Example. ") == "*.xn--bcher-kva.example"


# Addresses of the operator


def test_the_operators_list_is_exact(settings: Any) -> None:
    group = settings.CONFIGURATION.outbound.model_copy(
        update={"operator_addresses": "http://10.0.0.5:11434, https://S3.internal/"}
    )
    model = settings.CONFIGURATION.model.model_copy(update={"llm_base_url": "http://127.0.0.1:11434/v1"})
    settings.CONFIGURATION = replace(settings.CONFIGURATION, outbound=group, model=model)
    assert operator.addresses() == {("10.0.0.5", 11434), ("s3.internal", 443), ("127.0.0.1", 11434)}


def test_people_never_reach_the_operators_list(get: Get, use_policy: UsePolicy, settings: Any) -> None:
    with served(CANARY, {"/": reply()}) as server:
        group = settings.CONFIGURATION.outbound.model_copy(update={"operator_addresses": server.url()})
        settings.CONFIGURATION = replace(settings.CONFIGURATION, outbound=group)
        use_policy(server.port)
        with pytest.raises(AddressNotAllowed):
            get(server.url())
        assert server.hits == 0
