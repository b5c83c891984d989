"""A chunk of a document has the audience of its document: it changes with it, and another one is refused.

A page that is indexed at the moment its document is moved would keep the audience of before; now its commit fails, and
the consumer reads it again.
"""

from django.db import migrations

KEY = "rag_chunk_document_audience_fk"


class Migration(migrations.Migration):
    dependencies = [("rag", "0008_synonyms"), ("documents", "0007_moved_documents")]

    operations = [
        migrations.RunSQL(
            f"ALTER TABLE rag_chunk ADD CONSTRAINT {KEY} FOREIGN KEY (organization_id, document_id, scope_id) "
            "REFERENCES documents_document (organization_id, id, scope_id) ON UPDATE CASCADE "
            "DEFERRABLE INITIALLY DEFERRED",
            f"ALTER TABLE rag_chunk DROP CONSTRAINT {KEY}",
        )
    ]
