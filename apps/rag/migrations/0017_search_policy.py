"""What an organization decided about searches: whether weak ones may ask the language model for other words."""

import django.db.models.deletion
from django.db import migrations, models

import apps.core.ids
from apps.core.migrations_support import walled


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0014_search_inspectors"),
        ("rag", "0016_alike_without_statistics"),
    ]

    operations = [
        migrations.CreateModel(
            name="SearchPolicy",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "other_words",
                    models.BooleanField(default=True, help_text="Weak searches may ask the language model."),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organization",), name="rag_searchpolicy_once")
                ]
            },
        ),
        walled("rag_searchpolicy"),
    ]
