"""The event log: counters, the log itself, the outbox beside it and the feed that gives the global order.

`core_event` and `core_eventfeed` are partitioned by month (see migration 0002); partitions are made ahead by
`services.partitions` and old feed partitions are dropped behind the slowest consumer.
"""

from django.db import models


class Stream(models.Model):
    """One counter row per conversation or principal; its lock makes the sequence gap-free."""

    id = models.UUIDField(primary_key=True)
    organization_id = models.UUIDField()
    last_sequence = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(last_sequence__gte=0), name="core_stream_sequence")
        ]

    def __str__(self) -> str:
        return f"{self.id} at {self.last_sequence}"


class EventColumns(models.Model):
    """What log, outbox and feed have in common."""

    organization_id = models.UUIDField()
    scope_id = models.UUIDField(null=True)
    stream_id = models.UUIDField()
    sequence = models.BigIntegerField()
    type = models.TextField()
    payload = models.JSONField()
    actor_id = models.UUIDField(null=True)
    trace_id = models.TextField(default="", db_default="")
    created_at = models.DateTimeField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.type} {self.stream_id}#{self.sequence}"


class Event(EventColumns):
    """The log: what happened, once, for resume and replay. Never changed."""

    id = models.BigAutoField(primary_key=True)

    class Meta:
        indexes = [
            # resume: everything of a stream after a sequence
            models.Index(fields=["stream_id", "sequence"], name="core_event_stream"),
            # replay for an operator: one organization in order of time
            models.Index(fields=["organization_id", "created_at"], name="core_event_organization"),
        ]


class OutboxEvent(EventColumns):
    """Committed events the relay has not moved into the feed yet; nearly always empty."""

    id = models.BigAutoField(primary_key=True)

    class Meta:
        db_table = "core_eventoutbox"


class FeedEvent(EventColumns):
    """The global order: the relay gives positions, consumers read by position."""

    position = models.BigAutoField(primary_key=True)
    event_id = models.BigIntegerField()

    class Meta:
        db_table = "core_eventfeed"


class Consumer(models.Model):
    """A durable subscriber's cursor; effect and cursor move in one transaction."""

    name = models.TextField(primary_key=True)
    position = models.BigIntegerField(default=0)
    attempts = models.PositiveIntegerField(
        default=0, help_text="Failures at the next position; 0 when it runs well."
    )
    retry_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True, default="")
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.name} at {self.position}"


class DeadLetter(models.Model):
    """An event a consumer gave up on; an operator reads the reason and replays or dismisses it."""

    class State(models.TextChoices):
        OPEN = "open"
        REPLAYED = "replayed"
        DISMISSED = "dismissed"

    consumer = models.TextField()
    position = models.BigIntegerField()
    organization_id = models.UUIDField()
    event_type = models.TextField()
    event = models.JSONField(help_text="The whole event, so that replay does not need the feed.")
    error = models.TextField()
    attempts = models.PositiveIntegerField()
    state = models.TextField(choices=State.choices, default=State.OPEN)
    created_at = models.DateTimeField(auto_now_add=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["consumer", "position"], name="core_deadletter_once")]
        indexes = [
            # the admin list and the status page count what is open
            models.Index(
                fields=["created_at"], condition=models.Q(state="open"), name="core_deadletter_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.consumer}: {self.event_type} at {self.position}"
