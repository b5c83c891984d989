"""Plain types of accounts: the acting principal, permissions, roles, decisions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from apps.accounts.conditions import DATA_CLASSES as DATA_CLASSES  # noqa: PLC0414 - one of these words
from apps.accounts.conditions import NO_CONDITIONS, NOWHERE, Conditions
from apps.accounts.conditions import AccessContext as AccessContext  # noqa: PLC0414 - one of these types

# What a role may grant. A word here is in columns and stays.
PERMISSIONS = frozenset(
    {
        "conversation.create_public", "conversation.create_private", "conversation.create_direct",
        "conversation.manage_any", "message.send", "message.announce", "message.moderate", "file.upload",
        "document.manage",
        "agent.ask", "search.use", "search.manage", "search.inspect", "directory.read", "member.invite",
        "member.manage", "role.manage",
        "api_key.own", "api_key.manage", "console.view", "settings.view", "run.view_any", "run.manage",
        "flag.manage", "agent.manage", "organization.manage", "privacy.manage", "audit.read", "access.explain",
        "access.view_as",
    }
)  # fmt: skip

_GUEST = frozenset({"message.send", "file.upload", "agent.ask", "search.use"})
_MEMBER = _GUEST | {
    "conversation.create_public", "conversation.create_private", "conversation.create_direct",
    "directory.read", "api_key.own", "document.manage",
}  # fmt: skip
_MODERATOR = _MEMBER | {
    "message.moderate", "message.announce", "conversation.manage_any", "console.view",
}  # fmt: skip
_ADMIN = PERMISSIONS - {"organization.manage", "audit.read"}
# Who may do any of these is an administrator where a second factor is asked for; trying one without having it is worth
# a line in the audit trail.
PRIVILEGED = PERMISSIONS - _MEMBER

BUILTIN_ROLES: dict[str, frozenset[str]] = {
    "owner": PERMISSIONS,
    "admin": _ADMIN,
    "moderator": _MODERATOR,
    "member": _MEMBER,
    "guest": _GUEST,
    "auditor": frozenset({"audit.read", "console.view", "access.explain"}),
}

OWNER, GUEST, AUDITOR = "owner", "guest", "auditor"
# Roles that see content by seat only, not what is open to the whole organization.
BY_SEAT_ONLY = frozenset({GUEST, AUDITOR})
AGENT_TITLE = gettext_noop("Assistant")  # what an agent is until somebody says otherwise
PLACEHOLDER_DOMAIN = (
    "@erased.invalid"  # of who stands for erased people; `.invalid` is never delivered (RFC 2606)
)

# What an API key may be narrowed to; a key never has more than its principal.
KEY_SCOPES: dict[str, frozenset[str]] = {
    "chat:read": frozenset({"directory.read"}),
    "chat:write": frozenset(
        {
            "message.send", "conversation.create_public", "conversation.create_private",
            "conversation.create_direct", "conversation.manage_any", "message.moderate", "message.announce",
        }
    ),
    "files:write": frozenset({"file.upload", "document.manage"}),
    "search:read": frozenset({"search.use"}),
    "ask:write": frozenset({"agent.ask"}),
    "keys:write": frozenset({"api_key.own", "api_key.manage"}),
    "admin:read": frozenset({"console.view", "settings.view", "run.view_any", "search.inspect", "access.explain"}),
    "audit:read": frozenset({"audit.read", "access.explain"}),
    "admin:write": frozenset(
        {
            "member.invite", "member.manage", "role.manage", "flag.manage", "agent.manage", "search.manage",
            "organization.manage", "run.manage", "privacy.manage", "access.view_as",
        }
    ),
}  # fmt: skip


# All that a key bound to some conversations may do with its scopes: nothing that reaches beyond them.
BOUND_PERMISSIONS = frozenset({"message.send", "message.announce", "message.moderate"})
# What a role can give in one audience alone. `member.manage` there hands such roles out and takes people in and out.
SCOPED_PERMISSIONS = frozenset(
    {"message.moderate", "message.announce", "conversation.manage_any", "document.manage", "member.manage"}
)
MOST_SCOPED_ROLES = 100
# What can be given as a single right in one place, for a time. Not `member.manage`: its holder could make it last.
OBJECT_PERMISSIONS = frozenset({"message.moderate", "conversation.manage_any", "document.manage"})
MOST_OBJECT_DAYS, MOST_OBJECT_RIGHTS = 90, 100
MOST_IN_GROUP = 500
# Rights that change nothing: all that is left of a role while somebody else looks at pages with it.
READING = frozenset(
    {
        "search.use", "directory.read", "console.view", "settings.view", "run.view_any", "audit.read",
        "access.explain",
    }
)  # fmt: skip

# What a registered client may ask for: who the person is, a refresh token, and what a key may do. A program that was
# let in makes no ways in of its own: they would outlive the end of the consent.
OPENID, OFFLINE = "openid", "offline_access"
IDENTITY_SCOPES = (OPENID, "profile", "email")
OAUTH_SCOPES = (*IDENTITY_SCOPES, OFFLINE, *(scope for scope in KEY_SCOPES if scope != "keys:write"))
CODE_GRANT, REFRESH_GRANT, CLIENT_GRANT = "authorization_code", "refresh_token", "client_credentials"
DEVICE_GRANT = "device_code"  # on the wire a URN, see RFC 8628
OAUTH_GRANTS = (CODE_GRANT, REFRESH_GRANT, CLIENT_GRANT, DEVICE_GRANT)

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


@dataclass(frozen=True)
class PersonView:
    """A principal as others in the organization see it."""

    id: UUID
    member_id: UUID
    name: str
    title: str
    kind: str
    role: str
    is_active: bool
    avatar_file_id: UUID | None

    @property
    def shown_title(self) -> str:
        """Return the title; the one that agents are made with speaks the reader's language."""
        return gettext(AGENT_TITLE) if self.kind == "agent" and self.title == AGENT_TITLE else self.title

    @property
    def initials(self) -> str:
        """Return at most two letters for the face without a picture."""
        words = [word for word in self.name.split() if word]
        return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper()

    @property
    def tint(self) -> int:
        """Return 1 to 6, stable for the principal."""
        return self.id.int % 6 + 1

    @property
    def is_agent(self) -> bool:
        """Agents have square faces."""
        return self.kind != "person"


