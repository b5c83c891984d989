"""Polls: a question with answers to choose from, carried by a message."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from apps.core.models import TenantModel


class Poll(TenantModel):
    """What a message asks. Its card shows the counts; the votes are rows."""

    message = models.ForeignKey(
        "chat.Message", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    question = models.CharField(max_length=300)
    options = ArrayField(models.CharField(max_length=200))
    is_multiple = models.BooleanField(default=False)
    is_anonymous = models.BooleanField(default=False)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message"], name="chat_poll_once")]

    def __str__(self) -> str:
        return self.question


class PollVote(TenantModel):
    """One principal chose one answer; in an anonymous poll nobody is shown who."""

    poll = models.ForeignKey("chat.Poll", on_delete=models.CASCADE, related_name="+", db_constraint=False)
    option = models.PositiveSmallIntegerField()
    principal = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["poll", "option", "principal"], name="chat_pollvote_once")
        ]

    def __str__(self) -> str:
        return f"{self.principal_id} for {self.option}"
