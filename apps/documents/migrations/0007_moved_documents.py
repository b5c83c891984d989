"""A key of documents that holds their audience, for what is copied of them under it."""

from django.db import migrations

KEY = "documents_document_audience_key"


class Migration(migrations.Migration):
    dependencies = [("documents", "0006_renewals")]

    operations = [
        migrations.RunSQL(
            f"ALTER TABLE documents_document ADD CONSTRAINT {KEY} UNIQUE (organization_id, id, scope_id)",
            f"ALTER TABLE documents_document DROP CONSTRAINT {KEY}",
        )
    ]
