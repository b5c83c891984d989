"""Keys that cannot point into another organization."""

from django.db import migrations

from apps.core.migrations_support import composite_key, tenant_key


class Migration(migrations.Migration):
    dependencies = [("files", "0001_initial"), ("accounts", "0002_composite_keys")]

    operations = [
        tenant_key("files_storedfile"),
        composite_key("files_filescope", "file_id", "files_storedfile"),
        composite_key("files_filescope", "scope_id", "accounts_scope"),
    ]
