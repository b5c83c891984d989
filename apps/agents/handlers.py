"""When agents act by themselves: they were mentioned, or a run of theirs is over."""

from __future__ import annotations

import re
from uuid import UUID

from apps.agents.models import Agent
from apps.agents.services import answering, answers
from apps.chat.events import MessageSent
from apps.core.events.subscribers import after_commit
from apps.runs.events import RunFinished
from apps.runs.types import RunState

_MENTION = re.compile(r"@(?:\*\*[^*\n]+\*\*|[\w.\-]+)")


@after_commit(MessageSent, from_start=False)
def answer_when_mentioned(event: MessageSent) -> None:
    """One run for each agent a person mentions. What agents and bots write starts nothing, so no chain can form."""
    message = event.message
    if message["sender"]["kind"] != "person" or not message["mentions"]:
        return
    for agent in Agent.objects.filter(
        organization_id=event.organization_id, principal_id__in=message["mentions"], is_enabled=True
    ):
        question = _MENTION.sub("", message["body"]).strip()
        if question:
            answers.answer_mention(
                agent=agent,
                asker_id=UUID(message["sender"]["id"]),
                conversation_id=event.conversation_id,
                message_id=event.message_id,
                thread_id=UUID(message["thread"]) if message["thread"] else None,
                question=question,
            )


@after_commit(RunFinished)
def settle_answer(event: RunFinished) -> None:
    """A cancelled or failed run leaves no answer that seems to be written still."""
    answering.end_unfinished(run_id=event.run_id, is_cancelled=event.state == RunState.CANCELLED)
