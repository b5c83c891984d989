"""Files for operators: who uploaded what, how large, in which state. Contents are not shown."""

from __future__ import annotations

from django.contrib import admin

from apps.core.admin_base import ReadOnlyAdmin
from apps.files.models import FileScope, StoredFile


@admin.register(StoredFile)
class StoredFileAdmin(ReadOnlyAdmin[StoredFile]):
    """Uploads and files."""

    list_display = ("id", "name", "organization", "uploader", "media_type", "declared_size_bytes", "state",
                    "failure_code", "created_at")  # fmt: skip
    list_select_related = ("organization", "uploader")
    list_filter = ("state", "purpose", "media_type")
    search_fields = ("=id", "=uploader__id", "name")
    exclude = ("storage_key", "sha256")


@admin.register(FileScope)
class FileScopeAdmin(ReadOnlyAdmin[FileScope]):
    """Which audiences may open which files."""

    list_display = ("file", "scope", "organization", "attached_at")
    list_select_related = ("file", "scope", "organization")
    search_fields = ("=file__id", "=scope__id")
