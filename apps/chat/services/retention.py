"""Messages and files end by their age: rules are set here, and a run ends what is due, never against a hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.accounts.services import access, trail
from apps.accounts.types import Principal
from apps.chat import actions
from apps.chat.errors import ConversationNotFound, RetentionDaysInvalid, RetentionRuleNotFound
from apps.chat.models import Conversation, RetentionRule
from apps.chat.selectors.retention import MANAGE, due_files, due_messages, organizations_with_rules
from apps.chat.services.erasing import end_files, erase_messages
from apps.core import tenancy
from apps.core.retention import Held
from apps.runs.selectors.runs import find_latest
from apps.runs.services.runs import start_run
from apps.runs.types import StepSpec, Subject
from apps.security.services.holds import lock_holds

KIND = "chat.retention"
SUBJECT = "chat.retention"
BATCH = 500
PART = 20_000  # messages of one step; then others get their turn
MOST_DAYS = 36_500


def set_rule(
    *,
    principal: Principal,
    conversation_id: UUID | None,
    days: int | None,
    file_days: int | None = None,
    keeps_marked: bool = False,
) -> UUID:
    """Say after how many days messages and their files end; return the rule's id. Setting it again replaces it.

    Args:
        conversation_id: a channel; None for all conversations without a rule of their own.
        days: 1 to 36,500; None keeps messages for ever, whatever the common rule says.
        file_days: the same for files; None, or a longer time, keeps them as long as their messages.
        keeps_marked: what is pinned, or saved by somebody, stays.

    Raises:
        PermissionMissing, ConversationNotFound (also: no channel), RetentionDaysInvalid.
    """
    access.require(principal, MANAGE)
    if any(age is not None and not 1 <= age <= MOST_DAYS for age in (days, file_days)):
        raise RetentionDaysInvalid
    channels = Conversation.objects.filter(organization_id=principal.organization_id, kind="channel")
    if conversation_id is not None and not channels.filter(pk=conversation_id).exists():
        raise ConversationNotFound
    with transaction.atomic():
        place: dict[str, Any] = {"conversation_id": conversation_id}  # None is a place too
        rule, _ = RetentionRule.objects.update_or_create(
            organization_id=principal.organization_id,
            **place,
            defaults={
                "days": days,
                "file_days": file_days,
                "keeps_marked": keeps_marked,
                "set_by_id": principal.id,
            },
        )
        trail.note(
            principal,
            actions.RETENTION_SET,
            "retention_rule",
            rule.pk,
            conversation=conversation_id,
            days=days,
            file_days=file_days,
        )
    return rule.pk


def remove_rule(*, principal: Principal, rule_id: UUID) -> None:
    """Take a rule away: the common one holds for its channel again, or nothing ends.

    Raises:
        PermissionMissing, RetentionRuleNotFound.
    """
    access.require(principal, MANAGE)
    with transaction.atomic():
        rule = RetentionRule.objects.filter(organization_id=principal.organization_id, pk=rule_id).first()
        if rule is None:
            raise RetentionRuleNotFound
        trail.note(
            principal, actions.RETENTION_REMOVED, "retention_rule", rule_id, conversation=rule.conversation_id
        )
        rule.delete()


def start_due_runs() -> int:
    """Start a run in each organization where messages are due and none is at work; return how many. For the relay."""
    with tenancy.nobody():
        organizations = list(organizations_with_rules())
    return sum(_start(organization_id) for organization_id in organizations)


def _start(organization_id: UUID) -> bool:
    with tenancy.use(organization_id):
        latest = find_latest(organization_id=organization_id, subject_id=organization_id, kind=KIND)
        if latest is not None and latest.finished_at is None:
            return False
        with transaction.atomic():
            kept = lock_holds(organization_id)
            if not due_messages(organization_id=organization_id, kept=kept, limit=1) and not due_files(
                organization_id=organization_id, kept=kept, limit=1
            ):
                return False
        start_run(
            kind=KIND,
            principal=None,
            steps=[StepSpec("chat.end_old_messages")],
            subject=Subject(SUBJECT, organization_id),
        )
    return True


def end_old_messages(
    *, organization_id: UUID, beat: Callable[[int], object], most: int = PART
) -> tuple[int, bool]:
    """Empty messages whose time is over, batch by batch; return how many, and whether some are left.

    Before each batch the holds are read anew, and none can be placed until the batch is committed. A message keeps
    its place in the order; text, older texts, files, mentions and what the log kept of it go, and the index follows
    with the same commit.

    Args:
        beat: called with the count after each batch; raises to leave.
    """

    def take(kept: Held) -> int:
        ids = due_messages(organization_id=organization_id, kept=kept, limit=BATCH)
        erase_messages(organization_id=organization_id, message_ids=ids)
        return len(ids)

    return _batch_by_batch(take, organization_id=organization_id, beat=beat, most=most)


def end_old_files(
    *, organization_id: UUID, beat: Callable[[int], object], most: int = PART
) -> tuple[int, bool]:
    """Take the files of messages away whose time is over; return of how many messages, and whether some are left.

    As `end_old_messages`; the messages stay and say that their files have ended.
    """

    def take(kept: Held) -> int:
        rows = due_files(organization_id=organization_id, kept=kept, limit=BATCH)
        end_files(organization_id=organization_id, rows=rows)
        return len(rows)

    return _batch_by_batch(take, organization_id=organization_id, beat=beat, most=most)


def _batch_by_batch(
    take: Callable[[Held], int], *, organization_id: UUID, beat: Callable[[int], object], most: int
) -> tuple[int, bool]:
    """Take batches, each committed with the holds read anew before it; return how many, and whether some are left."""
    done = 0
    while done < most:
        with transaction.atomic():
            count = take(lock_holds(organization_id))
        done += count
        beat(done)
        if count < BATCH:
            return done, False
    return done, True
