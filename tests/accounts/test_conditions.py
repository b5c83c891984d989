"""Conditions on custom roles: when they hold, what is refused, and that no door forgets them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from django.test import Client
from django_otp import DEVICE_ID_SESSION_KEY

from apps.accounts.conditions import NO_CONDITIONS, TASK, AccessContext, Conditions, clean, read
from apps.accounts.errors import (
    ConditionNotMet,
    ConditionNotValid,
    ConditionsLockOut,
    NetworkNotValid,
    SecondFactorRequired,
)
from apps.accounts.models import Member, Organization, Role, Scope, SecondFactor
from apps.accounts.selectors.principals import principal_for_session, principal_of_member
from apps.accounts.selectors.sessions import store
from apps.accounts.services import access, principal_cache, roles, tokens
from apps.accounts.services.authentication import Credentials, authenticate, find_kept
from apps.accounts.types import Principal
from apps.chat.errors import ConversationNotFound
from apps.chat.selectors.conversations import list_conversations
from apps.chat.services import administration, conversations, messages
from apps.core import tenancy
from apps.core.models import AuditEntry
from tests.accounts.api import Api
from tests.accounts.factors import enrol
from tests.accounts.sessions import open_session
from tests.factories.accounts import MemberFactory, api_key, principal_of, role_of
from tests.walls import everywhere

OFFICE = AccessContext(
    address="192.0.2.7", has_factor=True, now=datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
)  # a Monday
MEMBERS = [
    "message.send",
    "search.use",
    "agent.ask",
    "file.upload",
    "directory.read",
    "conversation.create_public",
]


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (clean(networks=["192.0.2.0/24"]), ""),
        (clean(networks=["198.51.100.0/24", "2001:db8::/32"]), "condition.network"),
        (clean(needs_factor=True), ""),
        (clean(days=[1, 2, 3, 4, 5]), ""),
        (clean(days=[6, 7]), "condition.time"),
        (clean(opens="08:00", closes="18:00"), ""),
        (clean(opens="08:00", closes="18:00", zone="America/New_York"), "condition.time"),
        (clean(opens="10:00", closes="18:00", zone="Europe/Berlin"), ""),
        (clean(opens="22:00", closes="10:00", days=[7]), ""),  # Sunday's night reaches into Monday
        (clean(opens="22:00", closes="10:00", days=[1]), "condition.time"),
        (NO_CONDITIONS, ""),
    ],
)
def test_a_condition_holds_or_is_named(made: Conditions, code: str) -> None:
    assert made.failing(OFFICE) == code


@pytest.mark.parametrize("made", [clean(networks=["192.0.2.0/24"]), clean(needs_factor=True)])
def test_what_is_unknown_fulfils_nothing_and_work_that_began_goes_on(made: Conditions) -> None:
    assert made.failing(AccessContext()) != ""
    assert made.failing(TASK) == ""


@pytest.mark.parametrize(
    "wrong",
    [
        {"opens": "08:00"}, {"opens": "8 o'clock", "closes": "18:00"}, {"opens": "08:00", "closes": "08:00"},
        {"days": [0]}, {"days": ["x"]}, {"zone": "Mars/Olympus"}, {"zone": "../../etc/passwd"}, {"data_classes": []},
        {"data_classes": ["cosmic"]},
    ],
)  # fmt: skip
def test_wrong_values_are_refused_with_a_reason(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConditionNotValid) as refused:
        clean(**wrong)
    assert len(refused.value.detail) > 40


@pytest.mark.parametrize("network", ["", "office", "192.0.2.1/24", "192.0.2.0/33", "::/129"])
def test_a_network_is_written_as_one(network: str) -> None:
    with pytest.raises(NetworkNotValid):
        clean(networks=[network])


@pytest.mark.parametrize(
    "made",
    [NO_CONDITIONS, clean(networks=["192.0.2.0/24"], needs_factor=True, days=[1, 5], opens="08:00", closes="18:30",
                          zone="Europe/Berlin", data_classes=["public"])],
)  # fmt: skip
def test_what_is_kept_reads_back_the_same(made: Conditions) -> None:
    assert read(made.as_json()) == made


@pytest.fixture
def limited(organization: Organization) -> Callable[..., Member]:
    """Make a member of a custom role with conditions."""

    def make(conditions: Conditions, *, permissions: list[str] | None = None) -> Member:
        with everywhere():
            role = Role.objects.create(
                organization=organization, key=f"r{uuid4().hex[:8]}", name="Desk",
                permissions=permissions or MEMBERS, conditions=conditions.as_json(),
            )  # fmt: skip
        return MemberFactory(organization=organization, role=role)

    return make


def as_in(member: Member, context: AccessContext, *, factor: SecondFactor | None = None) -> Principal:
    return principal_for_session(
        user_id=member.user_id,
        organization_id=member.organization_id,
        session="s",
        factor_id=factor.pk if factor else None,
        context=context,
    )


def factor_of(member: Member) -> SecondFactor:
    enrol(member.user)
    return SecondFactor.objects.get(user=member.user, authenticator__type="totp")


@pytest.mark.django_db
def test_built_in_roles_carry_none(organization: Organization) -> None:
    role = role_of(organization, "owner")
    with everywhere(), pytest.raises(IntegrityError), transaction.atomic():
        Role.objects.filter(pk=role.pk).update(conditions={"factor": True})


@pytest.mark.django_db
def test_the_database_takes_no_unknown_condition(organization: Organization) -> None:
    with everywhere(), pytest.raises(IntegrityError), transaction.atomic():
        Role.objects.create(organization=organization, key="x", name="x", conditions={"moon": "full"})


@pytest.mark.django_db
def test_outside_them_nothing_is_allowed_seen_or_sent(
    organization: Organization, limited: Callable[..., Member], acting: Callable[..., Principal]
) -> None:
    member, owner = limited(clean(networks=["192.0.2.0/24"])), acting("owner")
    with tenancy.use(organization.pk):
        channel = conversations.create_channel(principal=owner, name="plan", people=[member.user_id])
        inside, outside = as_in(member, OFFICE), as_in(member, AccessContext(address="203.0.113.9"))
        assert [view.id for view in list_conversations(inside)] == [channel]
        assert list_conversations(outside) == []
        messages.send_message(principal=inside, conversation_id=channel, body="hello", client_key="k1")
        with pytest.raises(ConditionNotMet):
            messages.send_message(principal=outside, conversation_id=channel, body="hello", client_key="k2")
        assert principal_of_member(organization_id=organization.pk, user_id=member.user_id).held == ""
    assert outside.permissions == frozenset()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("shown", "status"), [("nothing", 403), ("own", 200), ("of somebody else", 403), ("removed", 403)]
)
def test_a_second_factor_in_the_session_opens_the_pages(
    organization: Organization, limited: Callable[..., Member], shown: str, status: int
) -> None:
    member, other = limited(clean(needs_factor=True)), MemberFactory(organization=organization)
    factor = factor_of(other if shown == "of somebody else" else member)
    key = open_session(member.user)
    if shown != "nothing":
        session = store(key)
        session[DEVICE_ID_SESSION_KEY] = f"accounts.secondfactor/{factor.pk}"
        session.save()
    if shown == "removed":
        factor.delete()
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = key
    answer = client.get(f"/o/{organization.slug}/search/?q=x")
    assert answer.status_code == status
    assert (
        client.get("/api/v1/search/?q=x", headers={"Organization": organization.slug}).status_code == status
    )
    assert (b"data-held" in client.get(f"/o/{organization.slug}/", follow=True).content) is (status == 403)


@pytest.mark.django_db
def test_a_token_shows_the_factor_it_was_given_for_and_a_key_shows_none(
    organization: Organization, limited: Callable[..., Member]
) -> None:
    member = limited(clean(needs_factor=True))
    factor = factor_of(member)
    proved = principal_for_session(
        user_id=member.user_id, organization_id=organization.pk, session="s", factor_id=factor.pk
    )
    with tenancy.use(organization.pk):
        with_it = tokens.open_family(principal=proved, name="a", factor_id=factor.pk)
        without = tokens.open_family(principal=proved, name="b")
    held = [
        authenticate(Credentials(authorization=f"Bearer {secret}")).held
        for secret in (with_it.access_token, without.access_token, api_key(member).secret)
    ]
    assert held == ["", "condition.factor", "condition.factor"]
    factor.delete()
    assert authenticate(Credentials(authorization=f"Bearer {with_it.access_token}")).held != ""


@pytest.mark.django_db
def test_conditions_that_do_not_hold_put_no_administrator_above_the_policy(
    organization: Organization, limited: Callable[..., Member]
) -> None:
    Organization.objects.filter(pk=organization.pk).update(
        factor_policy="administrators", factor_grace_days=0
    )
    desk = limited(clean(networks=["192.0.2.0/24"]), permissions=["member.manage"])
    for context in (OFFICE, AccessContext(address="203.0.113.9")):
        with pytest.raises(SecondFactorRequired):
            as_in(desk, context)


@pytest.mark.django_db
def test_a_kept_principal_is_asked_again_for_another_address(
    organization: Organization, limited: Callable[..., Member]
) -> None:
    key = open_session(limited(clean(networks=["192.0.2.0/24"])).user)
    principal_cache.follow(lambda: 1)
    here = Credentials(session_key=key, organization=organization.slug, address="192.0.2.7")
    assert authenticate(here).held == ""
    kept = find_kept(here)
    assert kept is not None
    assert kept.held == ""
    elsewhere = find_kept(replace(here, address="203.0.113.9"))
    assert elsewhere is not None
    assert elsewhere.held == "condition.network"


@pytest.mark.django_db
def test_a_class_of_data_above_the_role_is_as_if_it_did_not_exist(
    organization: Organization, limited: Callable[..., Member], acting: Callable[..., Principal]
) -> None:
    member, owner = limited(clean(data_classes=["public", "internal"])), acting("owner")
    with tenancy.use(organization.pk):
        channel = conversations.create_channel(principal=owner, name="deal", people=[member.user_id])
        person = principal_of(member)
        messages.send_message(principal=person, conversation_id=channel, body="hello", client_key="k1")
        administration.set_data_class(principal=owner, conversation_id=channel, data_class="confidential")
        assert list_conversations(person) == []
        with pytest.raises(ConversationNotFound):
            messages.send_message(principal=person, conversation_id=channel, body="hello", client_key="k2")
        scope = Scope.objects.get(data_class="confidential")
        assert not access.can(person, "message.send", access.InScope(scope.pk))
        assert access.can(person, "message.send", access.InScope(scope.pk)).rule == "condition.data_class"
        entry = AuditEntry.objects.get(action="scope.data_class_changed")
    assert entry.details == {"data_class": "confidential", "before": "internal"}


@pytest.mark.django_db
def test_nobody_locks_itself_out(organization: Organization, limited: Callable[..., Member]) -> None:
    member = limited(clean(needs_factor=True), permissions=["role.manage", "message.send"])
    inside = as_in(member, OFFICE, factor=factor_of(member))
    role = Role.objects
    with tenancy.use(organization.pk):
        found = role.get(key=inside.role)
        with pytest.raises(ConditionsLockOut):
            roles.update_role(
                principal=inside, role_id=found.pk, conditions=clean(networks=["203.0.113.0/24"])
            )
        found.refresh_from_db()
        assert found.conditions == {"factor": True}
        roles.update_role(principal=inside, role_id=found.pk, conditions=clean(networks=["192.0.2.0/24"]))
        found.refresh_from_db()
        assert found.conditions == {"networks": ["192.0.2.0/24"]}


@pytest.mark.django_db
def test_the_api_takes_and_shows_conditions(member: Callable[..., Member]) -> None:
    admin = Api.by_key(member("admin"))
    body = {
        "key": "desk",
        "name": "Desk",
        "permissions": [],
        "conditions": {"networks": ["192.0.2.0/24"], "days": [1]},
    }
    made = admin.post("roles/", body)
    assert made.status_code == 201
    assert made.json()["conditions"] == {"networks": ["192.0.2.0/24"], "days": [1], "zone": "UTC"}
    for wrong in ({"moon": 1}, {"networks": "x"}, {"networks": [1]}, {"days": 3}, [], "x", {"from": "08:00"}):
        answer = admin.post("roles/", {**body, "key": "other", "conditions": wrong})
        assert answer.status_code == 400, wrong
    with everywhere():
        assert not Role.objects.filter(key="other").exists()


@pytest.mark.django_db
def test_the_console_edits_them_and_says_what_is_wrong(
    organization: Organization, member: Callable[..., Member]
) -> None:
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = open_session(member("owner").user)
    base = f"/o/{organization.slug}/console/roles/"
    form = {"name": "Desk", "key": "desk", "permissions": ["message.send"], "networks": "192.0.2.0/24\n2001:db8::/32",
            "days": ["1", "2"], "opens": "08:00", "closes": "18:00", "zone": "Europe/Berlin"}  # fmt: skip
    wrong = client.post(f"{base}new/", {**form, "networks": "the office"})
    assert wrong.status_code == 422
    assert "is no network" in wrong.content.decode()
    assert client.post(f"{base}new/", {**form, "closes": ""}).status_code == 422
    assert client.post(f"{base}new/", form).status_code == 302
    with everywhere():
        role = Role.objects.get(organization=organization, key="desk")
    assert role.conditions == {
        "networks": ["192.0.2.0/24", "2001:db8::/32"], "days": [1, 2], "from": "08:00", "until": "18:00",
        "zone": "Europe/Berlin",
    }  # fmt: skip
    shown = client.get(f"{base}{role.pk}/").content.decode()
    assert "2001:db8::/32" in shown
    assert 'value="08:00"' in shown
