"""Forms of the console pages of accounts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from apps.accounts.conditions import clean
from apps.accounts.errors import ConditionNotValid, NetworkNotValid
from apps.accounts.forms import NameField
from apps.accounts.labels import DATA_CLASS_LABELS, DAY_LABELS, PERMISSION_GROUPS


class ChangeRoleForm(forms.Form):
    """Another role for a member; the choices are those the reader may give."""

    role = forms.ChoiceField(label=_("Role"))

    def __init__(self, *args: Any, roles: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        role = self.fields["role"]
        if isinstance(role, forms.ChoiceField):
            role.choices = roles


class ViewAsForm(forms.Form):
    """Why somebody looks at pages as another person."""

    reason = forms.CharField(
        label=_("Reason"), max_length=200, help_text=_("The person reads this sentence.")
    )


class ServiceAccountForm(ChangeRoleForm):
    """A new service account."""

    name = NameField(label=_("Name"), max_length=80, help_text=_("What the program is for."))
    field_order = ("name", "role")


class RoleForm(forms.Form):
    """A custom role. A new one also gets a short name, which stays."""

    name = NameField(label=_("Name"), max_length=60)
    key = forms.SlugField(
        label=_("Short name"),
        max_length=40,
        help_text=_("Small letters, digits and hyphens. Programs use it; it cannot be changed later."),
    )
    permissions = forms.MultipleChoiceField(required=False)
    networks = forms.CharField(required=False, max_length=2000)
    needs_factor = forms.BooleanField(required=False)
    days = forms.TypedMultipleChoiceField(required=False, coerce=int, choices=list(DAY_LABELS.items()))
    opens = forms.TimeField(required=False)
    closes = forms.TimeField(required=False)
    zone = forms.CharField(required=False, max_length=60)
    data_classes = forms.MultipleChoiceField(required=False, choices=list(DATA_CLASS_LABELS.items()))

    def __init__(self, *args: Any, has_key: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not has_key:
            del self.fields["key"]
        choices = self.fields["permissions"]
        if isinstance(choices, forms.MultipleChoiceField):
            choices.choices = [(name, name) for _, group in PERMISSION_GROUPS for name in group]

    def clean(self) -> dict[str, Any]:
        """Put the conditions together; what is wrong with them is told at the field it is about."""
        values = super().clean() or {}
        try:
            values["conditions"] = clean(
                networks=[
                    line for line in values.get("networks", "").replace(",", "\n").split("\n") if line.strip()
                ],
                needs_factor=values.get("needs_factor", False),
                days=values.get("days", ()),
                opens=values.get("opens"),
                closes=values.get("closes"),
                zone=values.get("zone") or "UTC",
                data_classes=values.get("data_classes") or None,
            )
        except NetworkNotValid as refused:
            self.add_error("networks", refused.detail)
        except ConditionNotValid as refused:
            self.add_error("opens", refused.detail)
        return values

    def role_values(self) -> dict[str, Any]:
        """Return what the services take."""
        names = {"name", "key", "permissions", "conditions"}
        return {name: value for name, value in self.cleaned_data.items() if name in names}


class ScopedRoleForm(ChangeRoleForm):
    """A role for one place."""

    person = forms.CharField(label=_("Person"), max_length=200, help_text=_("Name or e-mail."))
    place = forms.CharField(
        label=_("Channel"), max_length=500, help_text=_("Paste the address of its page, or write its name.")
    )
    field_order = ("person", "place", "role")


class OrganizationForm(forms.Form):
    """Name and language of an organization."""

    name = NameField(label=_("Name"), max_length=100)
    language = forms.ChoiceField(
        label=_("Language"),
        choices=settings.LANGUAGES,
        help_text=_("Of mail to people who have not chosen one."),
    )
