"""Founding organizations."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from apps.accounts.errors import LanguageUnknown, NameNotValid, PermissionMissing, SlugNotValid, SlugTaken
from apps.accounts.models import Member, Organization, Role
from apps.accounts.services import organizations
from apps.accounts.types import BUILTIN_ROLES, Principal
from apps.core import tenancy
from tests.factories.accounts import PersonFactory
from tests.walls import everywhere

pytestmark = pytest.mark.django_db


def test_a_new_organization_has_its_roles_and_its_owner() -> None:
    person = PersonFactory()
    organization_id = organizations.create_organization(
        slug="nordlicht", name="Nordlicht", language="de", owner_id=person.pk, owner_name="Maren"
    )
    roles = Role.objects.filter(organization_id=organization_id)
    with everywhere():
        assert {role.key: set(role.permissions) for role in roles} == {
            key: set(permissions) for key, permissions in BUILTIN_ROLES.items()
        }
        owner = Member.objects.get()
        assert (owner.organization_id, owner.name, owner.role.key) == (organization_id, "Maren", "owner")
    assert tenancy.find_current() is None


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"slug": "taken"}, SlugTaken),
        ({"slug": "Nord"}, SlugNotValid),
        ({"slug": "-nord"}, SlugNotValid),
        ({"slug": "n"}, SlugNotValid),
        ({"slug": "nord\n"}, SlugNotValid),
        ({"slug": "x" * 41}, SlugNotValid),
        ({"name": " "}, NameNotValid),
        ({"name": "x" * 101}, NameNotValid),
        ({"language": "tlh"}, LanguageUnknown),
    ],
)
def test_what_an_organization_must_be(values: dict[str, str], refusal: type[Exception]) -> None:
    organizations.create_organization(slug="taken", name="First")
    with pytest.raises(refusal):
        organizations.create_organization(**{"slug": "nord", "name": "Nord", **values})
    assert Organization.objects.count() == 1
    with everywhere():
        assert Role.objects.count() == len(BUILTIN_ROLES)


def test_only_owners_change_it(here: Organization, acting: Callable[..., Principal]) -> None:
    with pytest.raises(PermissionMissing):
        organizations.update_organization(principal=acting("admin"), name="Other")
    organizations.update_organization(principal=acting("owner"), name="Other", language="de")
    stored = Organization.objects.get(pk=here.pk)
    assert (stored.name, stored.language) == ("Other", "de")
