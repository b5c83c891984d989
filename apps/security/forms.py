"""Forms of privacy: what is asked for, of whom, and why."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.security.types import RequestKind

Choices = list[tuple[str, str]]


class PersonForm(forms.Form):
    """A person of the organization, by choice."""

    person = forms.TypedChoiceField(label=_("Person"))
    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        help_text=_("Kept with the request. Do not write the person's name here."),
    )

    def __init__(self, *args: Any, people: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        person = self.fields["person"]
        if isinstance(person, forms.TypedChoiceField):
            person.choices = people


class RequestForm(PersonForm):
    """An export or an erasure."""

    kind = forms.ChoiceField(
        label=_("What"),
        choices=[
            (RequestKind.EXPORT.value, _("Export the person's data")),
            (RequestKind.ERASURE.value, _("Erase the person; a second administrator approves")),
        ],
    )
    field_order = ("kind", "person", "reason")


class HoldForm(forms.Form):
    """A hold on a person or a conversation."""

    target = forms.ChoiceField(label=_("What to hold"))
    reason = forms.CharField(label=_("Reason"), max_length=500)

    def __init__(self, *args: Any, targets: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        target = self.fields["target"]
        if isinstance(target, forms.ChoiceField):
            target.choices = targets
