"""Documents, their pages and what replaces them, the library of those of no conversation, and where they come from."""

from django.db import models
from django.db.models.functions import MD5, Now

from apps.core.models import TenantModel
from apps.core.models.encrypted import EncryptedTextField
from apps.documents.types import DocumentState, PageState, SourceInterval, SourceKind, SourceState


class Collection(TenantModel):
    """Documents that belong together, with an audience of their own. Each organization has its library."""

    key = models.SlugField(max_length=40)
    scope = models.ForeignKey(
        "accounts.Scope", on_delete=models.PROTECT, related_name="+", db_constraint=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "key"], name="documents_collection_key")
        ]

    def __str__(self) -> str:
        return self.key


class ReadContent(TenantModel):
    """A file that is read page by page, and how far that is."""

    file = models.ForeignKey(
        "files.StoredFile", on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    created_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    title = models.CharField(max_length=300)
    name = models.CharField(max_length=255)
    media_type = models.CharField(max_length=100)
    language = models.CharField(max_length=5, blank=True, default="")
    page_count = models.PositiveIntegerField(null=True)
    state = models.CharField(max_length=10, choices=DocumentState.choices, default=DocumentState.QUEUED)
    error_code = models.CharField(max_length=60, blank=True, default="")
    version = models.PositiveIntegerField(default=1)
    content_hash = models.CharField(max_length=64, help_text="SHA-256 of the file, as hex.")
    run_id = models.UUIDField(null=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.title


class Document(ReadContent):
    """A file and its pages for an audience. Its content may be replaced: the id stays, the version grows."""

    scope = models.ForeignKey(
        "accounts.Scope", on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    conversation_id = models.UUIDField(null=True, help_text="Where it was attached; empty for the library.")
    message_id = models.UUIDField(null=True, help_text="The message that carries it.")
    renewed_at = models.DateTimeField(null=True, help_text="When its content was replaced the last time.")
    is_named = models.BooleanField(
        db_default=False, help_text="Somebody gave it its title: no content changes that."
    )

    class Meta:
        constraints = [
            # adding the same file to the same audience twice makes one document
            models.UniqueConstraint(fields=["scope", "file"], name="documents_document_once")
        ]
        indexes = [
            # the documents of an audience, newest first
            models.Index(fields=["organization", "scope", "-id"], name="documents_scope"),
            # what is being read, newest first, for whoever searches meanwhile
            models.Index(
                fields=["organization", "-id"],
                condition=models.Q(state__in=["queued", "reading"]),
                name="documents_being_read",
            ),
            # what goes when its message goes
            models.Index(
                fields=["message_id"], condition=~models.Q(message_id=None), name="documents_message"
            ),
        ]


class Renewal(ReadContent):
    """The next content of a document while it is read, beside the one that is shown; gone when it takes its place."""

    document = models.OneToOneField(
        "documents.Document", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )


class DocumentPage(models.Model):
    """A settled page: its text with the place of each word, or why it could not be read."""

    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="+")
    document = models.ForeignKey(
        "documents.Document", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    version = models.PositiveIntegerField(db_default=1, help_text="Of the content it belongs to.")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=PageState.choices)
    error_code = models.CharField(max_length=60, blank=True, default="")
    width = models.FloatField(null=True)
    height = models.FloatField(null=True)
    text = models.TextField(blank=True, default="")
    layout = models.JSONField(default=dict, help_text="Blocks, and the box of each word, in points.")
    headings = models.JSONField(default=list, help_text="Headings still open at the end: [level, text].")
    parsed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            # one row for each page, and the pages of a content in order
            models.UniqueConstraint(fields=["document", "version", "number"], name="documents_page_once")
        ]

    def __str__(self) -> str:
        return f"page {self.number} of {self.document_id}"


class SourceManager(models.Manager["Source"]):
    """Leaves the secret where it is: only who opens a source needs it, and without its key the rest still works."""

    def get_queryset(self) -> models.QuerySet["Source"]:
        """Return the sources without their secrets."""
        return super().get_queryset().defer("secret")


class Source(TenantModel):
    """Where documents come from by themselves: a web address, a folder of the server, a repository and the like."""

    kind = models.CharField(max_length=10, choices=SourceKind.choices)
    name = models.CharField(max_length=120)
    settings = models.JSONField(default=dict, help_text="What the connector of this kind asks for.")
    secret = EncryptedTextField(null=True, editable=False, help_text="Password or key; never shown again.")
    scope = models.ForeignKey(
        "accounts.Scope", on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    conversation_id = models.UUIDField(
        null=True, help_text="Whose documents they become; empty for the library."
    )
    interval = models.CharField(max_length=10, choices=SourceInterval.choices, default=SourceInterval.MANUAL)
    is_paused = models.BooleanField(default=False)
    created_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=SourceState.choices, default=SourceState.NEW)
    error_code = models.CharField(max_length=60, blank=True, default="")
    held_count = models.PositiveIntegerField(
        default=0, help_text="Documents that would go, while somebody is asked first."
    )
    run_id = models.UUIDField(null=True, help_text="The last synchronization.")
    synced_at = models.DateTimeField(null=True, help_text="When the last one ended well.")
    due_at = models.DateTimeField(null=True, help_text="When the next one starts by itself.")

    objects = SourceManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="documents_source_name"),
            models.CheckConstraint(
                condition=models.Q(due_at=None) | ~models.Q(interval=SourceInterval.MANUAL),
                name="documents_source_due",
            ),
        ]
        indexes = [
            # the duty that starts what is due
            models.Index(
                fields=["due_at"], condition=models.Q(is_paused=False), name="documents_source_due_at"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SourceItem(TenantModel):
    """One thing of a source as it was last seen. The row of a thing that is gone stays as its tombstone."""

    source = models.ForeignKey(
        "documents.Source", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    external_id = models.CharField(max_length=2048, help_text="Address, or path below the folder.")
    fingerprint = models.JSONField(default=dict, help_text="What tells a change without reading.")
    content_hash = models.CharField(max_length=64, blank=True, default="", help_text="SHA-256 as hex.")
    document = models.ForeignKey(
        "documents.Document", null=True, on_delete=models.SET_NULL, related_name="+", db_constraint=False
    )
    content_error = models.CharField(
        max_length=60, blank=True, default="", help_text="Why this content cannot be a document."
    )
    error_code = models.CharField(
        max_length=60, blank=True, default="", help_text="Why it could not be read the last time."
    )
    seen_run_id = models.UUIDField(null=True, help_text="The last synchronization that listed it.")
    seen_at = models.DateTimeField(db_default=Now())
    missing_at = models.DateTimeField(
        null=True, help_text="Not found any more; its document goes at the end."
    )
    gone_at = models.DateTimeField(null=True, help_text="When its document was removed.")

    class Meta:
        constraints = [
            # one row for each thing; addresses are too long for an index as they are
            models.UniqueConstraint("source", MD5("external_id"), name="documents_sourceitem_once"),
        ]
        indexes = [
            # a document that is deleted leaves the item it came from
            models.Index(
                fields=["document"],
                condition=~models.Q(document=None),
                name="documents_sourceitem_document",
            ),
        ]

    def __str__(self) -> str:
        return self.external_id
