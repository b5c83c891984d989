"""Tables of the mechanisms: streams and events, consumers and dead letters, retry keys, feature flags."""

from apps.core.models.base import TenantModel, UUIDModel
from apps.core.models.events import Consumer, DeadLetter, Event, FeedEvent, OutboxEvent, Stream
from apps.core.models.flags import FeatureFlag
from apps.core.models.retry import RetryKey

__all__ = [
    "Consumer",
    "DeadLetter",
    "Event",
    "FeatureFlag",
    "FeedEvent",
    "OutboxEvent",
    "RetryKey",
    "Stream",
    "TenantModel",
    "UUIDModel",
]
