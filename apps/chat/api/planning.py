"""Endpoints of what one planned: scheduled messages, reminders, drafts."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.chat.api.serializers import MessageSerializer
from apps.chat.api.views import NOTHING, ChatView
from apps.chat.selectors import planning
from apps.chat.services import reminders, scheduling
from apps.chat.types import ATTACHMENT_LIMIT, BODY_LIMIT, TOPIC_LIMIT
from apps.core.api.idempotency import repeatable
from apps.core.api.paging import Order, page_of_list, read_page
from apps.core.api.serializers import CleanText, ExactBoolean, StrictSerializer, validated

BY_SENDING = Order((("send_at", datetime), ("id", UUID)))
BY_TIME = Order((("due_at", datetime), ("id", UUID)))
BY_CHANGE = Order((("updated_at", datetime), ("id", UUID)), descending=True)
REPEATS = ["", "daily", "weekdays", "weekly", "monthly"]


class ScheduledSerializer(serializers.Serializer[object]):
    """A scheduled message; `failure` says in the caller's language why it was not sent."""

    id = serializers.UUIDField()
    conversation = serializers.UUIDField()
    thread = serializers.UUIDField(allow_null=True)
    topic = serializers.CharField()
    body = serializers.CharField()
    priority = serializers.CharField()
    attachments = serializers.ListField(child=serializers.UUIDField())
    send_at = serializers.DateTimeField()
    state = serializers.ChoiceField(choices=["waiting", "sent", "failed"])
    failure_code = serializers.CharField()
    failure = serializers.CharField()
    message = serializers.UUIDField(allow_null=True)


class NewScheduledSerializer(StrictSerializer):
    """A message and its time."""

    conversation = serializers.UUIDField()
    body = CleanText(
        multiline=True, allow_blank=True, max_length=BODY_LIMIT, trim_whitespace=False, default=""
    )
    send_at = serializers.DateTimeField()
    thread = serializers.UUIDField(required=False, allow_null=True, default=None)
    topic = CleanText(
        max_length=TOPIC_LIMIT,
        allow_blank=True,
        default="",
        help_text="Name of a topic of the channel, which takes the message along where it is renamed or merged.",
    )
    attachments = serializers.ListField(
        child=serializers.UUIDField(), max_length=ATTACHMENT_LIMIT, required=False, default=list
    )
    priority = serializers.ChoiceField(choices=["", "important", "urgent"], default="")
    confirm_mass_mention = ExactBoolean(default=False)


class ChangeScheduledSerializer(StrictSerializer):
    """What is left out stays; a failed one waits again."""

    body = CleanText(
        multiline=True, allow_blank=True, max_length=BODY_LIMIT, trim_whitespace=False, required=False
    )
    topic = CleanText(max_length=TOPIC_LIMIT, allow_blank=True, required=False)
    priority = serializers.ChoiceField(choices=["", "important", "urgent"], required=False)
    send_at = serializers.DateTimeField(required=False)
    confirm_mass_mention = ExactBoolean(required=False)


class ReminderSerializer(serializers.Serializer[object]):
    """A reminder; `message` is what it is about as far as the caller still sees it."""

    id = serializers.UUIDField()
    message_id = serializers.UUIDField(allow_null=True)
    message = MessageSerializer(allow_null=True)
    note = serializers.CharField()
    due_at = serializers.DateTimeField()
    repeat = serializers.ChoiceField(choices=REPEATS)
    fired_at = serializers.DateTimeField(allow_null=True)
    is_waiting = serializers.BooleanField()


class NewReminderSerializer(StrictSerializer):
    """When, of what, how often."""

    due_at = serializers.DateTimeField()
    message = serializers.UUIDField(required=False, allow_null=True, default=None)
    note = CleanText(max_length=500, allow_blank=True, default="")
    repeat = serializers.ChoiceField(choices=REPEATS, default="")


class ChangeReminderSerializer(StrictSerializer):
    """What is left out stays; a new time lets it come again."""

    due_at = serializers.DateTimeField(required=False)
    note = CleanText(max_length=500, allow_blank=True, required=False)
    repeat = serializers.ChoiceField(choices=REPEATS, required=False)


class OwnDraftSerializer(serializers.Serializer[object]):
    """Unsent text of the caller."""

    id = serializers.UUIDField()
    conversation = serializers.UUIDField()
    thread = serializers.UUIDField(allow_null=True)
    topic = serializers.CharField()
    body = serializers.CharField()
    updated_at = serializers.DateTimeField()


class ScheduledList(ChatView):
    """The caller's scheduled messages."""

    @extend_schema(responses=ScheduledSerializer(many=True), tags=["messages"])
    def get(self, request: Request) -> Response:
        """List them by time; sent ones stay for a week, failed ones until they are put away."""
        position, limit, _ = read_page(request, BY_SENDING)
        found = planning.scheduled_of(self.principal)
        page = page_of_list(found, order=BY_SENDING, position=position, limit=limit)
        return Response(page.as_dict(request, map(dataclasses.asdict, page.rows)))

    @extend_schema(request=NewScheduledSerializer, responses={201: ScheduledSerializer}, tags=["messages"])
    @repeatable
    def post(self, request: Request) -> Response:
        """Keep a message until its time."""
        data = validated(NewScheduledSerializer(data=request.data))
        pk = scheduling.schedule_message(
            principal=self.principal,
            conversation_id=data.pop("conversation"),
            attachments=tuple(data.pop("attachments")),
            **data,
        )
        return Response(dataclasses.asdict(planning.get_scheduled(self.principal, pk)), status=201)


