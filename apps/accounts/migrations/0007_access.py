"""Conditions on custom roles, classes of data, roles in one audience, and looking at pages as somebody else."""

import apps.core.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from apps.core.migrations_support import composite_key, walled


# Only keys that `apps.accounts.conditions` knows; what they hold, `conditions.read` checks.
KNOWN = """
ALTER TABLE accounts_role ADD CONSTRAINT accounts_role_conditions CHECK (jsonb_typeof(conditions) = 'object'
  AND conditions - ARRAY['networks', 'factor', 'days', 'from', 'until', 'zone', 'data_classes'] = '{}'::jsonb)
"""
GRANT = """
UPDATE accounts_role SET permissions = array_append(permissions, '{permission}')
WHERE key IN ({roles}) AND is_builtin AND NOT '{permission}' = ANY (permissions)
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_second_factors"),
    ]

    operations = [
        migrations.CreateModel(
            name="ScopedRole",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="ViewAs",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "session",
                    models.CharField(help_text="What a revocation names; opens nothing.", max_length=32),
                ),
                ("reason", models.CharField(help_text="Told to the person.", max_length=200)),
                ("ends_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.AddField(
            model_name="role",
            name="conditions",
            field=models.JSONField(
                blank=True,
                db_default=models.Value({}, models.JSONField()),
                default=dict,
                help_text="What must hold for the role to give its rights; see `conditions.py`.",
            ),
        ),
        migrations.AddField(
            model_name="scope",
            name="data_class",
            field=models.CharField(db_default="internal", default="internal", max_length=12),
        ),
        migrations.AddConstraint(
            model_name="role",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_builtin", False), ("conditions", {}), _connector="OR"),
                name="accounts_role_unconditional",
            ),
        ),
        migrations.AddConstraint(
            model_name="scope",
            constraint=models.CheckConstraint(
                condition=models.Q(("data_class__in", ("public", "internal", "confidential", "secret"))),
                name="accounts_scope_data_class",
            ),
        ),
        migrations.AddField(
            model_name="scopedrole",
            name="given_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="scopedrole",
            name="organization",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organization"
            ),
        ),
        migrations.AddField(
            model_name="scopedrole",
            name="principal",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="scopedrole",
            name="role",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.role",
            ),
        ),
        migrations.AddField(
            model_name="scopedrole",
            name="scope",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="accounts.scope",
            ),
        ),
        migrations.AddField(
            model_name="viewas",
            name="organization",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organization"
            ),
        ),
        migrations.AddField(
            model_name="viewas",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="viewas",
            name="viewer",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddIndex(
            model_name="scopedrole",
            index=models.Index(fields=["organization", "scope"], name="accounts_scopedrole_scope"),
        ),
        migrations.AddConstraint(
            model_name="scopedrole",
            constraint=models.UniqueConstraint(
                fields=("organization", "principal", "scope", "role"), name="accounts_scopedrole_once"
            ),
        ),
        migrations.AddIndex(
            model_name="viewas",
            index=models.Index(
                fields=["organization", "person", "-created_at"], name="accounts_viewas_person"
            ),
        ),
        migrations.AddIndex(
            model_name="viewas",
            index=models.Index(
                condition=models.Q(("ended_at", None)), fields=["ends_at"], name="accounts_viewas_ends"
            ),
        ),
        migrations.AddConstraint(
            model_name="viewas",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)),
                fields=("organization", "session"),
                name="accounts_viewas_open",
            ),
        ),
        composite_key("accounts_scopedrole", "scope_id", "accounts_scope"),
        composite_key("accounts_scopedrole", "role_id", "accounts_role", on_delete="NO ACTION"),
        walled("accounts_scopedrole"),
        walled("accounts_viewas"),
        migrations.RunSQL(KNOWN, "ALTER TABLE accounts_role DROP CONSTRAINT accounts_role_conditions"),
        migrations.RunSQL(
            GRANT.format(permission="access.explain", roles="'owner', 'admin', 'auditor'"),
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(
            GRANT.format(permission="access.view_as", roles="'owner', 'admin'"), migrations.RunSQL.noop
        ),
    ]
