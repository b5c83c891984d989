"""People know which import made them; the link in an invitation's mail proves the address."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0011_object_rights"),
    ]

    operations = [
        migrations.AddField(
            model_name="invitation",
            name="mailed_hash",
            field=models.BinaryField(
                help_text="Of what only the mail's link carries: its opener reads it.",
                max_length=32,
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="imported_by",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                editable=False,
                help_text="Made by an import of this organization; empty once somebody was let in.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="accounts.organization",
            ),
        ),
    ]
