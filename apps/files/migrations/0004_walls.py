"""Row security on every table of an organization."""

from django.db import migrations

from apps.core.migrations_support import tenant_statistics, walled


class Migration(migrations.Migration):
    dependencies = [("files", "0003_delivery"), ("core", "0004_walls")]

    operations = [
        walled("files_storedfile"),
        walled("files_filescope"),
        tenant_statistics("files_storedfile", "uploader_id"),
        tenant_statistics("files_filescope", "file_id", "scope_id"),
    ]
