"""Answers as those who may see them see them: the asker, and readers of the conversation they were given in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from apps.accounts.selectors.scopes import owned, visible_scopes
from apps.accounts.types import Principal
from apps.agents.errors import AgentNotFound, AnswerNotFound
from apps.agents.models import Agent, Answer
from apps.agents.types import AgentView, AnswerState, AnswerView, Outcome, SourceRef
from apps.chat.selectors import indexing
from apps.chat.selectors.messages import visible_messages
from apps.documents.selectors.documents import find_scopes
from apps.rag.types import SourceType


def visible_answers(principal: Principal) -> QuerySet[Answer]:
    """Own answers, and those whose message in a conversation the principal may read."""
    carried = visible_messages(principal).filter(pk=OuterRef("message_id"), deleted_at=None)
    return Answer.objects.filter(
        owned(principal, "asker_id") | Q(Exists(carried)), organization_id=principal.organization_id
    ).select_related("agent")


def get_answer(principal: Principal, answer_id: UUID) -> AnswerView:
    """Return one visible answer as this reader may see it. Five queries at most.

    Raises:
        AnswerNotFound.
    """
    row = visible_answers(principal).filter(pk=answer_id).first()
    if row is None:
        raise AnswerNotFound
    (view,) = shown(principal, [row])
    return view


def may_read_stream(principal: Principal, answer_id: UUID) -> bool:
    """Return whether what was said while an answer was written may be read now: as the answer itself."""
    try:
        return not get_answer(principal, answer_id).is_withheld
    except AnswerNotFound:
        return False


def own_answers(principal: Principal) -> QuerySet[Answer]:
    """Return the principal's private answers; shown through `shown`."""
    return Answer.objects.filter(
        owned(principal, "asker_id"), organization_id=principal.organization_id, conversation_id=None
    ).select_related("agent")


def list_own(principal: Principal, *, limit: int = 30, before: UUID | None = None) -> list[AnswerView]:
    """Return the principal's private answers, newest first. Four queries at most.

    Args:
        before: only older ones than this.
    """
    rows = own_answers(principal).order_by("-pk")
    return shown(principal, list((rows.filter(pk__lt=before) if before else rows)[:limit]))


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


def shown(principal: Principal, rows: list[Answer]) -> list[AnswerView]:
    """Return visible answers as this reader may see them now.

    What hangs on the asker's rights (better sources, the private answer) only the asker learns. A private answer is
    kept back once its asker has lost a source of it; one in a conversation is a message like any other.
    """
    lost = _lost(principal, [row for row in rows if row.conversation_id is None])
    shared = [row.pk for row in rows if row.left_out and row.asker_id == principal.id]
    more = dict(Answer.objects.filter(completes__in=shared).values_list("completes", "pk")) if shared else {}
    found = []
    for row in rows:
        view = view_of(row)
        if row.asker_id != principal.id:
            view = replace(view, left_out=False)
        elif row.pk in lost:
            view = replace(
                view, body=_("You no longer have access to every source of this answer."), html="", sources=(),
                claims=(), is_withheld=True,
            )  # fmt: skip
        found.append(replace(view, completed_by=more.get(row.pk)))
    return found


def _lost(principal: Principal, rows: Iterable[Answer]) -> set[UUID]:
    """Return the answers for which something was read that the principal may not see any more.

    A document or a message may have another audience now than when it was read.
    """
    read = {
        row.pk: [
            (UUID(passage["source"]), UUID(passage["scope"]), passage["source_type"]) for passage in row.read
        ]
        for row in rows
    }
    if not any(read.values()):
        return set()
    sources = {(kind, source) for places in read.values() for source, _, kind in places}
    documents = {source for kind, source in sources if kind == SourceType.DOCUMENT}
    messages = {source for kind, source in sources if kind == SourceType.MESSAGE}
    now = find_scopes(organization_id=principal.organization_id, document_ids=documents)
    now |= indexing.find_scopes(organization_id=principal.organization_id, message_ids=messages)
    seen = set(visible_scopes(principal))
    return {
        pk
        for pk, places in read.items()
        if not {now.get(source, scope) for source, scope, _ in places} <= seen
    }


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
        claims=tuple(row.claims),
        words_only=row.words_only,
        left_out=row.left_out,
        conversation=row.conversation_id,
        message=row.message_id,
        regenerated_from=row.regenerated_from,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )
