"""Shapes of the notification endpoints."""

from __future__ import annotations

from zoneinfo import available_timezones

from rest_framework import serializers

from apps.core.api.paging import PageQuery
from apps.core.api.serializers import CleanText, ExactBoolean, StrictSerializer
from apps.notify.types import CHANNELS, LEVELS, MOST_QUIET, OUTCOMES, REASONS

_MAILS = ["off", "soon", "daily", "weekly"]


class DeliverySerializer(serializers.Serializer[object]):
    """One way of a notification: sent, waiting, failed or suppressed, and why."""

    channel = serializers.ChoiceField(choices=list(CHANNELS))
    state = serializers.ChoiceField(choices=["waiting", "sent", "failed", "suppressed"])
    outcome = serializers.ChoiceField(choices=list(OUTCOMES), allow_blank=True)
    detail = serializers.CharField()
    attempts = serializers.IntegerField()
    due_at = serializers.DateTimeField()
    settled_at = serializers.DateTimeField(allow_null=True)


class NotificationSerializer(serializers.Serializer[object]):
    """A notification with its words as its recipient may read them now."""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    reason = serializers.ChoiceField(choices=list(REASONS))
    is_urgent = serializers.BooleanField()
    conversation = serializers.UUIDField(allow_null=True)
    thread = serializers.UUIDField(allow_null=True)
    message = serializers.UUIDField(allow_null=True)
    actor = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField(allow_null=True)
    read_at = serializers.DateTimeField(allow_null=True)
    held_by = serializers.CharField()
    title = serializers.CharField()
    text = serializers.CharField()
    url = serializers.CharField()
    deliveries = DeliverySerializer(many=True)


class NotificationQuery(PageQuery):
    """Filters of the list."""

    state = serializers.ChoiceField(choices=["all", "unread", "held"], default="all")
    reason = serializers.ChoiceField(choices=list(REASONS), required=False)


class MarkSerializer(StrictSerializer):
    """What to mark; without `notifications` all of them."""

    state = serializers.ChoiceField(choices=["seen", "read", "unread"])
    notifications = serializers.ListField(child=serializers.UUIDField(), max_length=500, required=False)


class MarkedSerializer(serializers.Serializer[object]):
    """How many changed, and how many are unread now."""

    changed = serializers.IntegerField()
    unread = serializers.IntegerField()


class UnreadSerializer(serializers.Serializer[object]):
    """The number on the bell, as in `notification.added` and `notification.changed`."""

    unread = serializers.IntegerField()


class QuietSerializer(StrictSerializer):
    """Quiet hours of one weekday (0 is Monday), in minutes of the day; past midnight where `until` is not after."""

    weekday = serializers.IntegerField(min_value=0, max_value=6)
    since = serializers.IntegerField(min_value=0, max_value=1439)
    until = serializers.IntegerField(min_value=0, max_value=1439)


class PreferencesSerializer(serializers.Serializer[object]):
    """What the caller wants; what it did not choose is the organization's."""

    level = serializers.ChoiceField(choices=list(LEVELS))
    mail = serializers.ChoiceField(choices=_MAILS)
    digest_minute = serializers.IntegerField()
    digest_weekday = serializers.IntegerField()
    has_push = serializers.BooleanField()
    push_content = serializers.BooleanField()
    time_zone = serializers.CharField()
    quiet = QuietSerializer(many=True)
    do_not_disturb_until = serializers.DateTimeField(allow_null=True)
    keywords = serializers.ListField(child=serializers.CharField())
    levels = serializers.DictField(child=serializers.ChoiceField(choices=list(LEVELS)))


class PreferencesChange(StrictSerializer):
    """Changes; what is not named stays. An empty `level` or `mail` follows the organization again."""

    level = serializers.ChoiceField(choices=list(LEVELS), required=False, allow_blank=True)
    mail = serializers.ChoiceField(choices=_MAILS, required=False, allow_blank=True)
    digest_minute = serializers.IntegerField(min_value=0, max_value=1439, required=False)
    digest_weekday = serializers.IntegerField(min_value=0, max_value=6, required=False)
    has_push = ExactBoolean(required=False)
    push_content = ExactBoolean(required=False)
    time_zone = CleanText(max_length=64, required=False, allow_blank=True)
    quiet = QuietSerializer(many=True, required=False)
    do_not_disturb_until = serializers.DateTimeField(allow_null=True, required=False)

    def validate_time_zone(self, value: str) -> str:
        """Take the names of the tz database."""
        if value and value not in available_timezones():
            self.fields["level"].fail("invalid_choice", input=value)
        return value

    def validate_quiet(self, value: list[dict[str, int]]) -> list[dict[str, int]]:
        """Take at most three spans a day."""
        if len(value) > MOST_QUIET:
            raise serializers.ValidationError(f"At most {MOST_QUIET}.", code="max_length")
        return value


class LevelSerializer(StrictSerializer):
    """The level of one place, `conversation:<id>` or `thread:<id>`; an empty one follows what holds around it."""

    place = CleanText(max_length=80)
    level = serializers.ChoiceField(choices=list(LEVELS), allow_blank=True)


class KeywordSerializer(StrictSerializer):
    """A word."""

    word = CleanText(max_length=60)


class SubscriptionSerializer(StrictSerializer):
    """What `PushSubscription.toJSON()` of the browser holds."""

    endpoint = CleanText(max_length=2000)
    public_key = CleanText(max_length=100)
    secret = CleanText(max_length=40)


class BrowserSerializer(serializers.Serializer[object]):
    """A browser that takes push messages, without its secret address."""

    id = serializers.UUIDField()
    user_agent = serializers.CharField()
    created_at = serializers.DateTimeField()
    last_sent_at = serializers.DateTimeField(allow_null=True)


class SubscribedSerializer(serializers.Serializer[object]):
    """The id by which it is ended."""

    id = serializers.UUIDField()


class PushKeySerializer(serializers.Serializer[object]):
    """What a browser subscribes with (`applicationServerKey`)."""

    public_key = serializers.CharField()


class StandingSerializer(serializers.Serializer[object]):
    """What everybody of the organization begins with."""

    level = serializers.ChoiceField(choices=list(LEVELS))
    mail = serializers.ChoiceField(choices=_MAILS)
    push_content = serializers.BooleanField()


class StandingChange(StrictSerializer):
    """Changes; what is not named stays."""

    level = serializers.ChoiceField(choices=list(LEVELS), required=False)
    mail = serializers.ChoiceField(choices=_MAILS, required=False)
    push_content = ExactBoolean(required=False)
