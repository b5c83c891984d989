"""Somebody at the console."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from apps.accounts.models import Member, Organization, Role
from tests.accounts.sessions import open_session
from tests.factories.accounts import MemberFactory, OrganizationFactory
from tests.walls import everywhere

Browser = Callable[..., Client]


@pytest.fixture
def organization(db: None) -> Organization:
    """An organization."""
    return OrganizationFactory(slug="nordlicht", name="Nordlicht")


@pytest.fixture
def browser(organization: Organization) -> Browser:
    """Sign somebody in: `browser("admin")`, `browser(member)`, `browser(permissions=[...])`."""

    def sign_in(
        who: str | Member = "owner", *, permissions: list[str] | None = None, staff: bool = False
    ) -> Client:
        if permissions is not None:
            with everywhere():
                Role.objects.create(
                    organization=organization, key="custom", name="Custom", permissions=permissions
                )
            who = "custom"
        member = who if isinstance(who, Member) else MemberFactory(organization=organization, role=who)
        if staff:
            member.user.is_staff = True
            member.user.save()
        client = Client()
        client.cookies["session"] = open_session(member.user)
        return client

    return sign_in
