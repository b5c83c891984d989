"""Forms of the sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.types import Principal
from apps.chat.selectors.conversations import list_conversations
from apps.core.errors import DomainError
from apps.documents.connectors.imap import mail_ports
from apps.documents.connectors.secrets import LONGEST_SECRET
from apps.documents.services.changing import SourceChange, SourcePlace
from apps.documents.services.sources import NewSource
from apps.documents.types import SourceInterval, SourceKind, SourceView

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class PatternsField(forms.CharField):
    """Which paths are read: one pattern in each line."""

    def __init__(self) -> None:
        super().__init__(
            label=gettext_lazy("Only these files"),
            max_length=10_000,
            required=False,
            widget=forms.Textarea(attrs={"rows": 2, "placeholder": "docs/**"}),
            help_text=gettext_lazy(
                "One pattern in each line, such as docs/** or *.md. Empty reads every document."
            ),
        )

    def clean(self, value: Any) -> list[str]:
        """Return the lines."""
        return str(super().clean(value)).splitlines()


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

    def __init__(
        self, principal: Principal, data: QueryDict | None = None, *, source: SourceView | None = None
    ) -> None:
        super().__init__(data, initial=self._initial(source) if source else None)
        own = [one for one in list_conversations(principal) if one.kind == "channel"]
        choices = [("", _("Library")), *((str(one.id), one.name) for one in own)]
        current = str(source.conversation_id or "") if source else ""
        if current not in dict(choices):
            choices.append((current, _("A conversation you are not in")))
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
            secret=self.cleaned_data.get("secret", ""),
            conversation_id=UUID(place) if place else None,
            interval=SourceInterval(self.cleaned_data["interval"]),
        )

    def change(self) -> SourceChange:
        """Return what is to be different of a source, of a valid form."""
        wanted = self.wanted()
        return SourceChange(
            name=wanted.name,
            settings=wanted.settings,
            secret=wanted.secret or None,
            place=SourcePlace(wanted.conversation_id),
            interval=wanted.interval,
        )

    @classmethod
    def shown(cls, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings of the kind as its fields show them."""
        return {field: settings[field] for field in cls.asked}

    @classmethod
    def _initial(cls, source: SourceView) -> dict[str, Any]:
        place = str(source.conversation_id or "")
        return {
            "name": source.name, "place": place, "interval": source.interval, **cls.shown(source.settings),
        }  # fmt: skip

    def refuse(self, refused: DomainError) -> None:
        """Show a refusal beside the fields it names, else above them all."""
        for error in refused.errors:
            self.add_error(error.field, error.detail)
        if not refused.errors:
            self.add_error(None, refused.detail)


class SecretField(forms.CharField):
    """A password or key; what is kept is never shown, and stays where this is left empty."""

    def __init__(self, label: _StrPromise) -> None:
        super().__init__(
            label=label,
            max_length=LONGEST_SECRET,
            required=False,
            strip=False,
            widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        )


class ForgetField(forms.BooleanField):
    """Whether the password or key that is stored goes."""

    def __init__(self, label: _StrPromise) -> None:
        super().__init__(
            label=label,
            required=False,
            help_text=gettext_lazy("Without them, only what is public can be read."),
        )


class SecretForm(SourceForm):
    """What kinds with a password ask for, too.

    Attributes:
        named_by: the setting that names whose secret it is, where the kind can be read without both; it is forgotten
            with it.
    """

    named_by = ""

    def __init__(
        self, principal: Principal, data: QueryDict | None = None, *, source: SourceView | None = None
    ) -> None:
        super().__init__(principal, data, source=source)
        if source is not None and source.has_secret:
            self.fields["secret"].help_text = _(
                "Leave it empty to keep the one that is stored. With another address or user, enter it again."
            )
        else:
            self.fields.pop("forget", None)
            self.fields["secret"].required = not self.named_by

    def clean(self) -> dict[str, Any]:
        """Leave out what goes with a secret that is forgotten."""
        given = super().clean() or {}
        if given.get("forget"):
            if given.get("secret"):
                self.add_error("forget", _("Enter a new one, or forget the stored one."))
            given[self.named_by] = ""
        return given

    def change(self) -> SourceChange:
        """Return what is to be different; an empty secret forgets the one that is stored."""
        wanted = super().change()
        return replace(wanted, secret="") if self.cleaned_data.get("forget") else wanted


