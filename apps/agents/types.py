"""What others see of answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

CARD = "agents.answer"
KIND = "agents.answer"
QUESTION_LIMIT = 2000


class AnswerState(models.TextChoices):
    """Where an answer is. `stopped`: the asker ended it; `broken`: the model broke off; what was written stays."""

    WRITING = "writing", _("writing")
    DONE = "done", _("done")
    STOPPED = "stopped", _("stopped")
    BROKEN = "broken", _("broken off")
    FAILED = "failed", _("failed")


class Outcome(models.TextChoices):
    """What kind of answer it is."""

    NONE = "", _("none yet")
    MODEL = "model", _("written by the model")
    EXCERPT = "excerpt", _("excerpts of the sources")
    NOTHING = "nothing", _("not found in the documents")


@dataclass(frozen=True, kw_only=True)
class Mention:
    """A message that asks an agent in its conversation.

    Attributes:
        question: what it says without the agent's name; of the thread's first message where it says nothing else.
    """

    asker_id: UUID
    conversation_id: UUID
    message_id: UUID
    thread_id: UUID | None
    question: str


@dataclass(frozen=True)
class SourceRef:
    """A numbered source of an answer.

    Attributes:
        number: what the answer's text refers to, from 1.
        citation: `rag.types.Citation.as_json()`; rights are checked when it is opened.
        used: the answer refers to it; otherwise it is only related.
    """

    number: int
    title: str
    place: str
    citation: dict[str, Any]
    used: bool = True


@dataclass(frozen=True, kw_only=True)
class AnswerView:
    """An answer as its asker, or a reader of its conversation, sees it.

    Attributes:
        body: plain text with [n] after the sentences; html the same, rendered.
        words_only: the search went without meaning.
        left_out: better sources exist that not everybody in the conversation may see; told to the asker only.
        completed_by: the asker's private answer from those sources; None for everyone else.
        claims: each sentence of the text: `start` and `end` in it, `numbers` of the sources it names, `support`
            (supported, partly, unsupported), `doubts`, and `evidence`: the sentence of each source that comes nearest.
        is_withheld: the reader lost a source of it, so the text is kept back.
    """

    id: UUID
    run_id: UUID | None
    agent: UUID
    agent_name: str
    asker: UUID
    question: str
    body: str
    html: str
    state: AnswerState
    outcome: Outcome
    sources: tuple[SourceRef, ...]
    words_only: bool
    left_out: bool
    conversation: UUID | None
    message: UUID | None
    regenerated_from: UUID | None
    created_at: datetime
    finished_at: datetime | None
    claims: tuple[dict[str, Any], ...] = ()
    completed_by: UUID | None = None
    is_withheld: bool = False

    @property
    def is_finished(self) -> bool:
        """Nothing more will come by itself."""
        return self.state != AnswerState.WRITING


@dataclass(frozen=True)
class AgentView:
    """An agent others may ask."""

    id: UUID
    principal: UUID
    key: str
    name: str
    description: str
    is_enabled: bool
