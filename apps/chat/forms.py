"""Forms of chat pages. They check the shape; services decide."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.accounts.types import PersonView
from apps.chat.types import BODY_LIMIT, ReportReason


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


class ReportForm(forms.Form):
    """Why a message is reported."""

    reason = forms.ChoiceField(label=_("What is wrong"), choices=ReportReason.choices)
    note = forms.CharField(
        label=_("Note for the moderators"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_(
            "Moderators see the message, your name and this note. The author is not told who reported it."
        ),
    )


class RetentionForm(forms.Form):
    """After how many days messages of a channel, or of all conversations, end."""

    place = forms.ChoiceField(label=_("Where"), required=False)
    days = forms.IntegerField(
        label=_("Days"),
        min_value=1,
        max_value=36_500,
        required=False,
        help_text=_("Older messages are emptied. Leave it open to keep messages for ever."),
    )

    def __init__(self, *args: Any, places: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        place = self.fields["place"]
        if isinstance(place, forms.ChoiceField):
            place.choices = [("", _("All conversations without a rule of their own")), *places]
