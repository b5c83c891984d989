"""Organizations, their roles and their members."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from apps.core.models import TenantModel, UUIDModel


class Organization(UUIDModel):
    """A tenant. Its id, slug and region lie outside the wall: they find the organization."""

    class FactorPolicy(models.TextChoices):
        NOBODY = "nobody"
        ADMINISTRATORS = "administrators"  # whose role may do more than a member's
        EVERYBODY = "everybody"

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=100)
    region = models.CharField(max_length=20, default="local")
    language = models.CharField(max_length=5, default="en")
    is_active = models.BooleanField(default=True)
    factor_policy = models.CharField(
        max_length=14, choices=FactorPolicy.choices, default=FactorPolicy.NOBODY,
        help_text="Who needs a second factor here.",
    )  # fmt: skip
    factor_policy_since = models.DateTimeField(default=timezone.now)
    factor_grace_days = models.PositiveSmallIntegerField(
        default=14, help_text="Days from the policy, or from joining, until nothing goes without a factor."
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Role(TenantModel):
    """What a seat in the organization may do. Built-in ones exist in each organization and keep their key."""

    key = models.SlugField(max_length=40)
    name = models.CharField(max_length=60)
    permissions = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    is_builtin = models.BooleanField(default=False)
    conditions = models.JSONField(
        default=dict,
        db_default=models.Value({}, models.JSONField()),
        blank=True,
        help_text="What must hold for the role to give its rights; see `conditions.py`.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "key"], name="accounts_role_key"),
            # nobody locks the owners of an organization out of it
            models.CheckConstraint(
                condition=models.Q(is_builtin=False) | models.Q(conditions={}),
                name="accounts_role_unconditional",
            ),
        ]
        ordering = ["key"]

    def __str__(self) -> str:
        return self.name


class Member(TenantModel):
    """A principal's seat in an organization: name, picture, role."""

    user = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    role = models.ForeignKey("accounts.Role", on_delete=models.PROTECT, related_name="+", db_constraint=False)
    name = models.CharField(max_length=80)
    title = models.CharField(max_length=80, blank=True, default="")
    avatar_file_id = models.UUIDField(null=True, blank=True)
    about = models.CharField(max_length=300, blank=True, default="")
    deactivated_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(
        null=True, blank=True, help_text="Of a guest: nothing of the seat works afterwards, and it ends."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "user"], name="accounts_member_once"),
        ]
        indexes = [
            # sign-in and the organization switch: the organizations of a user
            models.Index(
                fields=["user"], condition=models.Q(deactivated_at=None), name="accounts_member_user"
            ),
            # the relay ends seats that are over
            models.Index(
                fields=["expires_at"],
                condition=models.Q(deactivated_at=None, expires_at__isnull=False),
                name="accounts_member_expires",
            ),
            # directory and mention completion, by name
            models.Index(fields=["organization", "name"], name="accounts_member_name"),
        ]

    def __str__(self) -> str:
        return self.name
