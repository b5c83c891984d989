"""Notifications, what people want of them, and how they were sent."""

from apps.notify.models.address import PushKey, PushSubscription, ReplyAddress
from apps.notify.models.notification import Delivery, Notification
from apps.notify.models.preference import Keyword, Level, Preferences, Standing

__all__ = [
    "Delivery",
    "Keyword",
    "Level",
    "Notification",
    "Preferences",
    "PushKey",
    "PushSubscription",
    "ReplyAddress",
    "Standing",
]
