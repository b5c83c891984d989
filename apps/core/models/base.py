"""Base models: a key that can be made anywhere, and the organization every tenant row carries."""

from django.db import models

from apps.core.ids import uuid7


class UUIDModel(models.Model):
    """Everything with a URL: a UUIDv7 primary key made in Python."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True


class TenantModel(UUIDModel):
    """A row of one organization. Children point at it with (organization_id, id): see `migrations_support`."""

    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="+")

    class Meta:
        abstract = True
