"""When agents act by themselves: they were mentioned, or a run of theirs is over."""

from __future__ import annotations

import re
from uuid import UUID

from apps.accounts.errors import MemberNotFound
from apps.accounts.events import AccessChanged, MemberChanged
from apps.accounts.selectors.principals import principal_of_member
from apps.accounts.services import access
from apps.agents.models import Agent
from apps.agents.selectors.answers import may_read_stream
from apps.agents.services import answering, answers, assistants
from apps.agents.types import KIND
from apps.chat.events import MessageSent
from apps.chat.selectors.indexing import members_of_direct
from apps.core import tenancy
from apps.core.events.subscribers import after_commit, in_transaction
from apps.runs.events import RunFinished
from apps.runs.selectors.frames import register_guard
from apps.runs.services.runs import stop_runs_of
from apps.runs.types import RunState

register_guard(KIND, may_read_stream)


@after_commit(MessageSent, from_start=False)
def answer_when_asked(event: MessageSent) -> None:
    """One run for each agent a person mentions, or talks to in a conversation of two.

    What agents and bots write starts nothing, so no chain can form.
    """
    message = event.message
    if message["sender"]["kind"] != "person":
        return
    mentioned = {UUID(principal) for principal in message["mentions"]}
    alone = members_of_direct(event.conversation_id)
    if not mentioned and not alone:
        return
    for agent in Agent.objects.filter(organization_id=event.organization_id, is_enabled=True):
        # The conversation is that of the sender and this agent, and nobody else.
        if agent.principal_id not in mentioned and alone != {
            agent.principal_id,
            UUID(message["sender"]["id"]),
        }:
            continue
        question = _without_name(message["body"], agent.name)
        if question:
            answers.answer_mention(
                agent=agent,
                asker_id=UUID(message["sender"]["id"]),
                conversation_id=event.conversation_id,
                message_id=event.message_id,
                thread_id=UUID(message["thread"]) if message["thread"] else None,
                question=question,
            )


def _without_name(body: str, name: str) -> str:
    """Return the question without the mention of the agent; who else is mentioned belongs to the question."""
    spelled = re.escape(name)
    pattern = rf"@(?:\*\*{spelled}(?:\|[0-9a-f-]+)?\*\*|{spelled}\b)[,:]?"
    return re.sub(pattern, "", body, flags=re.IGNORECASE).strip()


@in_transaction(AccessChanged)
def stop_answers_of_who_may_not_ask(event: AccessChanged) -> None:
    """An answer stops when the role of its asker does not allow to ask any more."""
    with tenancy.use(event.organization_id):
        try:
            asker = principal_of_member(organization_id=event.organization_id, user_id=event.principal_id)
        except MemberNotFound:
            return  # the end of a membership stops everything by itself
        if not access.can(asker, "agent.ask"):
            stop_runs_of(principal_id=event.principal_id, kind=KIND)


@after_commit(RunFinished)
def settle_answer(event: RunFinished) -> None:
    """A cancelled or failed run leaves no answer that seems to be written still."""
    answering.end_unfinished(run_id=event.run_id, is_cancelled=event.state == RunState.CANCELLED)


@after_commit(MemberChanged)
def give_an_assistant(event: MemberChanged) -> None:
    """Every organization has the assistant, from its first member on."""
    assistants.ensure_assistant(organization_id=event.organization_id)
