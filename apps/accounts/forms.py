"""Forms of the account pages and of the settings pages."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.errors import NameNotValid
from apps.accounts.services.api_keys import LONGEST_DAYS
from apps.accounts.services.names import clean_line, clean_name
from apps.accounts.types import KEY_SCOPES, OAUTH_SCOPES, KeyLimits

KEY_SCOPE_LABELS = {
    "chat:read": _("Read conversations and people"),
    "chat:write": _("Write messages, change conversations"),
    "files:write": _("Upload files, manage documents"),
    "search:read": _("Search"),
    "ask:write": _("Ask the assistant"),
    "keys:write": _("Make and end keys"),
    "admin:read": _("Read the console"),
    "audit:read": _("Read the audit trail"),
    "admin:write": _("Change members, roles and settings"),
}
OAUTH_SCOPE_LABELS = {
    "openid": _("See that it is you"),
    "profile": _("See your name and your organization"),
    "email": _("See your e-mail address"),
    "offline_access": _("Stay signed in while you are away"),
    **{scope: label for scope, label in KEY_SCOPE_LABELS.items() if scope in OAUTH_SCOPES},
}
THEME_LABELS = [("system", _("As the device")), ("light", _("Light")), ("dark", _("Dark"))]


class NameField(forms.CharField):
    """A person's name."""

    def clean(self, value: Any) -> str:
        """Return the cleaned name."""
        text: str = super().clean(value)
        return _cleaned(lambda: clean_name(text, limit=self.max_length or 80))


class LineField(forms.CharField):
    """One line, which may be empty."""

    def clean(self, value: Any) -> str:
        """Return the cleaned line."""
        text: str = super().clean(value)
        return _cleaned(lambda: clean_line(text, limit=self.max_length or 80))


class InvitationForm(forms.Form):
    """A new account by invitation."""

    name = NameField(
        label=_("Your name"), max_length=80, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=200,
        strip=False,
        help_text=_("At least 12 characters. A sentence is easy to remember."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class CodeForm(forms.Form):
    """Proof with a second factor: a typed code, or what a key answered."""

    code = forms.CharField(
        label=_("Code"),
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )
    credential = forms.CharField(required=False, max_length=16_384, widget=forms.HiddenInput)


class AppCodeForm(forms.Form):
    """The first code of a new authenticator app."""

    code = forms.CharField(
        label=_("Code"),
        max_length=12,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


class PasskeyForm(forms.Form):
    """A new key."""

    name = NameField(label=_("Name of the key"), max_length=60)
    credential = forms.CharField(max_length=16_384, widget=forms.HiddenInput)


class PasswordForm(forms.Form):
    """The own password once more."""

    password = forms.CharField(
        label=_("Password"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class ProfileForm(forms.Form):
    """How others in the organization see a member."""

    name = NameField(label=_("Name"), max_length=80, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    title = LineField(label=_("Title"), max_length=80, required=False)
    about = LineField(label=_("About"), max_length=300, required=False)


class PreferencesForm(forms.Form):
    """Language and theme."""

    language = forms.ChoiceField(
        label=_("Language"), required=False, choices=[("", _("As the browser")), *settings.LANGUAGES]
    )
    theme = forms.ChoiceField(label=_("Theme"), choices=THEME_LABELS)


class ApiKeyForm(forms.Form):
    """A new API key."""

    name = NameField(label=_("What is it for?"), max_length=80)
    scopes = forms.MultipleChoiceField(
        label=_("It may"),
        choices=[(scope, KEY_SCOPE_LABELS[scope]) for scope in KEY_SCOPES],
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.IntegerField(label=_("Days until it ends"), min_value=1, max_value=LONGEST_DAYS, initial=90)
    networks = forms.CharField(
        label=_("Only from these networks"),
        required=False,
        max_length=500,
        help_text=_("By comma, such as 192.0.2.0/24. Empty: from anywhere."),
    )

    def limits(self) -> KeyLimits:
        """Return the limits of a valid form."""
        named = (part.strip() for part in self.cleaned_data["networks"].split(","))
        return KeyLimits(networks=tuple(part for part in named if part))


class DeviceCodeForm(forms.Form):
    """The code a device shows."""

    user_code = forms.CharField(
        label=_("Code on the device"),
        max_length=20,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )


class EndOfDayField(forms.DateField):
    """A day in the reader's zone, as the moment it ends."""

    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")

    def clean(self, value: Any) -> Any:
        """Return the first moment of the next day, or None."""
        day = super().clean(value)
        if day is None:
            return None
        return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))


class InviteForm(forms.Form):
    """Invite one person; the roles are those the inviter may give."""

    email = forms.EmailField(label=_("E-mail"))
    role = forms.ChoiceField(label=_("Role"))
    seat_expires_at = EndOfDayField(
        label=_("Guest until"), required=False, help_text=_("A guest's seat ends with this day by itself.")
    )

    def __init__(self, *args: Any, roles: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        role = self.fields["role"]
        if isinstance(role, forms.ChoiceField):
            role.choices = roles


def scope_labels(scopes: Iterable[str]) -> list[str]:
    """Return what scopes mean in words, in the order in which they are always told."""
    wanted = set(scopes)
    return [str(label) for scope, label in OAUTH_SCOPE_LABELS.items() if scope in wanted]


def _cleaned(clean: Any) -> str:
    try:
        text: str = clean()
    except NameNotValid as error:
        raise forms.ValidationError(error.detail, code="invalid") from error
    return text
