"""Custom roles: never above the maker, never under a member's feet."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from apps.accounts.errors import (
    PermissionMissing,
    RoleAboveOwn,
    RoleBuiltIn,
    RoleInUse,
    RoleNotFound,
    RoleTaken,
    SlugNotValid,
    UnknownPermission,
)
from apps.accounts.models import Member, Organization, Role
from apps.accounts.selectors.members import get_role, list_roles
from apps.accounts.services import roles
from apps.accounts.types import Principal
from tests.accounts.events import recorded
from tests.factories.accounts import OrganizationFactory, principal_of, role_of

pytestmark = pytest.mark.django_db


def test_members_of_a_custom_role_have_its_rights_and_lose_them_at_once(
    here: Organization, member: Callable[..., Member], acting: Callable[..., Principal]
) -> None:
    admin = acting("admin")
    role_id = roles.create_role(
        principal=admin, key="helpdesk", name="Helpdesk", permissions=["message.send", "console.view"]
    )
    ada = member("helpdesk")
    assert principal_of(ada).permissions == {"message.send", "console.view"}
    roles.update_role(principal=admin, role_id=role_id, permissions=["message.send"])
    assert principal_of(ada).permissions == {"message.send"}
    assert [name for name, _ in recorded()] == ["access.changed"]


@pytest.mark.parametrize(
    ("key", "permissions", "refusal"),
    [
        ("Helpdesk", [], SlugNotValid),
        ("", [], SlugNotValid),
        ("member", [], RoleTaken),
        ("helpdesk", ["message.sned"], UnknownPermission),
        ("helpdesk", ["organization.manage"], RoleAboveOwn),
    ],
)
def test_what_a_role_must_be(
    here: Organization,
    acting: Callable[..., Principal],
    key: str,
    permissions: list[str],
    refusal: type[Exception],
) -> None:
    admin, before = acting("admin"), Role.objects.count()
    with pytest.raises(refusal):
        roles.create_role(principal=admin, key=key, name="Name", permissions=permissions)
    assert Role.objects.count() == before


def test_built_in_and_foreign_roles_cannot_be_changed(
    here: Organization, acting: Callable[..., Principal]
) -> None:
    owner, foreign = acting("owner"), OrganizationFactory()
    for organization, refusal in ((here, RoleBuiltIn), (foreign, RoleNotFound)):
        role_id = role_of(organization, "guest").pk
        with pytest.raises(refusal):
            roles.update_role(principal=owner, role_id=role_id, permissions=[])
        with pytest.raises(refusal):
            roles.delete_role(principal=owner, role_id=role_id)
    assert Role.objects.get(organization=here, key="guest").permissions


def test_members_may_not_make_roles(here: Organization, acting: Callable[..., Principal]) -> None:
    with pytest.raises(PermissionMissing):
        roles.create_role(principal=acting("moderator"), key="mine", name="Mine", permissions=[])


def test_an_admin_cannot_lower_a_role_above_its_own(
    here: Organization, acting: Callable[..., Principal]
) -> None:
    high = roles.create_role(
        principal=acting("owner"), key="deputy", name="Deputy", permissions=["organization.manage"]
    )
    with pytest.raises(RoleAboveOwn):
        roles.update_role(principal=acting("admin"), role_id=high, permissions=[])
    with pytest.raises(RoleAboveOwn):
        roles.delete_role(principal=acting("admin"), role_id=high)
    assert get_role(acting("owner"), high).permissions == ("organization.manage",)


def test_a_role_in_use_stays(
    here: Organization, member: Callable[..., Member], acting: Callable[..., Principal]
) -> None:
    admin = acting("admin")
    role_id = roles.create_role(principal=admin, key="helpdesk", name="Helpdesk", permissions=[])
    ada = member("helpdesk")
    with pytest.raises(RoleInUse):
        roles.delete_role(principal=admin, role_id=role_id)
    Member.objects.filter(pk=ada.pk).update(role=Role.objects.get(organization=here, key="member"))
    roles.delete_role(principal=admin, role_id=role_id)
    assert not Role.objects.filter(pk=role_id).exists()


@pytest.mark.parametrize("number", [1, 20])
def test_the_list_counts_active_members_in_one_query(
    here: Organization,
    member: Callable[..., Member],
    acting: Callable[..., Principal],
    number: int,
    django_assert_num_queries: Callable[..., object],
) -> None:
    owner = acting("owner")
    for _ in range(number):
        member("guest")
    with django_assert_num_queries(1):  # type: ignore[attr-defined]
        found = {role.key: role.members for role in list_roles(owner)}
    assert found == {"owner": 1, "admin": 0, "moderator": 0, "member": 0, "guest": number, "auditor": 0}
