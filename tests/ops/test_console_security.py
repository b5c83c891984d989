"""The console's security page: what is on, what is off and why, for the settings there are."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import redis as redis_module
from django.utils import timezone

from apps.accounts.models import Organization
from apps.accounts.types import Principal
from apps.core import tenancy
from apps.core.services import database_roles
from apps.ops.console.security import headline
from apps.ops.selectors import protections
from apps.security.models import AuditCheck
from tests.factories.accounts import MemberFactory, principal_of
from tests.ops.conftest import Browser

PAGE = "/o/nordlicht/console/security/"


@pytest.fixture
def reader(organization: Organization) -> Any:
    member = MemberFactory(organization=organization, role="owner")
    with tenancy.use(organization.pk):
        yield principal_of(member)


def check(organization: Organization, **values: Any) -> AuditCheck:
    numbers = {"entries": 1, "waiting": 0, "head": 1, "anchors": 0, "last_anchor": 0, "emptied": 0}
    return AuditCheck.objects.create(organization=organization, **{"findings_total": 0, **numbers, **values})


def found(reader: Principal) -> dict[str, protections.Protection]:
    return {line.key: line for line in protections.list_protections(reader)}


def test_the_page_tells_every_protection_with_links_the_reader_may_follow(browser: Browser) -> None:
    page = browser("owner").get(PAGE).content.decode()
    for key in ("transport", "cookies", "walls", "trail", "limits", "outbound", "secrets", "tokens"):
        assert f'<tr id="{key}">' in page
    assert "/o/nordlicht/console/audit/" in page
    assert "need a look" in page
    assert "/o/nordlicht/console/audit/" not in browser("moderator").get(PAGE).content.decode()


def test_it_costs_the_same_however_much_there_is(
    browser: Browser, django_assert_max_num_queries: Any
) -> None:
    client = browser("owner")
    client.get(PAGE)
    with django_assert_max_num_queries(24):
        client.get(PAGE)


def test_no_secret_is_shown(browser: Browser, settings: Any) -> None:
    page = browser("owner").get(PAGE).content.decode()
    assert settings.SECRET_KEY not in page
    assert settings.REDIS_URL not in page


def test_every_state_says_why(reader: Principal) -> None:
    assert [
        line.key for line in found(reader).values() if line.tone in ("warn", "off", "bad") and not line.why
    ] == []


def test_places_inside_that_the_operator_named_are_counted(reader: Principal, settings: Any) -> None:
    assert "Never an address inside" in found(reader)["outbound"].why
    group = settings.CONFIGURATION.outbound.model_copy(
        update={"source_addresses": "https://git.intern,imaps://mail.intern"}
    )
    settings.CONFIGURATION = replace(settings.CONFIGURATION, outbound=group)
    line = found(reader)["outbound"]
    assert "2 places that the operator named" in line.why
    assert "git.intern" not in line.why


def test_settings_decide_the_states(reader: Principal, settings: Any) -> None:
    assert (found(reader)["transport"].tone, found(reader)["files"].tone) == ("warn", "off")
    settings.PUBLIC_URL, settings.FILES_BASE_URL = "https://chat.example.org", "https://files.example.org"
    settings.PROFILE, settings.SECRET_KEY_FALLBACKS = "prod", ["old"]
    configuration = settings.CONFIGURATION
    settings.CONFIGURATION = replace(
        configuration, security=configuration.security.model_copy(update={"key_unused_days": 0})
    )
    now = found(reader)
    tones = {key: now[key].tone for key in ("profile", "transport", "cookies", "files", "fallbacks", "keys")}
    assert tones == {
        "profile": "ok", "transport": "ok", "cookies": "ok", "files": "ok", "fallbacks": "off", "keys": "off",
    }  # fmt: skip
    settings.DEBUG = True
    assert found(reader)["profile"].tone == "bad"


def test_walls_that_fell_are_told(reader: Principal, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(reader)["walls"].tone == "ok"
    forced, tables = database_roles.count_forced_walls()
    assert forced == tables > 20
    monkeypatch.setattr(protections, "count_forced_walls", lambda: (tables - 1, tables))
    assert found(reader)["walls"].tone == "bad"
    monkeypatch.setattr(protections, "missing_walls", lambda: ["chat_writer"])
    assert "chat_writer" in found(reader)["walls"].why


def test_the_trail_is_as_good_as_its_last_verification(reader: Principal, organization: Organization) -> None:
    assert found(reader)["trail"].tone == "warn"
    made = check(organization)
    assert found(reader)["trail"].tone == "ok"
    AuditCheck.objects.filter(pk=made.pk).update(created_at=timezone.now() - timedelta(days=8))
    assert found(reader)["trail"].tone == "warn"
    check(organization, findings_total=2)
    assert found(reader)["trail"].tone == "bad"


def test_the_second_factor_is_off_until_somebody_needs_one(
    reader: Principal, organization: Organization
) -> None:
    said = {}
    for policy in ("nobody", "administrators", "everybody"):
        Organization.objects.filter(pk=organization.pk).update(factor_policy=policy)
        said[policy] = (found(reader)["factor"].tone, found(reader)["factor"].said)
    assert said == {
        "nobody": ("off", "left to each person"),
        "administrators": ("ok", "needed by administrators"),
        "everybody": ("ok", "needed by everybody"),
    }


def test_limits_without_redis_are_told(reader: Principal, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> Any:
        raise redis_module.ConnectionError

    assert found(reader)["limits"].tone == "ok"
    monkeypatch.setattr(protections, "client", away)
    assert found(reader)["limits"].tone == "warn"


def test_the_headline_counts_what_needs_a_look() -> None:
    fine = protections.Protection("a", "A", "ok", "on")
    assert headline([fine]) == "All protections are on"
    assert headline([fine, replace(fine, tone="warn")]) == "1 protection needs a look"
