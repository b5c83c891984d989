"""Endpoints of moderation: report a message, look at reports, decide."""

from __future__ import annotations

import dataclasses
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.chat.api.views import NOTHING, ChatView
from apps.chat.selectors import moderation as selectors
from apps.chat.services import moderation
from apps.chat.types import BODY_LIMIT, ReportReason, ReportState
from apps.core.api.idempotency import repeatable
from apps.core.api.paging import Order, PageQuery, paginate, read_page
from apps.core.api.serializers import CleanText, StrictSerializer, validated

NEWEST = Order((("id", UUID),), descending=True)
_TAGS = ["moderation"]
_LISTED = ("body", "html", "files")  # what only the detail shows


class NewReportSerializer(StrictSerializer):
    """What is wrong with a message."""

    reason = serializers.ChoiceField(choices=ReportReason.choices)
    note = CleanText(max_length=moderation.LONGEST_NOTE, allow_blank=True, default="")


class ReportedSerializer(serializers.Serializer[object]):
    """The report that was made."""

    id = serializers.UUIDField()


class ReportQuery(PageQuery):
    """Filters of the list."""

    state = serializers.ChoiceField(choices=ReportState.choices, required=False)


class ReportSerializer(serializers.Serializer[object]):
    """A report, without what the message says."""

    id = serializers.UUIDField()
    message_id = serializers.UUIDField()
    conversation_id = serializers.UUIDField()
    conversation_name = serializers.CharField(allow_blank=True)
    sender_id = serializers.UUIDField()
    sender_name = serializers.CharField()
    reporter_name = serializers.CharField(allow_blank=True)
    reason = serializers.ChoiceField(choices=ReportReason.choices)
    note = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(choices=ReportState.choices)
    reports = serializers.IntegerField(help_text="How many people reported the message.")
    created_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField()
    decided_by_name = serializers.CharField(allow_blank=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    is_deleted = serializers.BooleanField()
    is_hidden = serializers.BooleanField(help_text="Taken away until somebody decides.")


class ReportDetailSerializer(ReportSerializer):
    """A report with what the message says; reading it is noted in the audit trail."""

    body = serializers.CharField(allow_blank=True)
    html = serializers.CharField(allow_blank=True)
    files = serializers.ListField(child=serializers.CharField())


class DecisionSerializer(StrictSerializer):
    """What becomes of the message and its reports."""

    decision = serializers.ChoiceField(
        choices=[(state.value, state.label) for state in ReportState if state != ReportState.OPEN]
    )
    warning = CleanText(
        max_length=BODY_LIMIT, allow_blank=True, default="", help_text="For `warned`: to the author."
    )


def report_json(view: selectors.ReportView, *, with_text: bool) -> dict[str, Any]:
    """Return the documented shape."""
    data = dataclasses.asdict(view)
    return data if with_text else {name: value for name, value in data.items() if name not in _LISTED}


class MessageReport(ChatView):
    """`messages/{id}/report/`."""

    @extend_schema(
        request=NewReportSerializer, responses={201: OpenApiResponse(ReportedSerializer)}, tags=_TAGS
    )
    @repeatable
    def post(self, request: Request, message_id: UUID) -> Response:
        """Tell the moderators of a message; again changes reason and note."""
        asked = validated(NewReportSerializer(data=request.data))
        report_id = moderation.report_message(
            principal=self.principal,
            message_id=message_id,
            reason=ReportReason(asked["reason"]),
            note=asked["note"],
        )
        return Response({"id": report_id}, status=201)


class ReportList(ChatView):
    """`reports/`."""

    @extend_schema(parameters=[ReportQuery], responses=ReportSerializer(many=True), tags=_TAGS)
    def get(self, request: Request) -> Response:
        """List reports the caller may decide about, newest first; nobody else sees any."""
        position, limit, query = read_page(request, NEWEST, ReportQuery)
        page = paginate(
            selectors.visible_reports(self.principal).filter(**query),
            order=NEWEST,
            position=position,
            limit=limit,
        )
        views = selectors.views_of(self.principal, [row.pk for row in page.rows])
        return Response(page.as_dict(request, (report_json(view, with_text=False) for view in views)))


class ReportDetail(ChatView):
    """`reports/{id}/`."""

    @extend_schema(responses=ReportDetailSerializer, tags=_TAGS)
    def get(self, request: Request, report_id: UUID) -> Response:  # noqa: ARG002 - DRF's signature
        """Read a report with what the message says."""
        view = moderation.read_report(principal=self.principal, report_id=report_id)
        return Response(report_json(view, with_text=True))


class HiddenTextSerializer(serializers.Serializer[object]):
    """What a hidden message says."""

    body = serializers.CharField(allow_blank=True)
    html = serializers.CharField(allow_blank=True)


class ReportHiding(ChatView):
    """`reports/{id}/hide/`."""

    @extend_schema(request=None, responses={204: NOTHING}, tags=_TAGS)
    @repeatable
    def post(self, request: Request, report_id: UUID) -> Response:  # noqa: ARG002 - DRF's signature
        """Take the message away until somebody decides; readers see a notice, its author is told."""
        moderation.hide(principal=self.principal, report_id=report_id)
        return Response(status=204)


class OwnHidden(ChatView):
    """`messages/{id}/hidden/`."""

    @extend_schema(responses=HiddenTextSerializer, tags=_TAGS)
    def get(self, request: Request, message_id: UUID) -> Response:  # noqa: ARG002 - DRF's signature
        """Read what your own message says that moderators have hidden."""
        text = moderation.get_own_hidden(principal=self.principal, message_id=message_id)
        return Response(dataclasses.asdict(text))


class ReportDecision(ChatView):
    """`reports/{id}/decision/`."""

    @extend_schema(request=DecisionSerializer, responses={204: NOTHING}, tags=_TAGS)
    @repeatable
    def post(self, request: Request, report_id: UUID) -> Response:
        """Decide for all open reports of the message."""
        asked = validated(DecisionSerializer(data=request.data))
        moderation.decide(
            principal=self.principal,
            report_id=report_id,
            decision=ReportState(asked["decision"]),
            warning=asked["warning"],
        )
        return Response(status=204)
