"""The content index for operators: what is indexed and how, never what it says; and the sets of synonyms."""

from __future__ import annotations

from django.contrib import admin

from apps.core.admin_base import ReadOnlyAdmin
from apps.rag.models import Chunk, IndexStat, SynonymSet


@admin.register(Chunk)
class ChunkAdmin(ReadOnlyAdmin[Chunk]):
    """One row for each piece of a message or page. An empty model version waits for its vector."""

    list_display = (
        "id", "organization", "source_type", "source_id", "page", "language", "model_version", "indexed_at",
    )  # fmt: skip
    list_select_related = ("organization",)
    list_filter = ("source_type", "language", "model_version", "is_generated")
    search_fields = ("=source_id",)
    fields = (
        "organization", "source_type", "source_id", "page", "ordinal", "char_start", "char_end", "language",
        "media_type", "is_generated", "has_file", "model_version", "content_time", "indexed_at",
    )  # fmt: skip


@admin.register(IndexStat)
class IndexStatAdmin(ReadOnlyAdmin[IndexStat]):
    """How large each organization's index was when its words were counted."""

    list_display = ("organization", "chunks", "mean_words", "refreshed_at")
    list_select_related = ("organization",)


@admin.register(SynonymSet)
class SynonymSetAdmin(ReadOnlyAdmin[SynonymSet]):
    """Which words an organization takes for the same."""

    list_display = ("id", "organization", "terms", "language", "created_at")
    list_select_related = ("organization",)
    list_filter = ("language",)
    fields = ("organization", "terms", "language", "created_by", "created_at")
