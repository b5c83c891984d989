"""The one decision about rights: `can(principal, action, object, context)`.

Three kinds of question, one answer with its chain of grounds:

- may it do this at all: a permission, decided by key scopes, conditions and role, without a query;
- may it do this here: a permission and `InScope(scope)`, decided by the role, or by a role or a single
  right for that audience alone;
- may it see this: `<kind>.read` and `ObjectRef(kind, id)`, decided by the rules the lists of that kind select by.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from apps.accounts.conditions import DATA_CLASS
from apps.accounts.errors import ConditionNotMet, PermissionMissing, ViewAsReadOnly
from apps.accounts.models import Scope
from apps.accounts.selectors.seated import within
from apps.accounts.services import objects, trail
from apps.accounts.types import (
    KEY_SCOPES,
    PERMISSIONS,
    PRIVILEGED,
    READING,
    SCOPED_PERMISSIONS,
    AccessContext,
    Decision,
    Ground,
    InScope,
    ObjectRef,
    Principal,
)

Rule = Callable[[Principal, Any, AccessContext], Decision | None]

_rules: dict[str, Rule] = {}


class UnknownAction(LookupError):
    """Neither a permission nor an action with a rule: a programming error, never the caller's."""


@dataclass(frozen=True)
class Places:
    """Where a principal may do something: in every audience it sees, or in some of them."""

    everywhere: bool
    scopes: frozenset[UUID]


def register_rule(action: str, rule: Rule) -> None:
    """Let an app decide an action on its own objects.

    The rule returns a Decision, or None when the role decides. It is asked only when `can` got an object, not
    for a key that is too narrow, and cannot widen what an agent may do for a person.

    Raises:
        ValueError: another rule decides this action already.
    """
    known = _rules.setdefault(action, rule)
    if known is not rule:
        raise ValueError(f"{action} is decided by {known.__module__}.{known.__qualname__}")


def can(
    principal: Principal,
    action: str,
    object: Any = None,  # noqa: A002 - the word of the sentence
    context: AccessContext | None = None,
) -> Decision:
    """Decide whether the principal may do this, and say by which rule.

    No query of its own for a permission; one for an object, and one for a place where the role is limited to classes
    of data.

    Order: conditions, the key's scopes, the view as somebody else, the rule of the object's app, the role, a role
    or a single right for the place.

    Args:
        context: other circumstances than those the principal was found in.

    Raises:
        UnknownAction: nobody declared the action.
    """
    if context is not None and principal.conditions:
        principal = within(principal, context)
    if isinstance(object, ObjectRef) and action == f"{object.kind}.read":
        return objects.decide(principal, object)
    rule = _rules.get(action)
    if rule is None and action not in PERMISSIONS:
        raise UnknownAction(action)
    stopped = _stopped(principal, action)
    if stopped is not None:
        return stopped
    decision = rule(principal, object, context or principal.context) if rule and object is not None else None
    if decision is None:
        return _by_role(principal, action, object.scope_id if isinstance(object, InScope) else None)
    if decision.allowed and principal.on_behalf_of and action in PERMISSIONS:
        by_role = action in principal.permissions
        return decision if by_role else Decision(allowed=False, rule="on_behalf_of", chain=decision.chain)
    return decision


def require(
    principal: Principal,
    action: str,
    object: Any = None,  # noqa: A002 - the word of the sentence
    context: AccessContext | None = None,
) -> None:
    """Refuse what `can` does not allow; a right that not every member has leaves a line in the audit trail.

    Raises:
        PermissionMissing: also as ConditionNotMet, which says what does not hold.
        ViewAsReadOnly, UnknownAction.
    """
    decision = can(principal, action, object, context)
    if decision:
        return
    if decision.rule == "view_as":
        raise ViewAsReadOnly
    if decision.rule.startswith("condition."):
        raise ConditionNotMet(action=action)
    refusal = PermissionMissing(action=action)
    raise trail.refused(principal, refusal, permission=action) if action in PRIVILEGED else refusal


def _stopped(principal: Principal, action: str) -> Decision | None:
    """Return the refusal that comes before any rule: key, conditions, view as somebody else."""
    if not _key_allows(principal, action):
        return _decided(Ground("key.scopes", holds=False, facts=(("permission", action),)))
    if principal.held:
        return _decided(Ground(principal.held, holds=False, facts=(("role", principal.role),)))
    if principal.viewed_by and action not in READING:
        return _decided(Ground("view_as", holds=False))
    return None


def _by_role(principal: Principal, action: str, scope_id: Any) -> Decision:
    code = "custom_role" if principal.is_custom else "role"
    by_role = action in principal.permissions
    role = Ground(code, by_role, facts=(("role", principal.role), ("permission", action)))
    if scope_id is None:
        return _decided(role)
    if principal.data_classes is not None and not _reaches_class(principal, scope_id):
        return _decided(Ground(DATA_CLASS, holds=False, facts=(("role", principal.role),)), role)
    if by_role:
        return _decided(role)
    here = next((one for one in principal.scoped if one.scope_id == scope_id and one.permits(action)), None)
    if here is None:
        return _decided(role)
    if not here.role:
        return _decided(Ground("object_right", holds=True, facts=(("permission", action),)), role)
    return _decided(
        Ground("scoped_role", holds=True, facts=(("role", here.role), ("permission", action))), role
    )


def _decided(ground: Ground, *others: Ground) -> Decision:
    """Return the decision of the first ground."""
    return Decision(allowed=bool(ground.holds), rule=ground.code, chain=(*others, ground))


def _reaches_class(principal: Principal, scope_id: Any) -> bool:
    return Scope.objects.filter(
        organization_id=principal.organization_id,
        pk=scope_id,
        data_class__in=sorted(principal.data_classes or ()),
    ).exists()


def may_somewhere(principal: Principal, action: str) -> bool:
    """Return whether the principal has this permission by its role or in some audience; for links and lists."""
    if action in SCOPED_PERMISSIONS and any(one.permits(action) for one in principal.scoped):
        return _stopped(principal, action) is None
    return bool(can(principal, action))


def places_of(principal: Principal, action: str) -> Places:
    """Return where `can` allows an act, for a statement that decides about many places. No query.

    Classes of data are left to the rules on seeing: what a role does not reach is not seen.
    """
    if _stopped(principal, action) is not None:
        return Places(everywhere=False, scopes=frozenset())
    here = frozenset(one.scope_id for one in principal.scoped if action in one.permissions)
    return Places(everywhere=action in principal.permissions, scopes=here)


def _key_allows(principal: Principal, action: str) -> bool:
    """Return whether the key's scopes cover the permission; other actions are left to their rule."""
    if principal.key_scopes is None or action not in PERMISSIONS:
        return True
    return any(action in KEY_SCOPES.get(scope, ()) for scope in principal.key_scopes)
