"""What the console pages of accounts share."""

from __future__ import annotations

from django.http import HttpRequest

from apps.accounts.errors import MemberNotFound
from apps.accounts.labels import role_label
from apps.accounts.selectors.members import member_view, visible_members
from apps.accounts.services import access
from apps.accounts.types import MemberView, Principal, RoleView

PEOPLE, ROLES, ORGANIZATION, KEYS, SECOND_FACTOR, APPS, ACCESS, GROUPS = (
    "people", "roles", "organization", "keys", "second-factor", "apps", "access", "groups",
)  # fmt: skip


class ConsoleRequest(HttpRequest):
    """A request behind the console's door."""

    principal: Principal


def grantable(principal: Principal, roles: list[RoleView]) -> list[tuple[str, str]]:
    """Return the roles that may do no more than the reader's own, as choices of a form."""
    return [(role.key, role_label(role)) for role in roles if set(role.permissions) <= principal.permissions]


def only_member(principal: Principal, text: str) -> MemberView:
    """Return the one member with exactly this name or e-mail, letter case aside.

    Raises:
        MemberNotFound: nobody, or several.
    """
    rows = visible_members(principal, query=text)[:50]
    found = [member_view(row, principal) for row in rows]
    named = [one for one in found if text.casefold() in (one.name.casefold(), (one.email or "").casefold())]
    if len(named) != 1:
        raise MemberNotFound
    return named[0]


def may(principal: Principal, *actions: str) -> dict[str, bool]:
    """Return what the reader may do, for templates: `member.invite` is told as `member_invite`."""
    return {action.replace(".", "_"): bool(access.can(principal, action)) for action in actions}
