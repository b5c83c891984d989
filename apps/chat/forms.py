"""Forms of chat pages. They check the shape; services decide."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.accounts.types import PersonView
from apps.chat.types import BODY_LIMIT


class ChannelForm(forms.Form):
    """Name, purpose and audience of a channel."""

    name = forms.CharField(
        label=_("Name"), max_length=60, help_text=_("For example a subject, a team or a place.")
    )
    topic = forms.CharField(
        label=_("Purpose"),
        max_length=250,
        required=False,
        help_text=_("One line under the name: what belongs here."),
    )
    is_private = forms.BooleanField(label=_("Private: only people who are added can see it"), required=False)

    def __init__(self, *args: Any, may_be_public: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_be_public:
            self.fields["is_private"].initial = True
            self.fields["is_private"].disabled = True


class PeopleForm(forms.Form):
    """A choice of people, each once."""

    people = forms.TypedMultipleChoiceField(
        label=_("People"), coerce=UUID, widget=forms.CheckboxSelectMultiple(attrs={"class": "check"})
    )

    def __init__(self, *args: Any, choices: list[PersonView], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["people"]
        assert isinstance(field, forms.TypedMultipleChoiceField)  # noqa: S101 - declared above
        field.choices = [(str(person.id), person.name) for person in choices]


class SendForm(forms.Form):
    """A message without a script. The client key makes a double click harmless."""

    body = forms.CharField(max_length=BODY_LIMIT + 1000, required=False, strip=False)
    client_key = forms.CharField(max_length=64)
    thread = forms.UUIDField(required=False)


class EditForm(forms.Form):
    """A message's new text; `version` is the one the editor saw."""

    body = forms.CharField(
        label=_("Text"), max_length=BODY_LIMIT + 1000, strip=False, widget=forms.Textarea(attrs={"rows": 6})
    )
    version = forms.IntegerField(widget=forms.HiddenInput)


class DraftForm(forms.Form):
    """Unsent text."""

    body = forms.CharField(max_length=BODY_LIMIT + 1000, required=False, strip=False)
    thread = forms.UUIDField(required=False)


class StatusForm(forms.Form):
    """What one is doing, until when, and what others see of it."""

    ENDS = (
        ("30", _("30 minutes")),
        ("60", _("1 hour")),
        ("240", _("4 hours")),
        ("today", _("Today")),
        ("week", _("This week")),
        ("", _("Until I change it")),
    )

    emoji = forms.CharField(label=_("Emoji"), max_length=32, required=False)
    text = forms.CharField(label=_("What are you doing?"), max_length=100, required=False)
    ends = forms.ChoiceField(label=_("Until"), choices=ENDS, required=False, initial="60")
    is_away = forms.BooleanField(label=_("Show me as away"), required=False)
    is_undisturbed = forms.BooleanField(
        label=_("Do not disturb"), required=False, help_text=_("No push messages until then.")
    )


class SharingForm(forms.Form):
    """What others see of a person, or of everybody in an organization."""

    shows_presence = forms.BooleanField(label=_("Show others whether I am here"), required=False)
    shows_typing = forms.BooleanField(label=_("Show others when I am writing"), required=False)