class AddressesForm(SourceForm):
    """Web addresses."""

    kind, asked = SourceKind.URL, ("addresses", "with_links")
    field_order = ("name", "addresses", "with_links", "place", "interval")

    addresses = forms.CharField(
        label=gettext_lazy("Addresses"),
        max_length=100_000,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "https://"}),
        help_text=gettext_lazy(
            "One in each line: public, or named by your operator, and allowed under outgoing connections. "
            "Who reads the documents sees them."
        ),
    )
    with_links = forms.BooleanField(
        label=gettext_lazy("Also the pages of this site that it links to"),
        required=False,
        help_text=gettext_lazy("For a single address: at most 200 pages of the same host, one click away."),
    )

    @classmethod
    def shown(cls, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the addresses one in each line."""
        return {**settings, "addresses": "\n".join(settings["addresses"])}

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
            "Below the folder of your organization on the server, such as handbooks/current. Empty is all of it."
        ),
    )


class FilesForm(SecretForm):
    """What reads the files that patterns name."""

    include = PatternsField()

    @classmethod
    def shown(cls, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the patterns one in each line."""
        return {**settings, "include": "\n".join(settings["include"])}


class GitForm(FilesForm):
    """A Git repository."""

    kind, asked, named_by = SourceKind.GIT, ("url", "branch", "include", "username"), "username"
    field_order = ("name", *asked, "secret", "forget", "place", "interval")

    url = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=2048,
        widget=forms.URLInput(attrs={"placeholder": "https://"}),
        help_text=gettext_lazy(
            "Of the repository, as for git clone: public, or named by your operator, "
            "and allowed under outgoing connections."
        ),
    )
    branch = forms.CharField(
        label=gettext_lazy("Branch or tag"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("Empty is the default branch."),
    )
    username = forms.CharField(
        label=gettext_lazy("User name"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("Only where the repository is not public; a token may need none."),
    )
    secret = SecretField(gettext_lazy("Access token or password"))
    forget = ForgetField(gettext_lazy("Forget the stored one, and the user name"))


class S3Form(FilesForm):
    """A bucket."""

    kind, named_by = SourceKind.S3, "access_key"
    asked = ("endpoint", "region", "bucket", "prefix", "include", "path_style", "access_key")
    field_order = ("name", *asked, "secret", "forget", "place", "interval")

    endpoint = forms.CharField(
        label=gettext_lazy("Server"),
        max_length=2048,
        required=False,
        widget=forms.URLInput(attrs={"placeholder": "https://s3.example.com"}),
        help_text=gettext_lazy(
            "Empty is Amazon. Any other has to be public, or named by your operator, "
            "and allowed under outgoing connections."
        ),
    )
    region = forms.CharField(
        label=gettext_lazy("Region"),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "us-east-1"}),
    )
    bucket = forms.CharField(label=gettext_lazy("Bucket"), max_length=63)
    prefix = forms.CharField(  # type: ignore[assignment]  # a field; a form of Django may have a prefix of its own
        label=gettext_lazy("Only below"),
        max_length=1024,
        required=False,
        help_text=gettext_lazy("How the keys begin, such as handbooks/current/. Empty is the whole bucket."),
    )
    path_style = forms.BooleanField(
        label=gettext_lazy("The bucket is a part of the path, not of the host name"),
        required=False,
        help_text=gettext_lazy("As MinIO mostly has it."),
    )
    access_key = forms.CharField(
        label=gettext_lazy("Access key"),
        max_length=128,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("One that may only list and read. Empty for a public bucket."),
    )
    secret = SecretField(gettext_lazy("Secret access key"))
    forget = ForgetField(gettext_lazy("Forget the stored one, and the access key"))


class ImapForm(SecretForm):
    """A folder of a mailbox."""

    kind, asked = SourceKind.IMAP, ("host", "security", "port", "username", "folder")
    field_order = ("name", *asked, "secret", "place", "interval")

    host = forms.CharField(
        label=gettext_lazy("Server"),
        max_length=253,
        widget=forms.TextInput(attrs={"placeholder": "imap.example.com"}),
        help_text=gettext_lazy(
            "It has to be public, or named by your operator, and allowed under outgoing connections."
        ),
    )
    security = forms.ChoiceField(
        label=gettext_lazy("Encryption"), choices=[("tls", "TLS"), ("starttls", "STARTTLS")], initial="tls"
    )
    port = forms.TypedChoiceField(
        label=gettext_lazy("Port"),
        choices=lambda: [(port, str(port)) for port in mail_ports()],
        coerce=int,
        initial=993,
    )
    username = forms.CharField(
        label=gettext_lazy("User name"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    folder = forms.CharField(
        label=gettext_lazy("Folder"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "INBOX"}),
        help_text=gettext_lazy(
            "Its mails, and the files in them, become documents for everybody chosen below. "
            "Nothing is changed there, and no mail is marked as read."
        ),
    )
    secret = SecretField(gettext_lazy("Password"))


FORMS: Final[dict[SourceKind, type[SourceForm]]] = {
    SourceKind.URL: AddressesForm,
    SourceKind.FOLDER: FolderForm,
    SourceKind.GIT: GitForm,
    SourceKind.S3: S3Form,
    SourceKind.IMAP: ImapForm,
}
