"""Forms of the sources."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.types import Principal
from apps.chat.selectors.conversations import list_conversations
from apps.core.errors import DomainError
from apps.documents.services.sources import NewSource
from apps.documents.types import SourceInterval, SourceKind


class SourceForm(forms.Form):
    """What all kinds ask for."""

    kind: SourceKind
    asked: tuple[str, ...]  # of the kind

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    place = forms.ChoiceField(
        label=gettext_lazy("Who finds the documents"),
        help_text=gettext_lazy(
            "The library is for everybody here but guests; a conversation for its members."
        ),
    )
    interval = forms.ChoiceField(
        label=gettext_lazy("Look again"), choices=SourceInterval.choices, initial=SourceInterval.DAILY
    )

    def __init__(self, principal: Principal, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = [one for one in list_conversations(principal) if one.kind == "channel"]
        choices = [("", _("Library")), *((str(one.id), one.name) for one in own)]
        place = self.fields["place"]
        assert isinstance(place, forms.ChoiceField)  # noqa: S101 - declared above
        place.choices, place.required = choices, False

    def wanted(self) -> NewSource:
        """Return the source of a valid form."""
        place = self.cleaned_data["place"]
        return NewSource(
            kind=self.kind,
            name=self.cleaned_data["name"],
            settings={field: self.cleaned_data[field] for field in self.asked},
            conversation_id=UUID(place) if place else None,
            interval=SourceInterval(self.cleaned_data["interval"]),
        )

    def refuse(self, refused: DomainError) -> None:
        """Show a refusal beside the fields it names, else above them all."""
        for error in refused.errors:
            self.add_error(error.field, error.detail)
        if not refused.errors:
            self.add_error(None, refused.detail)


class AddressesForm(SourceForm):
    """Web addresses."""

    kind, asked = SourceKind.URL, ("addresses", "with_links")
    field_order = ("name", "addresses", "with_links", "place", "interval")

    addresses = forms.CharField(
        label=gettext_lazy("Addresses"),
        max_length=100_000,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "https://"}),
        help_text=gettext_lazy(
            "One in each line. They have to be public, and allowed under outgoing connections."
        ),
    )
    with_links = forms.BooleanField(
        label=gettext_lazy("Also the pages of this site that it links to"),
        required=False,
        help_text=gettext_lazy("For a single address: at most 200 pages of the same host, one click away."),
    )

    def clean_addresses(self) -> list[str]:
        """Return the lines."""
        return str(self.cleaned_data["addresses"]).splitlines()


class FolderForm(SourceForm):
    """A folder of the server."""

    kind, asked = SourceKind.FOLDER, ("path",)
    field_order = ("name", "path", "place", "interval")

    path = forms.CharField(
        label=gettext_lazy("Folder"),
        max_length=600,
        required=False,
        help_text=gettext_lazy(
            "Below the folder of your organization on the server, such as `handbooks/current`. Empty is all of it."
        ),
    )
