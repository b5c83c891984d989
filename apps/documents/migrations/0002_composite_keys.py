"""Keys that cannot point into another organization, and statistics for the planner."""

from django.db import migrations

from apps.core.migrations_support import composite_key, tenant_key, tenant_statistics


class Migration(migrations.Migration):
    dependencies = [("documents", "0001_initial"), ("files", "0003_delivery")]

    operations = [
        tenant_key("documents_document"),
        composite_key("documents_document", "file_id", "files_storedfile", on_delete="NO ACTION"),
        composite_key("documents_document", "scope_id", "accounts_scope", on_delete="NO ACTION"),
        composite_key("documents_documentpage", "document_id", "documents_document"),
        composite_key("documents_collection", "scope_id", "accounts_scope", on_delete="NO ACTION"),
        tenant_statistics("documents_document", "scope_id"),
        tenant_statistics("documents_documentpage", "document_id"),
    ]
