"""The built-in roles that run an organization may see what was searched for, to make search better."""

from importlib import import_module

from django.db import migrations

GRANT = import_module("apps.accounts.migrations.0007_access").GRANT


class Migration(migrations.Migration):
    dependencies = [("accounts", "0013_search_managers")]

    operations = [
        migrations.RunSQL(
            GRANT.format(permission="search.inspect", roles="'owner', 'admin'"),
            migrations.RunSQL.noop,
        )
    ]
