"""Ask, stop, ask again. The run does the work; these start and end it."""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from apps.accounts.selectors.principals import principal_of_member
from apps.accounts.services import access
from apps.accounts.types import Principal
from apps.agents.errors import AgentNotFound, AnswerNotFound, QuestionInvalid, StillWriting
from apps.agents.models import Agent, Answer
from apps.agents.selectors.answers import view_of, visible_answers
from apps.agents.services import speaking
from apps.agents.types import CARD, KIND, QUESTION_LIMIT, AnswerState, AnswerView, Mention
from apps.chat.selectors.conversations import scope_of
from apps.chat.services import members, messages
from apps.chat.services.composing import clean_body
from apps.chat.types import Card
from apps.runs.services import frames
from apps.runs.services.runs import cancel_as_house, start_run
from apps.runs.types import StepSpec, Subject

QUEUE = "default"
WAITING = gettext_noop("Waiting")


def ask(*, principal: Principal, question: str, agent_id: UUID | None = None) -> AnswerView:
    """Ask on the ask page: for the asker alone, from everything the asker may see.

    Raises:
        PermissionMissing, QuestionInvalid, AgentNotFound, UnreadableText.
    """
    access.require(principal, "agent.ask")
    cleaned = clean_question(question)
    agents = Agent.objects.filter(organization_id=principal.organization_id, is_enabled=True)
    agent = (agents.filter(pk=agent_id) if agent_id else agents.order_by("name", "pk")).first()
    if agent is None:
        raise AgentNotFound
    with transaction.atomic():
        row = Answer.objects.create(
            organization_id=principal.organization_id, agent=agent, asker_id=principal.id, question=cleaned
        )
        return _start(principal, row)


def answer_mention(*, agent: Agent, mention: Mention) -> None:
    """Answer a message that mentions an agent, in its conversation; hearing of it twice starts one run.

    The agent joins the conversation if it is not in it: who mentions it there brings it in. It says there when nothing
    is asked, or a question is too long to be answered. Who may not ask, or asks one that is switched off, alone hears
    so.
    """
    principal = principal_of_member(organization_id=agent.organization_id, user_id=mention.asker_id)
    if not agent.is_enabled:
        speaking.refuse(agent, principal, mention, speaking.SWITCHED_OFF)
        return
    if not access.can(principal, "agent.ask"):
        speaking.refuse(agent, principal, mention, speaking.NOT_ALLOWED)
        return
    if not mention.question:
        speaking.say(agent, principal, mention, lambda: str(speaking.NOTHING_ASKED), key="nothing-asked")
        return
    if len(mention.question) > QUESTION_LIMIT:
        too_long = QuestionInvalid(limit=QUESTION_LIMIT)
        speaking.say(agent, principal, mention, lambda: too_long.detail, key="too-long")
        return
    try:
        with transaction.atomic():
            row = Answer.objects.create(
                organization_id=agent.organization_id,
                agent=agent,
                asker_id=mention.asker_id,
                conversation_id=mention.conversation_id,
                question_message_id=mention.message_id,
                thread_id=mention.thread_id,
                question=mention.question,
            )
            members.bring_in(
                conversation_id=mention.conversation_id,
                person_id=agent.principal_id,
                actor_id=mention.asker_id,
            )
            _start(principal, row)
            _announce(agent, row)
    except IntegrityError as error:
        if "agents_answer_once" not in str(error):
            raise


def stop(*, principal: Principal, answer_id: UUID) -> AnswerView:
    """End an own answer; what was written stays. A finished one is returned as it is.

    Raises:
        AnswerNotFound: missing, or somebody else's.
    """
    row = _own(principal, answer_id)
    if row.state == AnswerState.WRITING and row.run_id:
        cancel_as_house(run_id=row.run_id)
    return view_of(_own(principal, answer_id))


