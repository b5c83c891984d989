"""Forms of the console pages of accounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from apps.accounts.conditions import clean
from apps.accounts.errors import ConditionNotValid, NetworkNotValid
from apps.accounts.forms import OAUTH_SCOPE_LABELS, EndOfDayField, NameField
from apps.accounts.labels import DATA_CLASS_LABELS, DAY_LABELS, PERMISSION_GROUPS
from apps.accounts.services.oauth_clients import ClientValues
from apps.accounts.types import CLIENT_GRANT, CODE_GRANT, DEVICE_GRANT, REFRESH_GRANT, ClientView


class ChangeRoleForm(forms.Form):
    """Another role for a member; the choices are those the reader may give."""

    role = forms.ChoiceField(label=_("Role"))

    def __init__(self, *args: Any, roles: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        role = self.fields["role"]
        if isinstance(role, forms.ChoiceField):
            role.choices = roles


class ExpiryForm(forms.Form):
    """When a guest's seat ends."""

    expires_at = EndOfDayField(
        label=_("Guest until"), required=False, help_text=_("Empty: the seat does not end by itself.")
    )


class GroupForm(forms.Form):
    """A group of people."""

    name = NameField(label=_("Name"), max_length=60, help_text=_("People mention the group by it."))
    description = forms.CharField(label=_("What for"), max_length=200, required=False)
    is_mentionable = forms.BooleanField(label=_("Can be mentioned"), required=False)


class GroupPersonForm(forms.Form):
    """Somebody who comes into a group."""

    person = forms.CharField(label=_("Person"), max_length=200, help_text=_("Name or e-mail."))


class ViewAsForm(forms.Form):
    """Why somebody looks at pages as another person."""

    reason = forms.CharField(
        label=_("Reason"), max_length=200, help_text=_("The person reads this sentence.")
    )


class ServiceAccountForm(ChangeRoleForm):
    """A new service account."""

    name = NameField(label=_("Name"), max_length=80, help_text=_("What the program is for."))
    field_order = ("name", "role")


class AppForm(forms.Form):
    """A registered app. Its kind and its service account are chosen once."""

    name = NameField(label=_("Name"), max_length=80, help_text=_("People read it when they are asked."))
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=[
            ("confidential", _("It runs on a server and can keep a secret")),
            ("public", _("It runs on people's devices or in a browser and has no secret")),
        ],
    )
    grants = forms.MultipleChoiceField(
        label=_("How it gets in"),
        choices=[
            (CODE_GRANT, _("A person lets it in on a page")),
            (REFRESH_GRANT, _("It stays signed in, if the person allows it")),
            (DEVICE_GRANT, _("A person types a code that a device shows")),
            (CLIENT_GRANT, _("By itself, without a person, as a service account")),
        ],
        widget=forms.CheckboxSelectMultiple,
    )
    redirect_uris = forms.CharField(
        label=_("Addresses people go back to"),
        required=False,
        max_length=6000,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=_("One a line, each taken letter by letter."),
    )
    scopes = forms.MultipleChoiceField(
        label=_("It may ask for"),
        choices=list(OAUTH_SCOPE_LABELS.items()),
        widget=forms.CheckboxSelectMultiple,
    )
    id_token_algorithm = forms.ChoiceField(
        label=_("Signature of ID tokens"), choices=[("RS256", "RS256"), ("EdDSA", "EdDSA (Ed25519)")]
    )
    service_role = forms.ChoiceField(
        label=_("Role of its service account"), help_text=_("Only if it gets in by itself.")
    )

    def __init__(
        self,
        *args: Any,
        roles: Sequence[tuple[str, str]] = (),
        client: ClientView | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._client = client
        role = self.fields["service_role"]
        if client is not None:
            del self.fields["kind"], self.fields["service_role"]
        elif isinstance(role, forms.ChoiceField):
            role.choices = list(roles)
            self.initial.setdefault("service_role", "guest")
            self.initial.setdefault("grants", [CODE_GRANT, REFRESH_GRANT])
            self.initial.setdefault("scopes", ["openid", "profile", "offline_access", "chat:read"])

    @staticmethod
    def initial_of(client: ClientView) -> dict[str, Any]:
        """Return what the form shows of a client."""
        return {
            "name": client.name,
            "grants": list(client.grants),
            "redirect_uris": "\n".join(client.redirect_uris),
            "scopes": list(client.scopes),
            "id_token_algorithm": client.id_token_algorithm,
        }

    def values(self) -> ClientValues:
        """Return what a valid form says."""
        said = self.cleaned_data
        kind = said.get("kind")
        return ClientValues(
            name=said["name"],
            is_confidential=kind == "confidential" if self._client is None else self._client.is_confidential,
            redirect_uris=said["redirect_uris"].split(),
            grants=said["grants"],
            scopes=said["scopes"],
            id_token_algorithm=said["id_token_algorithm"],
            service_role=said.get("service_role", "guest"),
        )


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


class ObjectRightForm(forms.Form):
    """A single right for one place, with the reason and an end."""

    person = forms.CharField(label=_("Person"), max_length=200, help_text=_("Name or e-mail."))
    place = forms.CharField(
        label=_("Conversation"),
        max_length=500,
        help_text=_("Paste the address of its page, or write its name."),
    )
    permission = forms.ChoiceField(label=_("Right"))
    days = forms.TypedChoiceField(
        label=_("Ends after"),
        coerce=int,
        initial=7,
        choices=[(1, _("1 day")), (7, _("7 days")), (30, _("30 days")), (90, _("90 days"))],
    )
    reason = forms.CharField(
        label=_("Reason"), max_length=200, help_text=_("Stands in the list, for those who look at it later.")
    )

    def __init__(self, *args: Any, permissions: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        permission = self.fields["permission"]
        if isinstance(permission, forms.ChoiceField):
            permission.choices = permissions


class OrganizationForm(forms.Form):
    """Name and language of an organization."""

    name = NameField(label=_("Name"), max_length=100)
    language = forms.ChoiceField(
        label=_("Language"),
        choices=settings.LANGUAGES,
        help_text=_("Of mail to people who have not chosen one."),
    )


class FactorPolicyForm(forms.Form):
    """Who needs a second factor, and how many days people have for it."""

    policy = forms.ChoiceField(
        label=_("A second factor is needed by"),
        choices=[
            ("nobody", _("Nobody")),
            ("administrators", _("Administrators: everyone whose role may do more than a member's")),
            ("everybody", _("Everybody")),
        ],
    )
    grace_days = forms.IntegerField(
        label=_("Days to set it up"),
        min_value=0,
        max_value=90,
        help_text=_("From now, or from joining. Afterwards nothing else goes here without it."),
    )
