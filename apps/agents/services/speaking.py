"""What an agent says of a question that it does not answer: in its conversation, or to who asked alone."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from apps.accounts.selectors.principals import principal_of_member
from apps.accounts.types import Principal
from apps.agents.models import Agent
from apps.agents.selectors import unanswered
from apps.agents.types import Mention
from apps.chat.selectors.indexing import members_of_direct
from apps.chat.services import members, messages
from apps.core.text.language import guess
from apps.notify.services import noticing
from apps.notify.types import Kind, Notice, Recipient

NOT_ALLOWED = Kind(
    key="agents.not_allowed",
    label=_("A question that you may not ask"),
    describe=unanswered.describe_not_allowed,
)
SWITCHED_OFF = Kind(
    key="agents.switched_off",
    label=_("A question to an agent that is switched off"),
    describe=unanswered.describe_switched_off,
)
NOTHING_ASKED = _("What would you like to know? Write a question, and I look for the answer.")
_WORDS = {NOT_ALLOWED.key: unanswered.NOT_ALLOWED, SWITCHED_OFF.key: unanswered.SWITCHED_OFF}


def speaker(agent: Agent) -> Principal:
    """Return the agent as a member."""
    return principal_of_member(organization_id=agent.organization_id, user_id=agent.principal_id)


def thread_of(conversation_id: UUID, message_id: UUID | None) -> UUID | None:
    """Return the question's thread; where only the two talk, the answer stands below the question."""
    return None if members_of_direct(conversation_id) else message_id


def say(agent: Agent, asker: Principal, mention: Mention, words: Callable[[], str], *, key: str) -> None:
    """Say something below a question, once, in its language; who mentioned the agent brought it in.

    Args:
        words: what is said, asked for in that language.
        key: of what is said, for the retry key.
    """
    with transaction.atomic(), translation.override(guess(mention.question) or asker.language or None):
        members.bring_in(
            conversation_id=mention.conversation_id, person_id=agent.principal_id, actor_id=asker.id
        )
        messages.send_message(
            principal=speaker(agent),
            conversation_id=mention.conversation_id,
            body=words(),
            client_key=f"{key}-{mention.message_id}",
            thread=mention.thread_id or thread_of(mention.conversation_id, mention.message_id),
        )


def refuse(agent: Agent, asker: Principal, mention: Mention, kind: Kind) -> None:
    """Tell who asked, and nobody else, why no answer comes; once for each message.

    Where the two are alone the agent says it itself.
    """
    if members_of_direct(mention.conversation_id) == {agent.principal_id, asker.id}:
        say(agent, asker, mention, lambda: str(_WORDS[kind.key]), key="unanswered")
        return
    notice = Notice(
        organization_id=agent.organization_id,
        kind=kind.key,
        subject=f"unanswered:{mention.message_id}",
        actor_id=agent.principal_id,
        conversation_id=mention.conversation_id,
        message_id=mention.message_id,
    )
    noticing.notify(notice, [Recipient(principal_id=asker.id, reason="admin")])
