"""How long messages and their files are kept."""

from django.db import models
from django.db.models import Q

from apps.core.models import TenantModel


class RetentionRule(TenantModel):
    """After how many days messages and files end: in one conversation, or in all that have no rule of their own."""

    conversation = models.ForeignKey(
        "chat.Conversation", null=True, on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    days = models.PositiveIntegerField(null=True, help_text="Empty keeps them for ever.")
    file_days = models.PositiveIntegerField(
        null=True,
        help_text="An earlier end of their own for files; empty keeps them as long as their messages.",
    )
    keeps_marked = models.BooleanField(
        default=False, help_text="What is pinned, or saved by somebody, stays whatever its age."
    )
    set_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "conversation"], nulls_distinct=False, name="chat_retentionrule_once"
            ),
            models.CheckConstraint(
                condition=Q(days=None) | Q(days__gte=1, days__lte=36_500), name="chat_retentionrule_days"
            ),
            models.CheckConstraint(
                condition=Q(file_days=None) | Q(file_days__gte=1, file_days__lte=36_500),
                name="chat_retentionrule_file_days",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.conversation_id or 'all'}: {self.days} days"
