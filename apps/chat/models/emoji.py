"""An organization's own emoji."""

from django.db import models

from apps.core.models import TenantModel


class CustomEmoji(TenantModel):
    """A small picture with a name; reactions hold the name between colons."""

    code = models.CharField(max_length=30)
    file = models.ForeignKey(
        "files.StoredFile", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    created_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="chat_customemoji_once")]

    def __str__(self) -> str:
        return f":{self.code}:"
