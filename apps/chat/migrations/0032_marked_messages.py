"""What is pinned or saved: found by `is:`, and spared by rules for keeping messages that say so."""

from django.db import migrations, models

from apps.core.migrations_support import search_filter

SAVED = (
    "EXISTS (SELECT FROM chat_savedmessage x WHERE x.organization_id = m.organization_id AND x.message_id = m.id "
    "AND x.principal_id = {reader})"
)


class Migration(migrations.Migration):
    dependencies = [("chat", "0031_retention_and_reports")]

    operations = [
        search_filter("pinned", "m.pinned_at IS NOT NULL"),
        search_filter("saved", SAVED),
        migrations.AddField(
            model_name="retentionrule",
            name="keeps_marked",
            field=models.BooleanField(
                default=False, help_text="What is pinned, or saved by somebody, stays whatever its age."
            ),
        ),
    ]
