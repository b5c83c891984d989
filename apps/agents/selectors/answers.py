"""Answers as those who may see them see them: the asker, and readers of the conversation they were given in."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet

from apps.accounts.types import Principal
from apps.agents.errors import AgentNotFound, AnswerNotFound
from apps.agents.models import Agent, Answer
from apps.agents.types import AgentView, AnswerState, AnswerView, Outcome, SourceRef
from apps.chat.selectors.conversations import visible_conversations


def visible_answers(principal: Principal) -> QuerySet[Answer]:
    """Own answers, and those in conversations the principal sees."""
    seen = visible_conversations(principal).values("pk")
    return Answer.objects.filter(
        Q(asker_id=principal.id) | Q(conversation_id__in=seen), organization_id=principal.organization_id
    ).select_related("agent")


def get_answer(principal: Principal, answer_id: UUID) -> AnswerView:
    """Return one visible answer. One query.

    Raises:
        AnswerNotFound.
    """
    row = visible_answers(principal).filter(pk=answer_id).first()
    if row is None:
        raise AnswerNotFound
    return view_of(row)


def list_own(principal: Principal, *, limit: int = 30) -> list[AnswerView]:
    """Return what the principal asked on the ask page, newest first. One query."""
    rows = Answer.objects.filter(
        organization_id=principal.organization_id, asker_id=principal.id, conversation_id=None
    ).select_related("agent")
    return [view_of(row) for row in rows.order_by("-pk")[:limit]]


def find_source(principal: Principal, answer_id: UUID, number: int) -> SourceRef:
    """Return a numbered source of a visible answer.

    Raises:
        AnswerNotFound: the answer or the number.
    """
    for source in get_answer(principal, answer_id).sources:
        if source.number == number:
            return source
    raise AnswerNotFound


def list_agents(principal: Principal) -> list[AgentView]:
    """Return the enabled agents of the organization, by name. One query."""
    rows = Agent.objects.filter(organization_id=principal.organization_id, is_enabled=True).order_by(
        "name", "pk"
    )
    return [agent_view(row) for row in rows]


def default_agent(principal: Principal) -> AgentView:
    """Return the organization's assistant.

    Raises:
        AgentNotFound: there is none, or it is switched off.
    """
    for agent in list_agents(principal):
        return agent
    raise AgentNotFound


def agent_view(row: Agent) -> AgentView:
    """Return an agent as others see it."""
    return AgentView(row.pk, row.principal_id, row.key, row.name, row.description, row.is_enabled)


def view_of(row: Answer) -> AnswerView:
    """Return an answer as a view; the caller has checked the rights."""
    return AnswerView(
        id=row.pk,
        run_id=row.run_id,
        agent=row.agent_id,
        agent_name=row.agent.name,
        asker=row.asker_id,
        question=row.question,
        body=row.body,
        html=row.html,
        state=AnswerState(row.state),
        outcome=Outcome(row.outcome),
        sources=tuple(SourceRef(**source) for source in row.sources),
        words_only=row.words_only,
        left_out=row.left_out,
        conversation=row.conversation_id,
        message=row.message_id,
        regenerated_from=row.regenerated_from,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )
