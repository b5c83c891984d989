"""Imports of history that was written elsewhere: what was found, what became of it, and what is which here."""

from django.db import models

from apps.chat.types import ImportState
from apps.core.models import TenantModel


class HistoryImport(TenantModel):
    """One archive of another system: looked through first, stored when somebody says so."""

    kind = models.CharField(max_length=20, default="slack", help_text="The other system.")
    source = models.CharField(
        max_length=40,
        blank=True,
        default="",
        help_text="Which workspace: the same one again adds what is new.",
    )
    state = models.CharField(max_length=9, choices=ImportState.choices, default=ImportState.CHECKING)
    file_id = models.UUIDField(null=True, help_text="The archive; empty once it is deleted.")
    file_name = models.CharField(max_length=255, blank=True, default="")
    requested_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    fetches_files = models.BooleanField(default=False, help_text="Fetch files the archive only names.")
    run_id = models.UUIDField(null=True)
    report = models.JSONField(
        default=dict, help_text="What the archive holds: numbers and names of channels."
    )
    result = models.JSONField(default=dict, help_text="What was stored, in numbers.")
    error_code = models.CharField(max_length=80, blank=True, default="")
    confirmed_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            # the console's list, newest first
            models.Index(fields=["organization", "-id"], name="chat_historyimport_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class ImportNote(TenantModel):
    """Something of an archive that is left out or kept differently: a row of the report."""

    history_import = models.ForeignKey(
        "chat.HistoryImport", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    is_check = models.BooleanField(help_text="Found while looking through; otherwise while storing.")
    code = models.CharField(max_length=40)
    place = models.CharField(
        max_length=100, blank=True, default="", help_text="File, channel or person of the archive."
    )
    moment = models.CharField(max_length=30, blank=True, default="", help_text="The message's `ts`.")
    detail = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = [
            # what is looked at twice is told once
            models.UniqueConstraint(
                fields=["history_import", "is_check", "code", "place", "moment", "detail"],
                name="chat_importnote_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.place}"


class ImportedPerson(TenantModel):
    """Who somebody of another system is here; it stays the same whatever happens to addresses."""

    source = models.CharField(max_length=40)
    external_id = models.CharField(max_length=60)
    principal = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "source", "external_id"], name="chat_importedperson_once"
            )
        ]

    def __str__(self) -> str:
        return self.external_id


class ImportedConversation(TenantModel):
    """Which conversation one of another system is here."""

    source = models.CharField(max_length=40)
    external_id = models.CharField(max_length=60)
    conversation = models.ForeignKey(
        "chat.Conversation", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    taken = models.JSONField(
        default=list,
        db_default=[],
        help_text="Pins and bookmarks that were taken; a later import leaves them alone.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "source", "external_id"], name="chat_importedconversation_once"
            )
        ]

    def __str__(self) -> str:
        return self.external_id


class ImportedSeat(TenantModel):
    """A place in a conversation for somebody who has no access yet; taken when that changes."""

    conversation = models.ForeignKey(
        "chat.Conversation", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    principal = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["conversation", "principal"], name="chat_importedseat_once")
        ]
        indexes = [
            # the places that wait for who is let in
            models.Index(fields=["organization", "principal"], name="chat_importedseat_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.principal_id} for {self.conversation_id}"
