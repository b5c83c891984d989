"""Erase what a person asked, and what answers to others took from its messages and documents."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils import translation
from django.utils.translation import gettext

from apps.accounts.selectors.members import get_organization
from apps.agents.models import Answer
from apps.agents.selectors.personal import answers_of, quoting
from apps.agents.services import wording
from apps.agents.services.answers import card_of
from apps.agents.types import AnswerState
from apps.chat.errors import MessageDeleted, MessageNotFound
from apps.chat.services import erasing as chat_erasing
from apps.chat.services import forgetting, messages
from apps.core.data_subjects import Batch, Person
from apps.runs.errors import RunNotFound
from apps.runs.services.erasing import forget_frames
from apps.runs.services.runs import cancel_as_house

BATCH = 100


def erase_answers_of(person: Person, _cursor: Any) -> Batch:
    """Delete the next questions of the person with their answers, also where they stand in a conversation."""
    rows = list(answers_of(person).order_by("pk").select_for_update(of=("self",))[:BATCH])
    for row in rows:
        if row.state == AnswerState.WRITING and row.run_id is not None:
            _stop(row.run_id)
    runs = [row.run_id for row in rows if row.run_id]
    forget_frames(organization_id=person.organization_id, run_ids=runs)
    chat_erasing.erase_messages(
        organization_id=person.organization_id, message_ids=[row.message_id for row in rows if row.message_id]
    )
    Answer.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return Batch(len(rows), "more" if rows else None)


def erase_quotes_of(person: Person, cursor: Any) -> Batch:
    """Empty the answers to others that read something of the person, and say so in their place."""
    after = cursor or UUID(int=0)
    rows = list(
        Answer.objects.filter(organization_id=person.organization_id, pk__gt=after)
        .select_related("agent")
        .order_by("pk")
        .select_for_update(no_key=True, of=("self",))[:BATCH]
    )
    found = quoting(person, rows)
    for row in rows:
        if row.pk in found:
            _empty(row)
    return Batch(len(found), rows[-1].pk if len(rows) == BATCH else None)


def _empty(row: Answer) -> None:
    with translation.override(get_organization(row.organization_id).language):
        row.body = gettext("This answer was removed: it used texts of a person whose data was erased.")
    row.html = wording.render(row.body, row.pk)
    row.sources, row.claims, row.read, row.left_out = [], [], [], False
    row.save(update_fields=["body", "html", "sources", "claims", "read", "left_out"])
    if row.run_id is not None:
        forget_frames(organization_id=row.organization_id, run_ids=[row.run_id])
    if row.message_id is None:
        return
    forgetting.forget_log_of(organization_id=row.organization_id, message_id=row.message_id)
    try:
        messages.change_card(
            organization_id=row.organization_id, message_id=row.message_id, card=card_of(row), body=row.body
        )
    except (MessageDeleted, MessageNotFound):
        row.message_id = None  # somebody took it away before
        row.save(update_fields=["message_id"])


def _stop(run_id: UUID) -> None:
    try:
        cancel_as_house(run_id=run_id)
    except RunNotFound:
        return  # nothing works on it any more
