"""The index of numbers holds what has one: an entry is written into it once, not twice."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0006_erasing_events"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="auditentry",
            name="core_auditentry_number",
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(
                condition=models.Q(("number__isnull", False)),
                fields=["organization_id", "number"],
                name="core_auditentry_number",
            ),
        ),
    ]