def regenerate(*, principal: Principal, answer_id: UUID) -> AnswerView:
    """Answer the same question again; the old answer is kept.

    Raises:
        AnswerNotFound, StillWriting, PermissionMissing.
        AgentNotFound: it is switched off meanwhile.
    """
    access.require(principal, "agent.ask")
    old = _own(principal, answer_id)
    if old.state == AnswerState.WRITING:
        raise StillWriting
    if not old.agent.is_enabled:
        raise AgentNotFound
    with transaction.atomic():
        row = Answer.objects.create(
            organization_id=old.organization_id,
            agent=old.agent,
            asker_id=old.asker_id,
            conversation_id=old.conversation_id,
            question_message_id=old.question_message_id,
            thread_id=old.thread_id,
            question=old.question,
            regenerated_from=old.pk,
        )
        view = _start(principal, row)
        _announce(old.agent, row)
        return view


def complete_privately(*, principal: Principal, answer_id: UUID) -> AnswerView | None:
    """Answer a shared question once more for its asker alone, from everything the asker may see.

    Twice is harmless. None where there is nothing to complete.
    """
    shared = Answer.objects.select_related("agent").get(pk=answer_id)
    if not shared.left_out or shared.conversation_id is None:
        return None
    with transaction.atomic():
        row, is_new = Answer.objects.get_or_create(
            completes=shared.pk,
            defaults={
                "organization_id": shared.organization_id,
                "agent": shared.agent,
                "asker_id": shared.asker_id,
                "question": shared.question,
            },
        )
        return _start(principal, row) if is_new else view_of(row)


def clean_question(question: str) -> str:
    """Return the question.

    Raises:
        QuestionInvalid, UnreadableText.
    """
    cleaned = clean_body(question, may_be_empty=True).strip()
    if not 1 <= len(cleaned) <= QUESTION_LIMIT:
        raise QuestionInvalid(limit=QUESTION_LIMIT)
    return cleaned


def card_of(row: Answer) -> Card:
    """Return the card of an answer in a conversation."""
    data = {
        "answer": str(row.pk),
        "run": str(row.run_id),
        "asker": str(row.asker_id),
        "state": row.state,
        "outcome": row.outcome,
        "words_only": row.words_only,
        "claims": [
            {name: claim[name] for name in ("start", "end", "answer", "support", "doubts")}
            for claim in row.claims
        ],
        "sources": [
            {name: source[name] for name in ("number", "title", "place", "used")} for source in row.sources
        ],
    }
    return Card(CARD, str(row.pk), data)


def _own(principal: Principal, answer_id: UUID) -> Answer:
    row = visible_answers(principal).filter(pk=answer_id, asker_id=principal.id).first()
    if row is None:
        raise AnswerNotFound
    return row


def _start(principal: Principal, row: Answer) -> AnswerView:
    run = start_run(
        kind=KIND,
        principal=principal,
        steps=[StepSpec("agents.answer_question", {"answer_id": str(row.pk)})],
        queue=QUEUE,
        subject=Subject("agents.answer", row.pk),
        conversation_id=row.conversation_id,
        scope_id=_scope(principal, row),
        retry_key=str(row.pk),
        priority=10,
    )
    row.run_id = run.id
    row.save(update_fields=["run_id"])
    # Whoever follows hears something at once, before a worker has looked.
    frames.append(organization_id=row.organization_id, run_id=run.id, type="status", data={"stage": WAITING})
    return view_of(row)


def _scope(principal: Principal, row: Answer) -> UUID | None:
    """Readers of the conversation may follow the run; on the ask page only the asker."""
    if row.conversation_id is None:
        return None
    return scope_of(principal, row.conversation_id)


def _announce(agent: Agent, row: Answer) -> None:
    """Put a message with the card where the answer will stand."""
    conversation_id = row.conversation_id
    if conversation_id is None:
        return
    sent = messages.send_message(
        principal=speaking.speaker(agent),
        conversation_id=conversation_id,
        body="",
        client_key=f"answer-{row.pk}",
        thread=row.thread_id or speaking.thread_of(conversation_id, row.question_message_id),
        card=card_of(row),
    )
    row.message_id = sent.id
    row.save(update_fields=["message_id"])
