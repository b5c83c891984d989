"""Row security on every table of an organization."""

from django.db import migrations

from apps.core.migrations_support import walled


class Migration(migrations.Migration):
    dependencies = [("documents", "0002_composite_keys"), ("core", "0004_walls")]

    operations = [
        walled("documents_collection"),
        walled("documents_document"),
        walled("documents_documentpage"),
    ]
