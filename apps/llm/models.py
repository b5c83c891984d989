"""The usage ledger, and the budget of an organization's day."""

from __future__ import annotations

from django.db import models

from apps.core.models import TenantModel


class UsageEntry(models.Model):
    """One model call, as it was settled. Never changed; partitioned by month (migration 0002)."""

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="+")
    principal_id = models.UUIDField(null=True, help_text="Who asked; empty for work without a person.")
    run_id = models.UUIDField(null=True)
    purpose = models.CharField(max_length=40)
    provider = models.CharField(max_length=80)
    model = models.CharField(max_length=200)
    tokens_in = models.PositiveIntegerField()
    tokens_out = models.PositiveIntegerField()
    is_estimated = models.BooleanField(help_text="The provider did not count, we did.")
    cost = models.DecimalField(max_digits=14, decimal_places=6)
    outcome = models.CharField(max_length=20, help_text="`done`, or the trouble that ended the call.")
    created_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "usage entries"
        indexes = [
            # sums by day and purpose on the usage page
            models.Index(fields=["organization", "created_at"], name="llm_usage_day"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.model} {self.tokens_in}+{self.tokens_out}"


class DailyUsage(TenantModel):
    """Settled tokens of one day (UTC); its row lock makes reserving one after the other."""

    day = models.DateField()
    tokens = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "day"], name="llm_dailyusage_once"),
            models.CheckConstraint(condition=models.Q(tokens__gte=0), name="llm_dailyusage_tokens"),
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.tokens}"


class Reservation(TenantModel):
    """Tokens a call under way may use; one whose process died counts until it expires."""

    tokens = models.PositiveIntegerField()
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [
            # the sum at each new reservation
            models.Index(fields=["organization", "expires_at"], name="llm_reservation_live"),
        ]

    def __str__(self) -> str:
        return f"{self.tokens} until {self.expires_at:%H:%M:%S}"
