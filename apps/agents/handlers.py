"""When agents act by themselves: they were mentioned, or a run of theirs is over."""

from __future__ import annotations

import re
from uuid import UUID

from django.db.models import QuerySet

from apps.accounts.errors import MemberNotFound
from apps.accounts.events import AccessChanged, MemberChanged
from apps.accounts.selectors.principals import principal_of_member
from apps.accounts.services import access
from apps.agents.models import Agent
from apps.agents.selectors.answers import may_read_stream
from apps.agents.services import answering, answers, assistants, speaking
from apps.agents.types import KIND, Mention
from apps.chat.events import MessageEdited, MessageSent
from apps.chat.selectors.indexing import find_spoken, members_of_direct
from apps.core import tenancy
from apps.core.events.subscribers import after_commit, in_transaction
from apps.notify.selectors.kinds import register_kind
from apps.runs.events import RunFinished
from apps.runs.selectors.frames import register_guard
from apps.runs.services.runs import stop_runs_of
from apps.runs.types import RunState

register_guard(KIND, may_read_stream)
register_kind(speaking.NOT_ALLOWED)
register_kind(speaking.SWITCHED_OFF)


@after_commit(MessageSent, from_start=False)
def answer_when_asked(event: MessageSent) -> None:
    """One run for each agent a person mentions, or talks to in a conversation of two.

    What agents and bots write starts nothing, so no chain can form.
    """
    message = event.message
    if message["sender"]["kind"] != "person":
        return
    mentioned = {UUID(principal) for principal in message["mentions"]}
    sender = UUID(message["sender"]["id"])
    alone = members_of_direct(event.conversation_id)
    for agent in _agents(event.organization_id) if mentioned or alone else ():
        # The conversation is that of the sender and this agent, and nobody else.
        if agent.principal_id in mentioned or alone == {agent.principal_id, sender}:
            _answer(
                agent,
                asker_id=sender,
                conversation_id=event.conversation_id,
                message_id=event.message_id,
                thread_id=UUID(message["thread"]) if message["thread"] else None,
                body=message["body"],
            )


@after_commit(MessageEdited, from_start=False)
def answer_when_asked_by_an_edit(event: MessageEdited) -> None:
    """Who mentions an agent only when the message is there already is answered, too; a message is answered once."""
    if not event.mentions:
        return
    agents = _agents(event.organization_id).filter(principal_id__in=event.mentions)
    message = (
        find_spoken(organization_id=event.organization_id, message_id=event.message_id) if agents else None
    )
    if message is None or message.sender_kind != "person":
        return
    for agent in agents:
        _answer(
            agent,
            asker_id=message.sender_id,
            conversation_id=message.conversation_id,
            message_id=message.id,
            thread_id=message.thread_id,
            body=message.body,
        )


def _agents(organization_id: UUID) -> QuerySet[Agent]:
    """Return all agents: one that is switched off says so."""
    return Agent.objects.filter(organization_id=organization_id)


def _answer(
    agent: Agent,
    *,
    asker_id: UUID,
    conversation_id: UUID,
    message_id: UUID,
    thread_id: UUID | None,
    body: str,
) -> None:
    answers.answer_mention(
        agent=agent,
        mention=Mention(
            asker_id=asker_id,
            conversation_id=conversation_id,
            message_id=message_id,
            thread_id=thread_id,
            question=_without_name(body, agent.name) or _asked_above(agent, thread_id),
        ),
    )


def _asked_above(agent: Agent, thread_id: UUID | None) -> str:
    """Return what a person asked in the first message of a thread: who only names the agent there means that."""
    if thread_id is None:
        return ""
    first = find_spoken(organization_id=agent.organization_id, message_id=thread_id)
    return _without_name(first.body, agent.name) if first and first.sender_kind == "person" else ""


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
