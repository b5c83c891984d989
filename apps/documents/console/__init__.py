"""The console's pages of documents and of the sources they come from."""

from __future__ import annotations

from django.urls import path
from django.utils.translation import gettext_lazy as _

from apps.core import console_shell
from apps.core.registry import register_console_page
from apps.documents.console import documents, sources
from apps.documents.console.common import DOCUMENTS, SOURCES
from apps.documents.selectors import administration
from apps.documents.selectors.sources import source_names
from apps.documents.types import INGEST, SOURCE_SUBJECT, SUBJECT, SYNC
from apps.runs.selectors.naming import register_kind, register_subjects

register_console_page(
    DOCUMENTS,
    _("Documents"),
    "document",
    console_shell.VIEW,
    documents.documents,
    order=50,
    routes=[
        path("<uuid:document_id>/failed/", documents.failed_pages, name="document-failed"),
        path("<uuid:document_id>/retry/", documents.retry, name="document-retry"),
        path("<uuid:document_id>/change/", documents.change, name="document-change"),
        path("<uuid:document_id>/replace/", documents.replace, name="document-replace"),
        path("<uuid:document_id>/delete/", documents.delete, name="document-delete"),
    ],
)
register_console_page(
    SOURCES,
    _("Sources"),
    "download",
    "settings.view",
    sources.sources,
    order=51,
    routes=[
        path("new/", sources.choose, name="source-new"),
        path("addresses/new/", sources.new_addresses, name="source-new-url"),
        path("folder/new/", sources.new_folder, name="source-new-folder"),
        path("git/new/", sources.new_git, name="source-new-git"),
        path("bucket/new/", sources.new_bucket, name="source-new-s3"),
        path("mailbox/new/", sources.new_mailbox, name="source-new-imap"),
        path("<uuid:source_id>/change/", sources.change, name="source-change"),
        path("<uuid:source_id>/sync/", sources.sync, name="source-sync"),
        path("<uuid:source_id>/pause/", sources.pause, name="source-pause"),
        path("<uuid:source_id>/unread/", sources.unread, name="source-unread"),
        path("<uuid:source_id>/confirm/", sources.confirm, name="source-confirm"),
        path("<uuid:source_id>/remove/", sources.remove, name="source-remove"),
    ],
)
register_kind(INGEST, _("Read a document"))
register_kind(SYNC, _("Synchronize a source"))
register_subjects(SUBJECT, administration.titles)
register_subjects(SOURCE_SUBJECT, source_names)