class ScheduledDetail(ChatView):
    """One scheduled message."""

    @extend_schema(responses=ScheduledSerializer, tags=["messages"])
    def get(self, request: Request, scheduled_id: UUID) -> Response:  # noqa: ARG002 - DRF's signature
        """Return it."""
        return Response(dataclasses.asdict(planning.get_scheduled(self.principal, scheduled_id)))

    @extend_schema(request=ChangeScheduledSerializer, responses=ScheduledSerializer, tags=["messages"])
    def patch(self, request: Request, scheduled_id: UUID) -> Response:
        """Change its text, topic, priority or time."""
        data = validated(ChangeScheduledSerializer(data=request.data))
        scheduling.change_scheduled(principal=self.principal, scheduled_id=scheduled_id, **data)
        return self.get(request, scheduled_id)

    @extend_schema(responses={204: NOTHING}, tags=["messages"])
    def delete(self, request: Request, scheduled_id: UUID) -> Response:  # noqa: ARG002 - DRF's signature
        """Take it back, or put a failed one away."""
        scheduling.cancel_scheduled(principal=self.principal, scheduled_id=scheduled_id)
        return Response(status=204)


class ScheduledSending(ChatView):
    """A scheduled message."""

    @extend_schema(request=None, responses=ScheduledSerializer, tags=["messages"])
    def post(self, request: Request, scheduled_id: UUID) -> Response:  # noqa: ARG002 - DRF's signature
        """Send it now."""
        scheduling.send_scheduled_now(principal=self.principal, scheduled_id=scheduled_id)
        return Response(dataclasses.asdict(planning.get_scheduled(self.principal, scheduled_id)))


class ReminderList(ChatView):
    """The caller's reminders."""

    @extend_schema(responses=ReminderSerializer(many=True), tags=["messages"])
    def get(self, request: Request) -> Response:
        """List them by time."""
        position, limit, _ = read_page(request, BY_TIME)
        found = planning.reminders_of(self.principal)
        page = page_of_list(found, order=BY_TIME, position=position, limit=limit)
        return Response(page.as_dict(request, map(_reminder, page.rows)))

    @extend_schema(request=NewReminderSerializer, responses={201: ReminderSerializer}, tags=["messages"])
    @repeatable
    def post(self, request: Request) -> Response:
        """Be reminded."""
        data = validated(NewReminderSerializer(data=request.data))
        pk = reminders.remind(principal=self.principal, message_id=data.pop("message"), **data)
        return Response(_reminder(planning.get_reminder(self.principal, pk)), status=201)


def _reminder(view: planning.ReminderView) -> dict[str, Any]:
    return dataclasses.asdict(view)


class ReminderDetail(ChatView):
    """One reminder."""

    @extend_schema(responses=ReminderSerializer, tags=["messages"])
    def get(self, request: Request, reminder_id: UUID) -> Response:  # noqa: ARG002 - DRF's signature
        """Return it."""
        return Response(_reminder(planning.get_reminder(self.principal, reminder_id)))

    @extend_schema(request=ChangeReminderSerializer, responses=ReminderSerializer, tags=["messages"])
    def patch(self, request: Request, reminder_id: UUID) -> Response:
        """Change it."""
        data = validated(ChangeReminderSerializer(data=request.data))
        reminders.change_reminder(principal=self.principal, reminder_id=reminder_id, **data)
        return self.get(request, reminder_id)

    @extend_schema(responses={204: NOTHING}, tags=["messages"])
    def delete(self, request: Request, reminder_id: UUID) -> Response:  # noqa: ARG002 - DRF's signature
        """Forget it."""
        reminders.delete_reminder(principal=self.principal, reminder_id=reminder_id)
        return Response(status=204)


class ReminderDone(ChatView):
    """A reminder that came."""

    @extend_schema(request=None, responses={204: NOTHING}, tags=["messages"])
    def post(self, request: Request, reminder_id: UUID) -> Response:  # noqa: ARG002 - DRF's signature
        """Put it away; one that repeats comes again."""
        reminders.finish(principal=self.principal, reminder_id=reminder_id)
        return Response(status=204)


class DraftList(ChatView):
    """The caller's drafts."""

    @extend_schema(responses=OwnDraftSerializer(many=True), tags=["messages"])
    def get(self, request: Request) -> Response:
        """List unsent texts, the last changed first."""
        position, limit, _ = read_page(request, BY_CHANGE)
        page = page_of_list(
            planning.drafts_of(self.principal), order=BY_CHANGE, position=position, limit=limit
        )
        return Response(page.as_dict(request, map(dataclasses.asdict, page.rows)))
