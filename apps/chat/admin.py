"""Conversations for operators: who is where and how much was said, never what. Drafts are nobody's business."""

from __future__ import annotations

from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from apps.chat.models import Attachment, Conversation, Membership, Mention, Message, Reaction
from apps.chat.services.administration import delete_as_operator
from apps.core import tenancy
from apps.core.admin_base import ReadOnlyAdmin


@admin.register(Conversation)
class ConversationAdmin(ReadOnlyAdmin[Conversation]):
    """Channels, direct and group conversations."""

    list_display = ("id", "kind", "name", "organization", "is_private", "archived_at", "created_at")
    list_select_related = ("organization",)
    list_filter = ("kind", "is_private")
    search_fields = ("=id", "name", "=scope__id")
    exclude = ("people_key",)


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin[Membership]):
    """Who is in which conversation."""

    list_display = ("conversation", "principal", "organization", "joined_at", "left_at")
    list_select_related = ("conversation", "principal", "organization")
    search_fields = ("=conversation__id", "=principal__id", "=principal__email")


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin[Message]):
    """Messages without their text; found by id, for a report that names one."""

    list_display = ("id", "conversation", "sender", "sequence", "sent_at", "edited_at", "deleted_at")
    list_select_related = ("conversation", "sender")
    search_fields = ("=id", "=conversation__id", "=sender__id")
    ordering = ("-id",)
    fields = (
        "id", "organization", "conversation", "sequence", "sender", "thread_id", "version", "sent_at", "edited_at",
        "deleted_at",
    )  # fmt: skip
    readonly_fields = fields
    actions = ("delete_for_everyone",)

    @admin.action(description=_("Delete for everyone"), permissions=["view"])
    def delete_for_everyone(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        """Take the chosen messages away, for all who can see them."""
        operator_id = UUID(str(request.user.pk))
        rows = list(queryset.filter(deleted_at=None).values_list("pk", "organization_id"))
        for message_id, organization_id in rows:
            with tenancy.use(organization_id):
                delete_as_operator(operator_id=operator_id, message_id=message_id)
        text = ngettext("%(count)s message deleted.", "%(count)s messages deleted.", len(rows))
        self.message_user(request, text % {"count": len(rows)}, messages.SUCCESS)


@admin.register(Reaction)
class ReactionAdmin(ReadOnlyAdmin[Reaction]):
    """Who reacted with what."""

    list_display = ("message", "principal", "emoji", "created_at")
    list_select_related = ("message", "principal")
    search_fields = ("=message__id", "=principal__id")


@admin.register(Mention)
class MentionAdmin(ReadOnlyAdmin[Mention]):
    """Who was mentioned where."""

    list_display = ("message", "principal", "conversation", "sequence")
    list_select_related = ("message", "principal", "conversation")
    search_fields = ("=message__id", "=principal__id", "=conversation__id")


@admin.register(Attachment)
class AttachmentAdmin(ReadOnlyAdmin[Attachment]):
    """Which files hang on which messages."""

    list_display = ("message", "file_id", "organization", "position")
    list_select_related = ("message", "organization")
    search_fields = ("=message__id", "=file__id")
    fields = ("organization", "message", "file_id", "position")
    readonly_fields = fields
