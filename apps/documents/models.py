"""Documents, their pages, and the library that holds those of no conversation."""

from django.db import models
from django.db.models.functions import Now

from apps.core.models import TenantModel
from apps.documents.types import DocumentState, PageState


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


class Document(TenantModel):
    """A file that is read page by page."""

    file = models.ForeignKey(
        "files.StoredFile", on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    scope = models.ForeignKey(
        "accounts.Scope", on_delete=models.PROTECT, related_name="+", db_constraint=False
    )
    conversation_id = models.UUIDField(null=True, help_text="Where it was attached; empty for the library.")
    message_id = models.UUIDField(null=True, help_text="The message that carries it.")
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

    def __str__(self) -> str:
        return self.title


class DocumentPage(models.Model):
    """A settled page: its text with the place of each word, or why it could not be read."""

    organization = models.ForeignKey("accounts.Organization", on_delete=models.PROTECT, related_name="+")
    document = models.ForeignKey(
        "documents.Document", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
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
            # one row for each page, and the pages of a document in order
            models.UniqueConstraint(fields=["document", "number"], name="documents_page_once")
        ]

    def __str__(self) -> str:
        return f"page {self.number} of {self.document_id}"
