"""Who stands on the stage of a declared act, and what its one entry must say. Scenarios are in `acts_*`: each does the
act once, through the door or the service that people use.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.test import Client

from apps.accounts.models import Member, Organization, User
from apps.accounts.types import Principal
from apps.agents.handlers import answer_when_asked  # noqa: F401 - its steps are loaded with it
from apps.chat.services import conversations, messages
from apps.core import tenancy
from apps.core.models import AuditEntry
from apps.core.services import audit
from tests.accounts.sessions import open_session
from tests.factories.accounts import MemberFactory, PersonFactory, principal_of
from tests.runs import steps as _steps  # noqa: F401 - declares the steps the scenarios run
from tests.walls import everywhere


@dataclass
class Stage:
    """An organization with an owner and a member; `operator` runs the server and belongs nowhere."""

    organization: Organization
    owner: Member
    ben: Member
    operator: User
    monkeypatch: Any

    @property
    def acting(self) -> Principal:
        """The owner."""
        return principal_of(self.owner, session="owner")

    @property
    def member(self) -> Principal:
        """The member."""
        return principal_of(self.ben, session="ben")

    def browser(self, user: User) -> Client:
        """Sign a browser in without the sign-in page."""
        client = Client()
        client.cookies[settings.SESSION_COOKIE_NAME] = open_session(user)
        return client

    def channel(self, *people: Member, **options: Any) -> UUID:
        """Create a channel of the owner."""
        return conversations.create_channel(
            principal=self.acting, name="betrieb", people=[one.user_id for one in people], **options
        )

    def say(self, sender: Principal, conversation: UUID, body: str = "hello") -> UUID:
        """Send a message."""
        sent = messages.send_message(
            principal=sender, conversation_id=conversation, body=body, client_key=uuid4().hex
        )
        return sent.id

    def address(self, path: str) -> str:
        """Return a page of the organization."""
        return f"/o/{self.organization.slug}/{path}"


@dataclass(frozen=True)
class Act:
    """What is done, and what one entry must say.

    Attributes:
        before: prepares; what it records does not count.
        actor: attribute of the stage; empty for nobody.
        trail: of the stage's organization (`own`), of the organization that was made (`object`), or `platform`.
    """

    do: Callable[[Stage, Any], object]
    before: Callable[[Stage], Any] = lambda stage: None
    actor: str = "owner"
    on_behalf_of: str = ""
    outcome: str = "done"
    trail: str = "own"


# Tested with their features, where their entries are read: the ways there are long.
ELSEWHERE = {
    "token.reused", "service_account.created", "outbound_host.listed", "outbound_host.removed",
    "key_rotation.started",
}  # fmt: skip


def new_stage(organization: Organization, monkeypatch: Any) -> Stage:
    """Put everybody on the stage."""
    return Stage(
        organization,
        owner=MemberFactory(organization=organization, role="owner"),
        ben=MemberFactory(organization=organization),
        operator=PersonFactory(is_staff=True, is_superuser=True),
        monkeypatch=monkeypatch,
    )


def entries_of(action: str) -> list[AuditEntry]:
    """Return every entry of an act, of all trails."""
    with everywhere():
        return list(AuditEntry.objects.filter(action=action).order_by("id"))


def trail_of(stage: Stage, act: Act, entry: AuditEntry) -> str:
    """Return whose trail the entry belongs to."""
    trails = {"own": stage.organization.pk, "object": entry.object_id, "platform": audit.PLATFORM}
    return str(trails[act.trail])


def opened(stage: Stage) -> Any:
    """Open the stage's organization."""
    return tenancy.use(stage.organization.pk)