@dataclass(frozen=True)
class OrganizationView:
    """An organization a user has a seat in."""

    id: UUID
    slug: str
    name: str
    language: str


@dataclass(frozen=True)
class IssuedKey:
    """A new API key; `secret` is shown once and never again."""

    id: UUID
    name: str
    prefix: str
    secret: str
    scopes: tuple[str, ...]
    expires_at: datetime


@dataclass(frozen=True)
class KeyView:
    """An API key in a list."""

    id: UUID
    owner_id: UUID
    name: str
    prefix: str
    scopes: tuple[str, ...]
    conversations: tuple[UUID, ...] | None
    networks: tuple[str, ...]
    expires_at: datetime
    revoked_at: datetime | None
    suspended_at: datetime | None
    last_used_at: datetime | None
    last_used_address: str | None
    created_at: datetime

    @property
    def state(self) -> str:
        """Return ended, suspended, expired or active."""
        if self.revoked_at is not None:
            return "ended"
        if self.expires_at <= timezone.now():
            return "expired"
        return "active" if self.suspended_at is None else "suspended"


@dataclass(frozen=True)
class KeyLimits:
    """How far a key reaches beside its scopes.

    Attributes:
        conversations: the only ones it sees and writes to; None is no such limit.
        networks: the only ones it is taken from, in CIDR form; empty is no such limit.
    """

    conversations: tuple[UUID, ...] | None = None
    networks: tuple[str, ...] = ()


NO_LIMITS = KeyLimits()


@dataclass(frozen=True)
class IssuedTokens:
    """A new pair of tokens; both are shown once and never again.

    Attributes:
        family: the line of refresh tokens they belong to, which ends as one.
        refresh_token: empty where a registered client gets none.
        scopes: None is all that its owner may do.
    """

    family: UUID
    access_token: str
    access_expires_at: datetime
    refresh_token: str
    refresh_expires_at: datetime
    scopes: tuple[str, ...] | None = None


@dataclass(frozen=True)
class TokenView:
    """A client that is signed in by tokens."""

    id: UUID
    owner_id: UUID
    name: str
    scopes: tuple[str, ...] | None
    address: str | None
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    is_current: bool


@dataclass(frozen=True)
class RoleView:
    """A role of the organization."""

    id: UUID
    key: str
    name: str
    permissions: tuple[str, ...]
    is_builtin: bool
    members: int
    conditions: Conditions = NO_CONDITIONS


@dataclass(frozen=True, kw_only=True)
class MemberView(PersonView):
    """A member as its managers see it."""

    email: str | None
    about: str
    joined_at: datetime
    expires_at: datetime | None = None


