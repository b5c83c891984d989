"""The built-in roles that moderate may also post where only announcers do."""

from importlib import import_module

from django.db import migrations

GRANT = import_module("apps.accounts.migrations.0007_access").GRANT


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_oauth")]

    operations = [
        migrations.RunSQL(
            GRANT.format(permission="message.announce", roles="'owner', 'admin', 'moderator'"),
            migrations.RunSQL.noop,
        )
    ]
