"""Emergency accounts: they open one organization, alarm everyone who must know, and end by themselves."""

from __future__ import annotations

import logging
import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from apps.accounts.errors import LastOwner, OrganizationNotFound
from apps.accounts.models import ApiKey, BreakGlass, Member, Organization, User
from apps.accounts.selectors.sessions import find_user_id
from apps.accounts.services import break_glass
from apps.accounts.services.members import deactivate_member
from apps.accounts.types import Principal
from tests.accounts.events import recorded
from tests.accounts.sessions import open_session
from tests.factories.accounts import MemberFactory, api_key
from tests.walls import everywhere

pytestmark = pytest.mark.django_db


@pytest.fixture
def strict(organization: Organization) -> Organization:
    organization.factor_policy, organization.factor_grace_days = "everybody", 0
    organization.save()
    return organization


def used(url: str) -> Client:
    """Sign in with the link."""
    client = Client()
    client.post(url.removeprefix("http://testserver"))
    return client


def made(organization: Organization, hours: int = 2) -> str:
    return break_glass.create_break_glass(slug=organization.slug, hours=hours, reason="mail is down").url


def test_it_opens_its_organization_without_a_factor_once(strict: Organization) -> None:
    url = made(strict)
    assert used(url).get(f"/o/{strict.slug}/console/").status_code == 200
    assert "_auth_user_id" not in used(url).session


def test_it_is_no_operator_and_belongs_nowhere_else(strict: Organization) -> None:
    other = MemberFactory().organization
    client = used(made(strict))
    assert client.get("/admin/").status_code != 200
    assert client.get(f"/o/{other.slug}/settings/").status_code == 404


def test_each_use_alarms(strict: Organization, member: Callable[..., Member], caplog: pytest.LogCaptureFixture,
                         django_capture_on_commit_callbacks: Any) -> None:  # fmt: skip
    first, second, bob = member("owner"), member("owner"), member()
    url, before = made(strict), break_glass.uses_total._value.get()
    assert mail.outbox == []
    with django_capture_on_commit_callbacks(execute=True), caplog.at_level(logging.CRITICAL):
        used(url)
    assert sorted(message.to[0] for message in mail.outbox) == sorted([first.user.email, second.user.email])
    assert "mail is down" in mail.outbox[0].body
    assert break_glass.uses_total._value.get() == before + 1
    assert [record.levelname for record in caplog.records if record.message == "break_glass.used"] == [
        "CRITICAL"
    ]
    assert [told["reason"] for name, told in recorded("emergency_access.used")] == ["mail is down"]
    with everywhere():
        assert BreakGlass.objects.get().used_from == "127.0.0.1"
    client = Client()
    client.cookies["session"] = open_session(first.user)
    User.objects.filter(pk=first.user_id).update(is_active=True)
    strict.factor_policy = "nobody"
    strict.save()
    assert b"Emergency access was used" in client.get(f"/o/{strict.slug}/console/people/").content
    assert bob.user.email not in [message.to[0] for message in mail.outbox]


def test_it_ends_at_its_hour_at_every_door_also_while_the_relay_is_away(strict: Organization) -> None:
    client = used(made(strict, hours=1))
    key = client.cookies["session"].value
    with everywhere():
        row = Member.objects.get(user__break_glass_until__isnull=False)
    secret = api_key(row).secret
    with time_machine.travel(timezone.now() + timedelta(minutes=59), tick=False):
        assert find_user_id(key) == row.user_id
    User.objects.filter(pk=row.user_id).update(break_glass_until=timezone.now() - timedelta(seconds=1))
    assert find_user_id(key) is None
    by_key = Client().get("/api/v1/me/", headers={"Authorization": f"Bearer {secret}"})
    assert by_key.status_code == 401
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=False):
        assert client.get(f"/o/{strict.slug}/settings/").status_code in (302, 404)


def test_the_relay_closes_what_is_over(strict: Organization) -> None:
    client = used(made(strict, hours=1))
    with everywhere():
        row = Member.objects.get(user__break_glass_until__isnull=False)
    api_key(row)
    with everywhere():
        assert break_glass.close_expired() == 0
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=False):
        with everywhere():
            assert break_glass.close_expired() == 1
        with everywhere():
            assert break_glass.close_expired() == 0
    assert not User.objects.get(pk=row.user_id).is_active
    with everywhere():
        assert Member.objects.get(pk=row.pk).deactivated_at is not None
    with everywhere():
        assert ApiKey.objects.get().revoked_at is not None
    assert find_user_id(client.cookies["session"].value) is None


def test_an_unused_link_ends_too(strict: Organization) -> None:
    url = made(strict, hours=1)
    with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=False):
        assert "_auth_user_id" not in used(url).session
    assert mail.outbox == []


@pytest.mark.usefixtures("here")
def test_it_does_not_count_as_another_owner(
    organization: Organization, acting: Callable[..., Principal]
) -> None:
    owner = acting("owner")
    made(organization)
    with pytest.raises(LastOwner):
        deactivate_member(principal=owner, member_id=owner.member_id)


@pytest.mark.parametrize("hours", [0, 73, -1])
def test_hours_have_bounds(strict: Organization, hours: int) -> None:
    with pytest.raises(ValueError, match="1 to 72"):
        made(strict, hours=hours)
    with everywhere():
        assert not BreakGlass.objects.exists()
    assert not User.objects.filter(break_glass_until__isnull=False).exists()


def test_unknown_organizations_are_refused() -> None:
    with pytest.raises(OrganizationNotFound):
        break_glass.create_break_glass(slug="nowhere", hours=1, reason="x")


def test_the_command_seals_the_link_in_a_file_for_its_owner(strict: Organization, tmp_path: Path,
                                                            capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    target = tmp_path / "sealed.txt"
    call_command("break_glass", strict.slug, "--hours", "3", "--reason", "mail is down", "--to", str(target))
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    url = target.read_text().splitlines()[0]
    assert url not in capsys.readouterr().out
    assert used(url).get(f"/o/{strict.slug}/settings/").status_code == 200
    with pytest.raises(CommandError):
        call_command("break_glass", strict.slug, "--reason", "again", "--to", str(target))
    with pytest.raises(CommandError):
        call_command("break_glass", "nowhere", "--reason", "x", "--to", str(tmp_path / "none.txt"))
    assert not (tmp_path / "none.txt").exists()
    with everywhere():
        assert BreakGlass.objects.count() == 1
