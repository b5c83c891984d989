"""The global identity. A person has an e-mail address; every other kind belongs to one organization."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower

from apps.core.ids import uuid7


class UserManager(BaseUserManager["User"]):
    """Creates people for Django's own commands."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create a person."""
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create an operator of this server."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A principal. Name and picture inside an organization belong to its Member."""

    class Kind(models.TextChoices):
        PERSON = "person"
        BOT = "bot"
        AGENT = "agent"
        SERVICE = "service"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.PERSON)
    email = models.EmailField(null=True, blank=True, unique=True)
    organization = models.ForeignKey(
        "accounts.Organization", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    language = models.CharField(max_length=5, default="", blank=True, help_text="Empty follows the browser.")
    theme = models.CharField(
        max_length=6, default="system", choices=[("system", "system"), ("light", "light"), ("dark", "dark")]
    )
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(
        default=False, help_text="May open Django's admin: an operator of this server."
    )
    break_glass_until = models.DateTimeField(
        null=True, blank=True, help_text="Set for an emergency account: nothing of it works afterwards."
    )
    imported_by = models.ForeignKey(
        "accounts.Organization", null=True, blank=True, editable=False, on_delete=models.SET_NULL,
        related_name="+", db_index=False,
        help_text="Made by an import of this organization; empty once somebody was let in.",
    )  # fmt: skip
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = UserManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="accounts_user_email_lower"),
            models.CheckConstraint(
                condition=models.Q(kind="person", email__isnull=False, organization__isnull=True)
                | (~models.Q(kind="person") & models.Q(email__isnull=True, organization__isnull=False)),
                name="accounts_user_kind",
            ),
        ]

    def __str__(self) -> str:
        return self.email or f"{self.kind} {self.pk}"
