"""Reports of messages, for who decides about them: the only place where somebody reads what they have no seat for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse

from apps.accounts.selectors.people import people
from apps.accounts.selectors.scopes import visible_content
from apps.accounts.services import access
from apps.accounts.types import Principal
from apps.chat.errors import ReportNotFound
from apps.chat.models import Attachment, Report
from apps.chat.types import ReportReason, ReportState
from apps.core import console_shell

MODERATE = "message.moderate"


@dataclass(frozen=True, kw_only=True)
class ReportView:
    """A report.

    Attributes:
        reports: how many people reported the message.
        body: what the message says now, or said before it was hidden; empty once it is deleted, and in lists.
        is_hidden: it was taken away until somebody decides; then `is_deleted` is not set.
        conversation_name: of a channel; direct conversations have none here.
    """

    id: UUID
    message_id: UUID
    conversation_id: UUID
    conversation_name: str
    sender_id: UUID
    sender_name: str
    reporter_name: str
    reason: ReportReason
    note: str
    state: ReportState
    reports: int
    created_at: datetime
    sent_at: datetime
    decided_by_name: str
    decided_at: datetime | None
    is_deleted: bool
    is_hidden: bool
    body: str = ""
    html: str = ""
    files: tuple[str, ...] = ()


def visible_reports(principal: Principal) -> QuerySet[Report]:
    """Reports the principal may decide about; never of its own messages.

    All of the organization for who moderates it; for who moderates single conversations, those of messages in them
    that it sees.
    """
    rows = Report.objects.filter(organization_id=principal.organization_id).exclude(
        message__sender_id=principal.id
    )
    seen = visible_content(principal, scope="message__scope_id", time="message__sent_at")
    if access.can(principal, MODERATE):
        is_narrow = principal.scopes is not None or principal.data_classes is not None
        return rows.filter(seen) if is_narrow else rows
    scopes = [one.scope_id for one in principal.scoped if one.permits(MODERATE)]
    return rows.filter(seen, message__scope_id__in=scopes)


def list_reports(
    principal: Principal, *, state: str = "", offset: int = 0, limit: int = 50
) -> list[ReportView]:
    """Return reports without what the messages say: open ones oldest first, decided ones newest first. Two queries.

    Args:
        state: `open`, or one of the decisions; empty is all that were decided.
    """
    rows = visible_reports(principal)
    if state == ReportState.OPEN:
        rows = rows.filter(state=state).order_by("pk")
    else:
        rows = (rows.filter(state=state) if state else rows.exclude(state=ReportState.OPEN)).order_by("-pk")
    return _views(rows[offset : offset + limit], with_text=False)


def views_of(principal: Principal, report_ids: list[UUID]) -> list[ReportView]:
    """Return reports without what the messages say, newest first. Two queries."""
    return _views(visible_reports(principal).filter(pk__in=report_ids).order_by("-pk"), with_text=False)


def decides_in_chat(principal: Principal) -> bool:
    """Return whether the principal moderates some place without having the console's page of reports. No query."""
    is_there = console_shell.may_open(principal, MODERATE)
    return not is_there and access.may_somewhere(principal, MODERATE)


def report_address(principal: Principal, report_id: UUID) -> str:
    """Return where the principal looks at a report: in the console, or in the chat."""
    if console_shell.may_open(principal, MODERATE):
        return console_shell.address(principal, "report", report_id=report_id)
    return reverse("chat:reported", kwargs={"slug": principal.organization_slug, "report_id": report_id})


def count_open(principal: Principal) -> int:
    """Return how many messages wait for a decision. One query."""
    return visible_reports(principal).filter(state=ReportState.OPEN).values("message_id").distinct().count()


def get_report(principal: Principal, report_id: UUID) -> ReportView:
    """Return a report with what the message says; the caller notes in the trail that it was read. Three queries.

    Raises:
        ReportNotFound: missing, or not for this principal to decide.
    """
    found = _views(visible_reports(principal).filter(pk=report_id), with_text=True)
    if not found:
        raise ReportNotFound
    return found[0]


def _views(rows: QuerySet[Report], *, with_text: bool) -> list[ReportView]:
    same = Report.objects.filter(message_id=OuterRef("message_id")).order_by().values("message_id")
    counted = rows.annotate(reports=Coalesce(Subquery(same.annotate(n=Count("pk")).values("n")), 1))
    found = list(counted.select_related("message__conversation"))
    wanted = {pk for row in found for pk in (row.reporter_id, row.decided_by_id, row.message.sender_id) if pk}
    names = {pk: person.name for pk, person in people(wanted).items()}
    files = _files([row.message_id for row in found]) if with_text else {}
    return [
        ReportView(
            id=row.pk,
            message_id=row.message_id,
            conversation_id=row.message.conversation_id,
            conversation_name=row.message.conversation.name,
            sender_id=row.message.sender_id,
            sender_name=names.get(row.message.sender_id, "?"),
            reporter_name=names.get(row.reporter_id, "") if row.reporter_id else "",
            reason=ReportReason(row.reason),
            note=row.note,
            state=ReportState(row.state),
            reports=row.reports,
            created_at=row.created_at,
            sent_at=row.message.sent_at,
            decided_by_name=names.get(row.decided_by_id, "") if row.decided_by_id else "",
            decided_at=row.decided_at,
            is_deleted=row.message.deleted_at is not None and row.message.hidden_at is None,
            is_hidden=row.message.hidden_at is not None,
            body=row.message.body if with_text else "",
            html=row.message.html if with_text else "",
            files=files.get(row.message_id, ()),
        )
        for row in found
    ]


def _files(message_ids: list[UUID]) -> dict[UUID, tuple[str, ...]]:
    found: dict[UUID, tuple[str, ...]] = {}
    rows = Attachment.objects.filter(message_id__in=message_ids).order_by("position")
    for message_id, name in rows.values_list("message_id", "file__name"):
        found[message_id] = (*found.get(message_id, ()), name)
    return found
