"""Documents for operators: what is read, what failed and why. Texts are not shown."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.core.admin_base import ReadOnlyAdmin
from apps.documents.models import Collection, Document, DocumentPage, Renewal, Source, SourceItem


@admin.register(Document)
class DocumentAdmin(ReadOnlyAdmin[Document]):
    """One row for each document."""

    list_display = (
        "id",
        "title",
        "organization",
        "media_type",
        "state",
        "error_code",
        "page_count",
        "created_at",
    )
    list_select_related = ("organization",)
    list_filter = ("state", "media_type", "language")
    search_fields = ("=id", "=file__id", "=created_by__id", "title")


@admin.register(Renewal)
class RenewalAdmin(ReadOnlyAdmin[Renewal]):
    """What replaces documents, while it is read or because it could not be."""

    list_display = ("document", "version", "organization", "media_type", "state", "error_code", "created_at")
    list_select_related = ("document", "organization")
    list_filter = ("state", "media_type")
    search_fields = ("=document__id", "=file__id", "=created_by__id")


@admin.register(DocumentPage)
class DocumentPageAdmin(ReadOnlyAdmin[DocumentPage]):
    """Settled pages, without what they say."""

    list_display = ("document", "version", "number", "state", "error_code", "parsed_at")
    list_select_related = ("document",)
    list_filter = ("state", "error_code")
    search_fields = ("=document__id",)
    exclude = ("text", "layout", "headings")


@admin.register(Collection)
class CollectionAdmin(ReadOnlyAdmin[Collection]):
    """Libraries."""

    list_display = ("key", "organization", "scope", "created_at")
    list_select_related = ("organization", "scope")


@admin.register(Source)
class SourceAdmin(ReadOnlyAdmin[Source]):
    """Sources: when they were read, and what is wrong with them."""

    list_display = ("name", "organization", "kind", "state", "error_code", "is_paused", "synced_at", "due_at")
    list_select_related = ("organization",)
    list_filter = ("kind", "state", "is_paused")
    search_fields = ("=id", "=created_by__id", "name")
    exclude = ("secret",)


@admin.register(SourceItem)
class SourceItemAdmin(ReadOnlyAdmin[SourceItem]):
    """Things of sources, and why some are no documents."""

    list_display = ("external_id", "source", "error_code", "content_error", "seen_at", "gone_at")
    list_select_related = ("source",)
    list_filter = ("error_code", "content_error")
    search_fields = ("=id", "=source__id", "=document__id")
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[SourceItem]:
        """Leave the secrets of the sources where they are."""
        return super().get_queryset(request).defer("source__secret")