@dataclass(frozen=True)
class InvitationView:
    """An invitation in a list; its link is shown once, when it is made."""

    id: UUID
    email: str
    role: str
    organization_name: str
    expires_at: datetime
    created_at: datetime


@dataclass(frozen=True)
class IssuedLink:
    """A new one-time link; `url` is shown once and never again."""

    id: UUID
    url: str
    expires_at: datetime


@dataclass(frozen=True)
class SessionView:
    """A signed-in browser of a user."""

    id: str
    address: str
    user_agent: str
    created_at: datetime
    last_seen_at: datetime
    is_current: bool


@dataclass(frozen=True)
class AccountView:
    """What a user sees of its own account."""

    id: UUID
    email: str | None
    language: str
    theme: str


@dataclass(frozen=True)
class SignedIn:
    """What a session says of who uses it.

    Attributes:
        factor_id: the second factor it was proved with; None without one.
        view_as: the view as somebody else that was begun in it; empty for none. It may be over.
    """

    user_id: UUID
    factor_id: int | None
    view_as: str = ""


@dataclass(frozen=True)
class FactorView:
    """A second factor of a person.

    Attributes:
        kind: `totp`, `webauthn` or `recovery_codes`.
        left: unused recovery codes; 0 for others.
    """

    id: int
    kind: str
    name: str
    created_at: datetime
    last_used_at: datetime | None
    left: int


@dataclass(frozen=True)
class FactorPolicyView:
    """Who needs a second factor in an organization.

    Attributes:
        policy: `nobody`, `administrators` or `everybody`.
        since: the days of grace count from here, or from joining.
    """

    policy: str
    since: datetime
    grace_days: int


@dataclass(frozen=True)
class LackingMember:
    """A member who would need a second factor and has none."""

    id: UUID
    name: str
    email: str | None
    role: str
    due_at: datetime


@dataclass(frozen=True)
class EmergencyView:
    """An emergency account of an organization."""

    id: UUID
    reason: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    used_from: str | None
    closed_at: datetime | None


@dataclass(frozen=True)
class ClientView:
    """A registered client, without its secrets.

    Attributes:
        service_id: the service account it acts as without a person.
        previous_until: until when the secret before the last works, too.
    """

    id: UUID
    name: str
    is_confidential: bool
    redirect_uris: tuple[str, ...]
    grants: tuple[str, ...]
    scopes: tuple[str, ...]
    id_token_algorithm: str
    service_id: UUID | None
    secret_prefix: str
    previous_until: datetime | None
    disabled_at: datetime | None
    last_used_at: datetime | None
    created_at: datetime


@dataclass(frozen=True)
class IssuedClient:
    """A new client, or one with a new secret; the secret is shown once and never again, and empty for a public one."""

    id: UUID
    name: str
    secret: str


@dataclass(frozen=True)
class KnownClient:
    """A client that asks, found by its id before its organization was known."""

    id: UUID
    organization_id: UUID
    organization_name: str
    name: str
    is_confidential: bool
    redirect_uris: tuple[str, ...]
    grants: tuple[str, ...]
    scopes: tuple[str, ...]
    id_token_algorithm: str
    service_id: UUID | None


@dataclass(frozen=True)
class ConsentView:
    """What a person allowed a client."""

    id: UUID
    client_id: UUID
    client_name: str
    scopes: tuple[str, ...]
    given_at: datetime


@dataclass(frozen=True)
class Proof:
    """How a person showed who it is, as an ID token tells it.

    Attributes:
        signed_in_at: seconds since 1970.
        methods: of RFC 8176.
    """

    signed_in_at: int
    methods: tuple[str, ...]


@dataclass(frozen=True)
class AuthorizationRequest:
    """A checked request for a person's consent.

    Attributes:
        max_age: seconds since the last sign-in at most; None is any.
    """

    client: KnownClient
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str
    challenge: str
    nonce: str
    prompt: frozenset[str]
    max_age: int | None


@dataclass(frozen=True)
class StartedDevice:
    """Codes for a device that waits; both are shown once."""

    device_code: str
    user_code: str
    expires_in: int
    interval_seconds: int


@dataclass(frozen=True)
class WaitingDevice:
    """A device that waits for a person, as the page shows it."""

    id: UUID
    client: KnownClient
    scopes: tuple[str, ...]
    address: str | None
    started_at: datetime
