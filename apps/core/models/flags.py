"""Feature flags: on for everyone, for organizations, for people, or for a sticky percentage."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class FeatureFlag(models.Model):
    """One switch. Order of rules: a listed person, a listed organization, the percentage, `everyone`."""

    key = models.SlugField(primary_key=True, max_length=60)
    description = models.TextField(blank=True)
    everyone = models.BooleanField(default=False)
    percentage = models.PositiveSmallIntegerField(
        default=0, help_text="0 to 100; the same people stay in as it grows."
    )
    organizations_on = ArrayField(models.UUIDField(), default=list, blank=True)
    organizations_off = ArrayField(models.UUIDField(), default=list, blank=True)
    people_on = ArrayField(models.UUIDField(), default=list, blank=True)
    people_off = ArrayField(models.UUIDField(), default=list, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(percentage__lte=100), name="core_featureflag_percentage"
            )
        ]

    def __str__(self) -> str:
        return self.key
