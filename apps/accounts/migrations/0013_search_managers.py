"""The built-in roles that run an organization may say which words mean the same in a search."""

from importlib import import_module

from django.db import migrations

GRANT = import_module("apps.accounts.migrations.0007_access").GRANT


class Migration(migrations.Migration):
    dependencies = [("accounts", "0012_imported_people")]

    operations = [
        migrations.RunSQL(
            GRANT.format(permission="search.manage", roles="'owner', 'admin'"),
            migrations.RunSQL.noop,
        )
    ]
