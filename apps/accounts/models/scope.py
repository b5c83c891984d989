"""Scopes: audiences that content points at, and the seats that say who is in."""

from django.db import models
from django.utils import timezone
from guardian.models import UserObjectPermissionBase

from apps.accounts.conditions import DATA_CLASSES, DEFAULT_CLASS
from apps.accounts.types import OBJECT_PERMISSIONS
from apps.core.models import TenantModel


class Scope(TenantModel):
    """The audience of one conversation, document collection, board or workflow."""

    class Audience(models.TextChoices):
        SEATS = "seats"  # only who has a seat
        ORGANIZATION = "organization"  # every full member; guests need a seat

    kind = models.CharField(max_length=20)
    audience = models.CharField(max_length=12, choices=Audience.choices, default=Audience.SEATS)
    data_class = models.CharField(max_length=12, default=DEFAULT_CLASS, db_default=DEFAULT_CLASS)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(data_class__in=DATA_CLASSES), name="accounts_scope_data_class"
            )
        ]
        # The single rights that can be given for one audience: django-guardian's rows point at these.
        permissions = [(name, name) for name in sorted(OBJECT_PERMISSIONS)]
        indexes = [
            # the visible-scopes query takes all open scopes of an organization
            models.Index(
                fields=["organization"],
                condition=models.Q(audience="organization"),
                name="accounts_scope_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Seat(TenantModel):
    """One principal in one scope; leaving ends the row, coming back makes a new one."""

    scope = models.ForeignKey(
        "accounts.Scope", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    principal = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    visible_from = models.DateTimeField(
        null=True, blank=True, help_text="Empty: may read everything before too."
    )
    joined_at = models.DateTimeField(default=timezone.now)
    left_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["scope", "principal"], condition=models.Q(left_at=None), name="accounts_seat_once"
            )
        ]
        indexes = [
            # the visible-scopes query: the scopes of one principal
            models.Index(
                fields=["organization", "principal"],
                include=["scope", "visible_from"],
                condition=models.Q(left_at=None),
                name="accounts_seat_principal",
            )
        ]

    def __str__(self) -> str:
        return f"{self.principal_id} in {self.scope_id}"


class ScopedRole(TenantModel):
    """A role that one principal, or everyone in one group of people, has in one audience only."""

    scope = models.ForeignKey(
        "accounts.Scope", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    principal = models.ForeignKey(
        "accounts.User", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    group = models.ForeignKey(
        "accounts.PeopleGroup", null=True, blank=True, on_delete=models.CASCADE, related_name="+",
        db_constraint=False,
    )  # fmt: skip
    role = models.ForeignKey("accounts.Role", on_delete=models.PROTECT, related_name="+", db_constraint=False)
    given_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            # the principal's statement reads all of one principal by this key, too
            models.UniqueConstraint(
                fields=["organization", "principal", "scope", "role"], name="accounts_scopedrole_once"
            ),
            # and all of one group by this one
            models.UniqueConstraint(
                fields=["organization", "group", "scope", "role"],
                condition=~models.Q(group=None),
                name="accounts_scopedrole_group_once",
            ),
            models.CheckConstraint(
                condition=models.Q(principal=None, group__isnull=False)
                | models.Q(principal__isnull=False, group=None),
                name="accounts_scopedrole_whose",
            ),
        ]
        indexes = [
            # the console's list of one audience
            models.Index(fields=["organization", "scope"], name="accounts_scopedrole_scope")
        ]

    def __str__(self) -> str:
        return f"{self.role_id} of {self.principal_id} in {self.scope_id}"


class ObjectGrant(UserObjectPermissionBase, TenantModel):
    """A single right of one person in one audience, for a time, kept as django-guardian keeps rights on objects.

    Storage and nothing else: `can()` reads it with the principal, and no check of guardian's is asked. The key is a
    real one, not guardian's type and text, so that a row ends with its audience and stays in its organization.
    """

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    content_object = models.ForeignKey(
        "accounts.Scope",
        on_delete=models.CASCADE,
        db_column="scope_id",
        related_name="+",
        db_constraint=False,
    )
    reason = models.CharField(max_length=200)
    expires_at = models.DateTimeField()
    given_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            # the principal's statement reads all of one person by this key, too
            models.UniqueConstraint(
                fields=["organization", "user", "content_object", "permission"],
                name="accounts_objectgrant_once",
            )
        ]
        indexes = [
            # the console's list of one audience
            models.Index(fields=["organization", "content_object"], name="accounts_objectgrant_scope")
        ]

    def __str__(self) -> str:
        return f"{self.permission_id} of {self.user_id} in {self.content_object_id}"
