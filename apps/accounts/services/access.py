"""The one decision about rights: `can(principal, action, object, context)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apps.accounts.errors import PermissionMissing
from apps.accounts.services import trail
from apps.accounts.types import KEY_SCOPES, PERMISSIONS, PRIVILEGED, AccessContext, Decision, Principal

Rule = Callable[[Principal, Any, AccessContext], Decision | None]

_rules: dict[str, Rule] = {}


class UnknownAction(LookupError):
    """Neither a permission nor an action with a rule: a programming error, never the caller's."""


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
    """Decide whether the principal may do this, and say by which rule. No query of its own.

    Order: the key's scopes, the rule of the object's app, the role.

    Raises:
        UnknownAction: nobody declared the action.
    """
    rule = _rules.get(action)
    if rule is None and action not in PERMISSIONS:
        raise UnknownAction(action)
    if not _key_allows(principal, action):
        return Decision(allowed=False, rule="key_scopes")
    decision = rule(principal, object, context or AccessContext()) if rule and object is not None else None
    by_role = action in principal.permissions
    if decision is None:
        return Decision(allowed=by_role, rule=f"role:{principal.role}")
    if decision.allowed and principal.on_behalf_of and action in PERMISSIONS and not by_role:
        return Decision(allowed=False, rule="on_behalf_of")
    return decision


def require(
    principal: Principal,
    action: str,
    object: Any = None,  # noqa: A002 - the word of the sentence
    context: AccessContext | None = None,
) -> None:
    """Refuse what `can` does not allow; a right that not every member has leaves a line in the audit trail.

    Raises:
        PermissionMissing, UnknownAction.
    """
    if not can(principal, action, object, context):
        if action in PRIVILEGED:
            raise trail.refused(principal, PermissionMissing(), permission=action)
        raise PermissionMissing


def _key_allows(principal: Principal, action: str) -> bool:
    """Return whether the key's scopes cover the permission; other actions are left to their rule."""
    if principal.key_scopes is None or action not in PERMISSIONS:
        return True
    return any(action in KEY_SCOPES.get(scope, ()) for scope in principal.key_scopes)
