"""What people want to be told, and what an organization begins with."""

from django.db import models

from apps.core.models import TenantModel
from apps.notify.types import LEVELS

MAIL_CHOICES = [("off", "off"), ("soon", "soon"), ("daily", "daily"), ("weekly", "weekly")]
LEVEL_CHOICES = [(level, level) for level in LEVELS]


class Preferences(TenantModel):
    """One person's wishes in one organization; an empty text follows the organization."""

    principal = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    level = models.CharField(max_length=10, blank=True, default="", choices=LEVEL_CHOICES)
    mail = models.CharField(max_length=10, blank=True, default="", choices=MAIL_CHOICES)
    digest_minute = models.PositiveSmallIntegerField(default=8 * 60)
    digest_weekday = models.PositiveSmallIntegerField(default=0)
    has_push = models.BooleanField(default=True)
    push_content = models.BooleanField(null=True, help_text="Empty follows the organization.")
    time_zone = models.CharField(max_length=64, blank=True, default="")
    quiet = models.JSONField(default=list, blank=True, help_text="[weekday, since, until] in minutes.")
    do_not_disturb_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "principal"], name="notify_preferences_once"),
            models.CheckConstraint(
                condition=models.Q(digest_minute__lt=1440, digest_weekday__lt=7),
                name="notify_preferences_digest",
            ),
        ]

    def __str__(self) -> str:
        return f"wishes of {self.principal_id}"


class Level(TenantModel):
    """What a person wants of one place: `conversation:<id>`, `topic:<id>`, `thread:<id>`."""

    principal = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    place = models.CharField(max_length=80)
    level = models.CharField(max_length=10, choices=LEVEL_CHOICES)

    class Meta:
        constraints = [
            # who listens to a place
            models.UniqueConstraint(fields=["organization", "place", "principal"], name="notify_level_once"),
        ]
        # the settings page
        indexes = [models.Index(fields=["organization", "principal"], name="notify_level_principal")]

    def __str__(self) -> str:
        return f"{self.place} {self.level}"


class Keyword(TenantModel):
    """A word its person wants to hear of, wherever it may read it."""

    principal = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    word = models.CharField(max_length=60)

    class Meta:
        constraints = [
            # the words of an organization in one read
            models.UniqueConstraint(fields=["organization", "word", "principal"], name="notify_keyword_once"),
        ]
        indexes = [models.Index(fields=["organization", "principal"], name="notify_keyword_principal")]

    def __str__(self) -> str:
        return self.word


class Standing(TenantModel):
    """What an organization begins with; no row is what the models of one say by default."""

    level = models.CharField(max_length=10, default="mentions", choices=LEVEL_CHOICES)
    mail = models.CharField(max_length=10, default="soon", choices=MAIL_CHOICES)
    push_content = models.BooleanField(
        default=True, help_text="Push messages and mail may say what was written."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization"], name="notify_standing_once")]

    def __str__(self) -> str:
        return f"defaults of {self.organization_id}"
