"""People and organizations as others are shown them, and ways in for new ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext, gettext_noop

from apps.accounts.conditions import NO_CONDITIONS, Conditions

AGENT_TITLE = gettext_noop("Assistant")  # what an agent is until somebody says otherwise
PLACEHOLDER_DOMAIN = (
    "@erased.invalid"  # of who stands for erased people; `.invalid` is never delivered (RFC 2606)
)
MOST_IN_GROUP = 500


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
