"""Keeping pages on a device is offered where the operator allows it; what is kept: `e2e/test_offline_reading`."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from django.conf import LazySettings
from django.test import Client
from lxml import html

from apps.accounts.conditions import Conditions
from apps.accounts.models import Member
from apps.accounts.services import roles
from apps.core import tenancy
from tests.accounts.sessions import open_session
from tests.factories.accounts import MemberFactory, principal_of


def _page(member: Member) -> html.HtmlElement:
    client = Client()
    client.cookies["session"] = open_session(member.user)
    return html.fromstring(client.get(f"/o/{member.organization.slug}/settings/").content)


def _is_offered(page: html.HtmlElement) -> bool:
    offered = {
        bool(page.xpath("//input[@data-offline-reading]")),
        bool(page.xpath("//nav//a[@href='#offline']")),
        json.loads(page.get_element_by_id("page-data").text)["offline_reading"],
    }
    assert len(offered) == 1
    return offered.pop()


@pytest.mark.parametrize("is_allowed", [True, False])
def test_it_is_offered_where_the_operator_allows_it(
    db: None, settings: LazySettings, *, is_allowed: bool
) -> None:
    group = settings.CONFIGURATION.chat.model_copy(update={"offline_reading": is_allowed})
    settings.CONFIGURATION = replace(settings.CONFIGURATION, chat=group)
    assert _is_offered(_page(MemberFactory())) == is_allowed


def test_what_is_seen_in_some_circumstances_only_is_not_kept_for_others(db: None) -> None:
    owner = MemberFactory(role="owner")
    with tenancy.use(owner.organization_id):
        roles.create_role(
            principal=principal_of(owner), key="field", name="Field", permissions=["message.send"],
            conditions=Conditions(networks=("127.0.0.0/8",)),
        )  # fmt: skip
        bound = MemberFactory(organization=owner.organization, role="field")
    assert _is_offered(_page(owner))
    assert not _is_offered(_page(bound))
