"""Deliveries for operators: what went which way and why not; never a word of what was written, never an address."""

from __future__ import annotations

from django.contrib import admin

from apps.core.admin_base import ReadOnlyAdmin
from apps.notify.models import Delivery, Notification, PushSubscription


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin[Notification]):
    """Who was told what kind of thing."""

    list_display = ("id", "organization", "recipient", "kind", "reason", "held_by", "created_at", "read_at")
    list_select_related = ("organization", "recipient")
    list_filter = ("reason",)
    search_fields = ("=id", "=recipient__id", "=message_id")


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin[Delivery]):
    """Which way it went."""

    list_display = (
        "id",
        "organization",
        "notification_id",
        "channel",
        "state",
        "outcome",
        "attempts",
        "due_at",
    )
    list_select_related = ("organization",)
    list_filter = ("channel", "state")
    search_fields = ("=notification__id",)


@admin.register(PushSubscription)
class PushSubscriptionAdmin(ReadOnlyAdmin[PushSubscription]):
    """Browsers that take push messages, without their secret addresses."""

    list_display = ("id", "organization", "principal", "user_agent", "created_at", "last_sent_at")
    list_select_related = ("organization", "principal")
    search_fields = ("=principal__id",)
    fields = ("organization", "principal", "user_agent", "created_at", "last_sent_at")
    readonly_fields = fields
