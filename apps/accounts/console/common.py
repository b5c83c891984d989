"""What the console pages of accounts share."""

from __future__ import annotations

from django.http import HttpRequest

from apps.accounts.labels import role_label
from apps.accounts.selectors.members import list_roles
from apps.accounts.services import access
from apps.accounts.types import Principal, RoleView

PEOPLE, ROLES, ORGANIZATION, KEYS, SECOND_FACTOR, APPS, ACCESS = (
    "people", "roles", "organization", "keys", "second-factor", "apps", "access",
)  # fmt: skip


class ConsoleRequest(HttpRequest):
    """A request behind the console's door."""

    principal: Principal


def role_names(principal: Principal) -> dict[str, str]:
    """Return what each role of the organization is called. One query."""
    return {role.key: role_label(role) for role in list_roles(principal)}


def grantable(principal: Principal, roles: list[RoleView]) -> list[tuple[str, str]]:
    """Return the roles that may do no more than the reader's own, as choices of a form."""
    return [(role.key, role_label(role)) for role in roles if set(role.permissions) <= principal.permissions]


def may(principal: Principal, *actions: str) -> dict[str, bool]:
    """Return what the reader may do, for templates: `member.invite` is told as `member_invite`."""
    return {action.replace(".", "_"): bool(access.can(principal, action)) for action in actions}
