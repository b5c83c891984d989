"""The audit trail: one append-only table, chained per organization by the relay.

Written by `core_record_audit` only; number, hash and time of the link are filled once by `core_chain_audit`; address
and person may be emptied by erasure, since only references to them are in the chain. Triggers refuse everything else,
to the owner too. Partitioned by month (migration 0003).
"""

from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditEntry(models.Model):
    """One act that matters. `organization_id` is all zeros for acts of the whole installation."""

    class Outcome(models.TextChoices):
        DONE = "done", _("Done")
        REFUSED = "refused", _("Refused")
        FAILED = "failed", _("Failed")

    id = models.BigAutoField(primary_key=True)
    key = models.UUIDField(
        help_text="Made by the writer; what addresses name, and what shows a copied entry."
    )
    organization_id = models.UUIDField()
    created_at = models.DateTimeField()
    action = models.TextField()
    outcome = models.TextField(choices=Outcome.choices)
    actor_id = models.UUIDField(null=True)
    on_behalf_of = models.UUIDField(null=True)
    object_type = models.TextField()
    object_id = models.TextField()
    request_id = models.TextField()
    session = models.TextField()
    details = models.JSONField()
    address_reference = models.TextField()
    person_reference = models.TextField()
    seal = models.TextField(help_text="Keyed hash of all above but time and id, made outside the database.")
    address = models.TextField(null=True)  # noqa: DJ001 - None is "emptied", which is not the same as empty
    person = models.TextField(null=True)  # noqa: DJ001
    number = models.BigIntegerField(null=True, help_text="Gap-free in the chain; empty until chained.")
    hash = models.TextField(null=True)  # noqa: DJ001 - None is "not yet chained"
    chained_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            # the page and the API: newest first, and with a time window
            models.Index(fields=["organization_id", "id"], name="core_auditentry_organization"),
            # search by person, by object and by action
            models.Index(fields=["organization_id", "actor_id", "id"], name="core_auditentry_actor"),
            models.Index(fields=["organization_id", "object_id", "id"], name="core_auditentry_object"),
            models.Index(fields=["organization_id", "action", "id"], name="core_auditentry_action"),
            # verification walks a chain (an entry comes in when it is chained, not when it is written), the detail
            # opens by key
            models.Index(
                fields=["organization_id", "number"],
                condition=models.Q(number__isnull=False),
                name="core_auditentry_number",
            ),
            models.Index(fields=["organization_id", "key"], name="core_auditentry_key"),
            # the relay takes what is not chained yet; nearly empty
            models.Index(
                fields=["id"], condition=models.Q(number__isnull=True), name="core_auditentry_unchained"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} #{self.number or '-'}"


class AuditChain(models.Model):
    """The head of each chain; its row lock makes the numbers gap-free."""

    organization_id = models.UUIDField(primary_key=True)
    number = models.BigIntegerField()
    hash = models.TextField()
    chained_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.organization_id} at {self.number}"
