"""One decision: key scopes, then the object's rule, then the role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from apps.accounts.errors import PermissionMissing
from apps.accounts.services import access
from apps.accounts.types import BUILTIN_ROLES, KEY_SCOPES, PERMISSIONS, AccessContext, Decision, Principal

pytestmark = pytest.mark.django_db


@pytest.fixture
def rule() -> Iterator[Callable[[str, access.Rule], None]]:
    """Register rules for one test."""
    before = dict(access._rules)
    yield access.register_rule
    access._rules.clear()
    access._rules.update(before)


@pytest.mark.parametrize("role", sorted(BUILTIN_ROLES))
def test_a_role_may_exactly_what_it_lists(acting: Callable[..., Principal], role: str) -> None:
    principal = acting(role)
    assert {name for name in PERMISSIONS if access.can(principal, name)} == BUILTIN_ROLES[role]


@pytest.mark.parametrize("scope", sorted(KEY_SCOPES))
def test_a_key_scope_narrows_an_owner_to_its_permissions(
    acting: Callable[..., Principal], scope: str
) -> None:
    narrowed = replace(
        acting("owner"), key_scopes=frozenset({scope}), permissions=PERMISSIONS & KEY_SCOPES[scope]
    )
    assert {name for name in PERMISSIONS if access.can(narrowed, name)} == KEY_SCOPES[scope]


def test_every_permission_can_be_reached_by_some_key() -> None:
    assert frozenset().union(*KEY_SCOPES.values()) == PERMISSIONS


def test_the_rule_of_the_object_decides_before_the_role(
    acting: Callable[..., Principal], rule: Callable[[str, access.Rule], None]
) -> None:
    def owns(principal: Principal, thing: Any, context: AccessContext) -> Decision | None:
        return {"mine": Decision(True, "owner"), "shut": Decision(False, "shut")}.get(thing)

    access._rules.pop("conversation.manage_any", None)
    rule("conversation.manage_any", owns)
    member, owner = acting(), acting("owner")
    assert access.can(member, "conversation.manage_any", "mine") == Decision(True, "owner")
    assert access.can(owner, "conversation.manage_any", "shut") == Decision(False, "shut")
    assert access.can(owner, "conversation.manage_any", "other") == Decision(True, "role")
    assert access.can(member, "conversation.manage_any") == Decision(False, "role")


def test_a_rule_cannot_widen_a_key_or_an_agent(
    acting: Callable[..., Principal], rule: Callable[[str, access.Rule], None]
) -> None:
    access._rules.pop("message.moderate", None)
    rule("message.moderate", lambda *_: Decision(True, "always"))
    person = acting()
    assert access.can(person, "message.moderate", "thing")
    by_key = replace(person, key_scopes=frozenset({"chat:read"}))
    assert access.can(by_key, "message.moderate", "thing") == Decision(False, "key.scopes")
    agent = replace(person, on_behalf_of=person.id)
    assert access.can(agent, "message.moderate", "thing") == Decision(False, "on_behalf_of")


def test_two_rules_for_one_action_are_a_mistake(rule: Callable[[str, access.Rule], None]) -> None:
    def first(*_: Any) -> None:
        return None

    rule("test.action", first)
    rule("test.action", first)
    with pytest.raises(ValueError, match=r"test\.action"):
        rule("test.action", lambda *_: None)


def test_an_undeclared_action_is_a_mistake(acting: Callable[..., Principal]) -> None:
    with pytest.raises(access.UnknownAction):
        access.can(acting("owner"), "mesage.send")


def test_require_refuses(acting: Callable[..., Principal]) -> None:
    access.require(acting("admin"), "member.manage")
    with pytest.raises(PermissionMissing):
        access.require(acting("member"), "member.manage")
