"""Tables of the mechanisms: streams and events, consumers, retry keys, flags, the trail, hosts that are reached."""

from apps.core.models.audit import AuditChain, AuditEntry
from apps.core.models.base import TenantModel, UUIDModel
from apps.core.models.events import Consumer, DeadLetter, Event, FeedEvent, OutboxEvent, Stream
from apps.core.models.flags import FeatureFlag
from apps.core.models.outbound import OutboundHost
from apps.core.models.retry import RetryKey

__all__ = [
    "AuditChain",
    "AuditEntry",
    "Consumer",
    "DeadLetter",
    "Event",
    "FeatureFlag",
    "FeedEvent",
    "OutboundHost",
    "OutboxEvent",
    "RetryKey",
    "Stream",
    "TenantModel",
    "UUIDModel",
]
