"""A small organization for chat tests: people in roles, built from rows, as principals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from apps.accounts.models import Member, Organization, Role, User
from apps.accounts.types import BUILTIN_ROLES, Principal
from apps.chat.services import conversations, messages
from apps.chat.types import SentMessage
from apps.core import tenancy


@dataclass
class World:
    """One organization and shortcuts for what tests do all the time."""

    organization: Organization

    def person(self, name: str, role: str = "member", kind: str = "person") -> Principal:
        """Add a principal with a seat in the organization."""
        person = kind == "person"
        user = User.objects.create(
            kind=kind,
            email=f"{uuid4().hex}@example.org" if person else None,
            organization=None if person else self.organization,
        )
        with tenancy.use(self.organization.pk):
            row = Role.objects.get(organization=self.organization, key=role)
            member = Member.objects.create(organization=self.organization, user=user, role=row, name=name)
        return Principal(
            id=user.pk,
            kind=kind,
            organization_id=self.organization.pk,
            organization_slug=self.organization.slug,
            member_id=member.pk,
            name=name,
            role=role,
            permissions=BUILTIN_ROLES[role],
        )

    def role_of(self, name: str, permissions: Iterable[str]) -> Principal:
        """Add a person with a role of the organization's own."""
        person, granted = self.person(name), frozenset(permissions)
        with tenancy.use(self.organization.pk):
            row = Role.objects.create(
                organization=self.organization, key=name.lower(), name=name, permissions=sorted(granted)
            )
            Member.objects.filter(pk=person.member_id).update(role=row)
        return replace(person, role=row.key, permissions=granted)

    def channel(
        self, creator: Principal, name: str, people: Iterable[Principal] = (), *, is_private: bool = False
    ) -> UUID:
        """Create a channel."""
        return conversations.create_channel(
            principal=creator, name=name, is_private=is_private, people=[person.id for person in people]
        )

    def say(
        self, sender: Principal, conversation: UUID, body: str = "hello", **fields: object
    ) -> SentMessage:
        """Send a message with a fresh client key."""
        fields.setdefault("client_key", uuid4().hex)
        return messages.send_message(
            principal=sender,
            conversation_id=conversation,
            body=body,
            **fields,  # type: ignore[arg-type]
        )

    def use(self) -> object:
        """Open this organization."""
        return tenancy.use(self.organization.pk)


def make_world(slug: str = "nordlicht") -> World:
    """Create an organization with its built-in roles."""
    organization = Organization.objects.create(slug=slug, name=slug.title())
    with tenancy.use(organization.pk):
        Role.objects.bulk_create(
            Role(organization=organization, key=key, name=key, permissions=sorted(granted), is_builtin=True)
            for key, granted in BUILTIN_ROLES.items()
        )
    return World(organization)
