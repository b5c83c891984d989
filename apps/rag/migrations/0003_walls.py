"""Row security on every table of an organization."""

from django.db import migrations

from apps.core.migrations_support import walled


class Migration(migrations.Migration):
    dependencies = [("rag", "0002_search"), ("core", "0004_walls")]

    operations = [
        walled("rag_chunk"),
        walled("rag_chunkmessage"),
        walled("rag_termstat"),
        walled("rag_indexstat"),
    ]
