"""The acting principal, what it may do where, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from apps.accounts.conditions import NO_CONDITIONS, NOWHERE, AccessContext, Conditions
from apps.accounts.types.permissions import BY_SEAT_ONLY

BY_SESSION, BY_KEY, BY_TOKEN = "session", "key", "token"


@dataclass(frozen=True)
class ScopedGrant:
    """A role or a single right that a principal has in one audience.

    Attributes:
        role: empty for a single right.
        permissions: none where the conditions of the role do not hold.
        until: the end of a single right; None has no end.
    """

    scope_id: UUID
    role: str
    permissions: frozenset[str]
    until: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether it counts at this moment."""
        return self.until is None or self.until > timezone.now()

    def permits(self, action: str) -> bool:
        """Return whether it permits the action at this moment."""
        return action in self.permissions and self.is_open


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Who acts in which organization, with what rights, for whom.

    Attributes:
        id: the User's id.
        member_id: the seat in the organization.
        permissions: of the role, already narrowed by the key's scopes and by the person an agent acts for.
        key_scopes: of the API key; None for a session.
        on_behalf_of: the person an agent acts for; its rights are the intersection of both.
        person_is_guest: the person acted for is a guest and sees scopes by seat only.
        session: id that a revocation names: session key hash, API key id or token family id.
        credential: what was shown: session, key or token.
        conversations: the only ones a key reaches; None is no such limit.
        scopes: the audiences of those conversations, for the visible-scopes query.
        address: where the caller is, as far as it is known; a key may be bound to networks.
        language: the account's; empty follows cookie and header.
        is_custom: the role is one of the organization's own.
        conditions: of the role.
        context: circumstances of this request, socket or task.
        granted: what the role gives where its conditions hold.
        held: code of the condition that does not hold; then there are no permissions and nothing is seen.
        data_classes: the only classes of data it reaches; None is no such limit.
        scoped: rights in single audiences, beside those of the role.
        viewed_by, viewer_name: the administrator that looks at pages as this person, and may change nothing.
        factor_due_at: until then the person may go on without the second factor it needs; None: none needed, or proved.
        notices: last number of the own stream when this was loaded; a page drawn afterwards shows at least that much.
    """

    id: UUID
    kind: str
    organization_id: UUID
    organization_slug: str
    member_id: UUID
    name: str
    role: str
    permissions: frozenset[str]
    key_scopes: frozenset[str] | None = None
    on_behalf_of: UUID | None = None
    person_is_guest: bool = False
    session: str = ""
    language: str = ""
    organization_name: str = ""
    avatar_file_id: UUID | None = None
    is_staff: bool = False
    credential: str = BY_SESSION
    conversations: frozenset[UUID] | None = None
    scopes: frozenset[UUID] | None = None
    address: str = field(default="", compare=False)
    is_custom: bool = False
    conditions: Conditions = NO_CONDITIONS
    context: AccessContext = field(default=NOWHERE, compare=False)
    granted: frozenset[str] = frozenset()
    held: str = ""
    data_classes: frozenset[str] | None = None
    scoped: tuple[ScopedGrant, ...] = ()
    viewed_by: UUID | None = None
    viewer_name: str = ""
    factor_due_at: datetime | None = None
    notices: int = field(default=0, compare=False)

    @property
    def is_guest(self) -> bool:
        """Guests and auditors, and agents that act for one, see only scopes that person has a seat in."""
        return self.role in BY_SEAT_ONLY or self.person_is_guest

    @property
    def has_conditions(self) -> bool:
        """Whether its role gives what it gives in some circumstances only."""
        return self.conditions != NO_CONDITIONS

    def granted_in(self, scope_id: UUID) -> frozenset[str]:
        """Return what roles and rights for this audience alone permit, as far as their conditions hold."""
        here = (one for one in self.scoped if one.scope_id == scope_id and one.is_open)
        return frozenset().union(*(one.permissions for one in here))

    def reaches(self, conversation_id: UUID) -> bool:
        """Return whether the credential is bound to no conversations, or to this one; says nothing of the seat."""
        return self.conversations is None or conversation_id in self.conversations


@dataclass(frozen=True)
class Ground:
    """A rule that was looked at on the way to a decision.

    Attributes:
        code: stable; `services.reasons` has its sentences.
        holds: whether it speaks for the principal; None where that depends on circumstances nobody gave.
        facts: short values for the sentence: the role's name, the permission, a time.
    """

    code: str
    holds: bool | None
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Decision:
    """The answer of `can()` and the rule behind it.

    Attributes:
        rule: stable code of the ground that decided.
        chain: all grounds that were looked at, in their order; the deciding one is among them.
    """

    allowed: bool
    rule: str
    chain: tuple[Ground, ...] = field(default=(), compare=False)

    def __bool__(self) -> bool:
        return self.allowed


@dataclass(frozen=True)
class InScope:
    """The place of an act: an audience."""

    scope_id: UUID


@dataclass(frozen=True)
class ObjectRef:
    """One thing of a registered kind: conversation, message, file, document, run."""

    kind: str
    id: UUID

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True)
class ScopeClause:
    """A condition for raw SQL and its named parameters (all start with `visible_`)."""

    sql: str
    params: dict[str, Any]
