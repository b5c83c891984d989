"""Organizations with their built-in roles, people, members, scopes and seats.

Factories write rows only, without events; use the services where events matter.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import factory
from django.db.models import Model
from django.utils import timezone
from factory.django import DjangoModelFactory

from apps.accounts.models import ApiKey, Member, Organization, Role, Scope, Seat, User
from apps.accounts.selectors.principals import hash_secret, principal_for_session
from apps.accounts.types import BUILTIN_ROLES, KEY_SCOPES, Principal
from apps.core import tenancy

_keys = itertools.count()
PASSWORD = "correct horse battery"


Row = TypeVar("Row", bound=Model)


class TenantFactory(DjangoModelFactory[Row]):
    """Rows of one organization, written inside its wall."""

    class Meta:
        abstract = True

    @classmethod
    def _create(cls, model_class: type[Row], *args: Any, **kwargs: Any) -> Row:
        with tenancy.use(kwargs["organization"].pk):
            return super()._create(model_class, *args, **kwargs)


class OrganizationFactory(DjangoModelFactory[Organization]):
    """An organization with its built-in roles."""

    class Meta:
        model = Organization
        skip_postgeneration_save = True

    slug = factory.Sequence(lambda n: f"organization-{n}")
    name = factory.Sequence(lambda n: f"Organization {n}")

    @factory.post_generation
    def roles(self, create: bool, extracted: Any, **kwargs: Any) -> None:
        with tenancy.use(self.pk):
            Role.objects.bulk_create(
                Role(organization=self, key=key, name=key, permissions=sorted(permissions), is_builtin=True)
                for key, permissions in BUILTIN_ROLES.items()
            )


def role_of(organization: Organization, key: str) -> Role:
    """Return a built-in role."""
    with tenancy.use(organization.pk):
        return Role.objects.get(organization=organization, key=key)


class PersonFactory(DjangoModelFactory[User]):
    """A person who can sign in with `PASSWORD`."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    email = factory.Sequence(lambda n: f"person-{n}@example.org")
    password = factory.django.Password(PASSWORD)


class AgentFactory(DjangoModelFactory[User]):
    """A principal of kind agent; `organization` is required."""

    class Meta:
        model = User

    kind = "agent"
    email = None


class MemberFactory(TenantFactory[Member]):
    """A person's seat in an organization; `role` is a key: `MemberFactory(organization=o, role="guest")`."""

    class Meta:
        model = Member
        exclude = ("role_key",)

    class Params:
        agent = factory.Trait(
            user=factory.SubFactory(AgentFactory, organization=factory.SelfAttribute("..organization"))
        )

    organization = factory.SubFactory(OrganizationFactory)
    user = factory.SubFactory(PersonFactory)
    name = factory.Sequence(lambda n: f"Person {n}")
    role_key = "member"
    role = factory.LazyAttribute(lambda o: role_of(o.organization, o.role_key))

    @classmethod
    def _adjust_kwargs(cls, **kwargs: Any) -> dict[str, Any]:
        if isinstance(kwargs["role"], str):
            kwargs["role"] = role_of(kwargs["organization"], kwargs["role"])
        return kwargs


class ScopeFactory(TenantFactory[Scope]):
    """An audience of seats; `audience="organization"` for an open one."""

    class Meta:
        model = Scope

    organization = factory.SubFactory(OrganizationFactory)
    kind = "conversation"
    audience = Scope.Audience.SEATS


class SeatFactory(TenantFactory[Seat]):
    """A member in a scope: `SeatFactory(scope=scope, member=member)`."""

    class Meta:
        model = Seat

    class Params:
        member = None

    scope = factory.SubFactory(ScopeFactory)
    organization = factory.SelfAttribute("scope.organization")
    principal = factory.LazyAttribute(
        lambda o: (o.member or MemberFactory(organization=o.scope.organization)).user
    )


@dataclass(frozen=True)
class Key:
    """A stored API key and its clear text."""

    row: ApiKey
    secret: str


def api_key(member: Member, *, scopes: list[str] | None = None, days: float = 30) -> Key:
    """Give a member an API key with all scopes, or those named; negative days make an expired one."""
    count = next(_keys)
    secret = f"ck_test{count:04}{member.pk.hex}"
    with tenancy.use(member.organization_id):
        row = ApiKey.objects.create(
            organization_id=member.organization_id,
            principal_id=member.user_id,
            name=f"key {count}",
            prefix=secret[:11],
            hash=hash_secret(secret),
            scopes=sorted(KEY_SCOPES) if scopes is None else scopes,
            expires_at=timezone.now() + timedelta(days=days),
        )
    return Key(row, secret)


def principal_of(member: Member, *, session: str = "test") -> Principal:
    """Return the member as the acting principal."""
    return principal_for_session(
        user_id=member.user_id, organization_id=member.organization_id, session=session
    )
