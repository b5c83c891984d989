"""Explain access: the explainer says what the decision says, to whom it may, and no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation

from apps.accounts.conditions import clean
from apps.accounts.errors import MemberNotFound, ObjectUnknown, PermissionMissing, UnknownPermission
from apps.accounts.models import Member, Organization, Role
from apps.accounts.selectors.principals import principal_of_member
from apps.accounts.services import access, explaining, reasons
from apps.accounts.services.members import deactivate_member
from apps.accounts.types import ObjectRef, Principal
from apps.chat.services import conversations, messages
from apps.chat.services import members as chat_members
from apps.core.models import AuditEntry
from tests.accounts.api import Api
from tests.accounts.sessions import open_session
from tests.factories.accounts import MemberFactory, OrganizationFactory, principal_of
from tests.walls import everywhere

pytestmark = pytest.mark.django_db
Make = Callable[..., Member]


@pytest.fixture
def owner(acting: Callable[..., Principal]) -> Principal:
    return acting("owner", name="Olga")


@pytest.fixture
def ben(member: Make) -> Member:
    return member("member", name="Ben")


@pytest.fixture
def cleo(member: Make) -> Member:
    return member("member", name="Cleo")


@pytest.fixture
def secret(here: Organization, ben: Member, owner: Principal) -> ObjectRef:
    """A private channel of Ben and the owner."""
    made = conversations.create_channel(
        principal=principal_of(ben), name="secret", is_private=True, people=[owner.id]
    )
    return ObjectRef("conversation", made)


def ask(
    owner: Principal, person: Member, ref: ObjectRef | None = None, action: str = "read"
) -> explaining.Explanation:
    return explaining.explain(principal=owner, person_id=person.user_id, ref=ref, action=action)


def test_it_names_the_rule_and_agrees_with_the_decision(
    owner: Principal, ben: Member, cleo: Member, secret: ObjectRef
) -> None:
    for person, rule in ((ben, "seat"), (cleo, "none")):
        found = ask(owner, person, secret)
        decision = access.can(
            principal_of_member(organization_id=person.organization_id, user_id=person.user_id),
            "conversation.read",
            secret,
        )
        assert (found.is_allowed, found.decision.rule) == (decision.allowed, decision.rule)
        assert found.decision.rule == rule
        assert [line.code for line in found.lines] == [
            "seat",
            "open_scope",
            *(["none"] if person is cleo else []),
        ]
    assert found.reason == "No rule lets it be seen."


def test_who_left_is_told_when(owner: Principal, ben: Member, cleo: Member, secret: ObjectRef) -> None:
    chat_members.add_people(principal=principal_of(ben), conversation_id=secret.id, people=[cleo.user_id])
    chat_members.remove_person(
        principal=principal_of(cleo), conversation_id=secret.id, person_id=cleo.user_id
    )
    assert ask(owner, cleo, secret).lines[-1].code == "seat_left"


def test_an_inactive_member_sees_nothing(owner: Principal, ben: Member, secret: ObjectRef) -> None:
    deactivate_member(principal=owner, member_id=ben.pk)
    assert ask(owner, ben, secret).decision.rule == "inactive"


def test_conditions_make_a_yes_depend(here: Organization, owner: Principal) -> None:
    role = Role.objects.create(
        organization=here, key="desk", name="Desk", permissions=["message.send"],
        conditions=clean(networks=["192.0.2.0/24"], needs_factor=True).as_json(),
    )  # fmt: skip
    found = ask(owner, MemberFactory(organization=here, role=role), action="message.send")
    assert (found.is_allowed, found.depends) == (True, True)
    assert [line.code for line in found.lines] == ["custom_role", "condition.network", "condition.factor"]


def test_a_right_is_explained_with_the_roles_name(here: Organization, owner: Principal, ben: Member) -> None:
    found = ask(owner, ben, action="role.manage")
    assert (found.is_allowed, found.reason) == (False, "The role “Member” does not allow it.")
    with translation.override("de"):
        assert "Mitglied" in ask(owner, ben, action="role.manage").reason


def test_the_reverse_list_has_everyone_with_the_decision(
    owner: Principal, ben: Member, cleo: Member, secret: ObjectRef
) -> None:
    readers = explaining.list_readers(principal=owner, ref=secret)
    assert [(one.name, one.is_allowed, one.rule) for one in readers] == [
        ("Ben", True, "seat"), ("Olga", True, "seat"),
    ]  # fmt: skip
    assert explaining.list_readers(principal=owner, ref=secret, offset=1, limit=1)[0].name == "Olga"
    assert explaining.count_readers(principal=owner, ref=secret) == 2


@pytest.mark.parametrize("role", ["moderator", "member", "guest"])
def test_without_the_right_nobody_asks_and_nothing_is_written(
    member: Make, ben: Member, secret: ObjectRef, role: str
) -> None:
    asker = principal_of(member(role))
    with pytest.raises(PermissionMissing):
        explaining.explain(principal=asker, person_id=ben.user_id, ref=secret)
    with pytest.raises(PermissionMissing):
        explaining.list_readers(principal=asker, ref=secret)
    assert not AuditEntry.objects.filter(action="access.explained").exists()


def test_what_is_missing_or_foreign_is_the_same(owner: Principal, ben: Member, secret: ObjectRef) -> None:
    for ref in (ObjectRef("conversation", uuid4()), ObjectRef("moon", secret.id), None):
        with pytest.raises(ObjectUnknown):
            ask(owner, ben, ref)
    with pytest.raises(MemberNotFound):
        ask(owner, MemberFactory(organization=OrganizationFactory()), secret)
    with pytest.raises(UnknownPermission):
        ask(owner, ben, action="moon.manage")


def test_an_auditor_hears_no_name_of_what_it_does_not_see(
    acting: Callable[..., Principal], ben: Member, secret: ObjectRef
) -> None:
    found = explaining.explain(principal=acting("auditor"), person_id=ben.user_id, ref=secret)
    assert (found.is_allowed, found.name) == (True, "")


def test_a_direct_talk_has_no_name_for_anyone(
    here: Organization, owner: Principal, ben: Member, cleo: Member
) -> None:
    talk = conversations.open_direct(principal=principal_of(ben), people=[cleo.user_id])
    assert ask(owner, ben, ObjectRef("conversation", talk)).name == ""


def test_every_code_has_both_sentences() -> None:
    codes = reasons.known_codes()
    assert {
        "seat",
        "open_scope",
        "role",
        "custom_role",
        "scoped_role",
        "key.scopes",
        "view_as",
        "none",
    } <= codes


# Doors


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 200), ("admin", 200), ("auditor", 200), ("moderator", 403), ("guest", 403)]
)
def test_the_api_asks_for_the_right(
    member: Make, ben: Member, secret: ObjectRef, role: str, status: int
) -> None:
    api = Api.by_key(member(role))
    asked = api.get(f"access/decision/?principal={ben.user_id}&object={secret}")
    listed = api.get(f"access/readers/?object={secret}")
    assert (asked.status_code, listed.status_code) == (status, status)


def test_the_api_answers_with_grounds(member: Make, ben: Member, cleo: Member, secret: ObjectRef) -> None:
    api = Api.by_key(member("admin"))
    answer = api.get(f"access/decision/?principal={cleo.user_id}&object={secret}").json()
    assert (answer["allowed"], answer["rule"], answer["object"]) == (False, "none", str(secret))
    assert [ground["holds"] for ground in answer["grounds"]] == [False, False, False]
    page = api.get(f"access/readers/?object={secret}&limit=1").json()
    assert ([row["name"] for row in page["results"]], bool(page["next"])) == (["Ben"], True)
    for wrong in ("moon", "conversation:x", f"conversation:{uuid4()}"):
        assert api.get(f"access/readers/?object={wrong}").status_code == 404


def _browser(member: Member) -> Client:
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = open_session(member.user)
    return client


def test_the_console_explains_by_name_and_address(
    here: Organization, member: Make, ben: Member, cleo: Member, secret: ObjectRef
) -> None:
    client, page = _browser(member("admin")), f"/o/{here.slug}/console/access/"
    address = f"https://example.org/o/{here.slug}/c/{secret.id}/"
    yes = client.get(page, {"person": "Ben", "object": address}).content.decode()
    assert 'data-answer="yes" data-rule="seat"' in yes
    no = client.get(page, {"person": "cleo", "object": "#secret"}).content.decode()
    assert 'data-answer="no" data-rule="none"' in no
    readers = client.get(page, {"object": "secret"}).content.decode()
    assert "Ben" in readers
    assert "Cleo" not in readers
    for asked in (
        {"person": "Nobody"},
        {"object": "nothing"},
        {"person": "Ben"},
        {"object": "message:x\x00"},
    ):
        assert "data-answer" not in client.get(page, asked).content.decode()


def test_a_message_is_found_by_its_address(
    here: Organization, member: Make, ben: Member, secret: ObjectRef
) -> None:
    sent = messages.send_message(
        principal=principal_of(ben), conversation_id=secret.id, body="words", client_key="k"
    )
    page = _browser(member("admin")).get(
        f"/o/{here.slug}/console/access/",
        {"person": "Ben", "object": f"/o/{here.slug}/c/{secret.id}/m/{sent.id}/"},
    ).content.decode()  # fmt: skip
    assert 'data-answer="yes" data-rule="seat"' in page
    assert "words" not in page


def test_a_refused_page_says_why_in_terms_of_the_own_role(here: Organization, member: Make) -> None:
    client = _browser(member("guest"))
    refused = client.get(f"/o/{here.slug}/channels/new/")
    own = client.get(f"/o/{here.slug}/why/?action=conversation.create_public")
    assert own.status_code == 200
    assert 'data-rule="role"' in own.content.decode()
    assert client.get(f"/o/{here.slug}/why/?action=moon").status_code == 400
    assert refused.status_code in (200, 403, 404)


def test_the_link_stands_on_the_refusal(here: Organization, acting: Any, member: Make) -> None:
    with everywhere():
        role = Role.objects.create(organization=here, key="mute", name="Mute", permissions=[])
    client = _browser(MemberFactory(organization=here, role=role))
    refused = client.get(f"/o/{here.slug}/search/?q=x")
    assert refused.status_code == 403
    assert f"/o/{here.slug}/why/?action=search.use" in refused.content.decode()
    assert UUID(int=0) not in {row.pk for row in Role.objects.all()}
