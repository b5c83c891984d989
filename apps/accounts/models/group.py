"""Groups of people: named together, mentioned together, given roles together."""

from django.db import models
from django.db.models.functions import Lower

from apps.core.models import TenantModel


class PeopleGroup(TenantModel):
    """Some members of an organization under one name."""

    name = models.CharField(max_length=60)
    description = models.CharField(max_length=200, blank=True, default="")
    is_mentionable = models.BooleanField(default=True)
    created_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            # a mention names one group, however it is written
            models.UniqueConstraint("organization", Lower("name"), name="accounts_peoplegroup_name")
        ]

    def __str__(self) -> str:
        return self.name


class PeopleGroupMember(TenantModel):
    """One principal in one group."""

    group = models.ForeignKey(
        "accounts.PeopleGroup", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    principal = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="+")
    added_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "group", "principal"], name="accounts_peoplegroupmember_once"
            )
        ]
        indexes = [
            # the principal's statement asks for the groups of one principal
            models.Index(fields=["organization", "principal"], name="accounts_peoplegroupmember_own")
        ]

    def __str__(self) -> str:
        return f"{self.principal_id} in {self.group_id}"
