"""Forms of the console pages of accounts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from apps.accounts.forms import NameField
from apps.accounts.labels import PERMISSION_GROUPS


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

    def __init__(self, *args: Any, has_key: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not has_key:
            del self.fields["key"]
        choices = self.fields["permissions"]
        if isinstance(choices, forms.MultipleChoiceField):
            choices.choices = [(name, name) for _, group in PERMISSION_GROUPS for name in group]


class OrganizationForm(forms.Form):
    """Name and language of an organization."""

    name = NameField(label=_("Name"), max_length=100)
    language = forms.ChoiceField(
        label=_("Language"),
        choices=settings.LANGUAGES,
        help_text=_("Of mail to people who have not chosen one."),
    )
