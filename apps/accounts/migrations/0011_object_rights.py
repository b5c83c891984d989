"""Single rights in single audiences, for a time, as rows of django-guardian's form behind the wall."""

import apps.core.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from apps.core.migrations_support import composite_key, walled


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0010_guests_groups"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="scope",
            options={
                "permissions": [
                    ("conversation.manage_any", "conversation.manage_any"),
                    ("document.manage", "document.manage"),
                    ("message.moderate", "message.moderate"),
                ]
            },
        ),
        migrations.CreateModel(
            name="ObjectGrant",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("reason", models.CharField(max_length=200)),
                ("expires_at", models.DateTimeField()),
                (
                    "content_object",
                    models.ForeignKey(
                        db_column="scope_id",
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.scope",
                    ),
                ),
                (
                    "given_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
                (
                    "permission",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="auth.permission"),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization", "content_object"], name="accounts_objectgrant_scope")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "user", "content_object", "permission"),
                        name="accounts_objectgrant_once",
                    )
                ],
            },
        ),
        composite_key("accounts_objectgrant", "scope_id", "accounts_scope"),
        walled("accounts_objectgrant"),
    ]
