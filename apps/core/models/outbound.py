"""Hosts an organization lets the server reach for it, or forbids."""

from django.db import models

from apps.core.models.base import TenantModel


class OutboundHost(TenantModel):
    """One pattern of a list. Where any is allowed, no other host is reached; a denied one never is."""

    pattern = models.CharField(
        max_length=260, help_text="`example.com`, or `*.example.com` for all below it."
    )
    is_allowed = models.BooleanField(help_text="On the list of allowed hosts, else of denied ones.")

    class Meta:
        constraints = [
            # both lists of an organization in one read; naming a host again moves it to the other list
            models.UniqueConstraint(fields=["organization", "pattern"], name="core_outboundhost_once"),
        ]

    def __str__(self) -> str:
        return self.pattern
