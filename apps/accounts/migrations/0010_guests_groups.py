"""Seats of guests that end, and groups of people that can have a role in one audience."""

import apps.core.ids
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

from apps.core.migrations_support import composite_key, tenant_key, tenant_statistics, walled


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0009_announcers"),
    ]

    operations = [
        migrations.CreateModel(
            name="PeopleGroup",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("name", models.CharField(max_length=60)),
                ("description", models.CharField(blank=True, default="", max_length=200)),
                ("is_mentionable", models.BooleanField(default=True)),
            ],
        ),
        migrations.CreateModel(
            name="PeopleGroupMember",
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
        migrations.AddField(
            model_name="invitation",
            name="seat_expires_at",
            field=models.DateTimeField(
                blank=True, help_text="When the seat of a guest who comes in by it is over.", null=True
            ),
        ),
        migrations.AddField(
            model_name="member",
            name="expires_at",
            field=models.DateTimeField(
                blank=True,
                help_text="Of a guest: nothing of the seat works afterwards, and it ends.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="scopedrole",
            name="principal",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="member",
            index=models.Index(
                condition=models.Q(("deactivated_at", None), ("expires_at__isnull", False)),
                fields=["expires_at"],
                name="accounts_member_expires",
            ),
        ),
        migrations.AddField(
            model_name="peoplegroup",
            name="created_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="peoplegroup",
            name="organization",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organization"
            ),
        ),
        migrations.AddField(
            model_name="scopedrole",
            name="group",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="accounts.peoplegroup",
            ),
        ),
        migrations.AddConstraint(
            model_name="scopedrole",
            constraint=models.UniqueConstraint(
                condition=models.Q(("group", None), _negated=True),
                fields=("organization", "group", "scope", "role"),
                name="accounts_scopedrole_group_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="scopedrole",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("group__isnull", False), ("principal", None)),
                    models.Q(("group", None), ("principal__isnull", False)),
                    _connector="OR",
                ),
                name="accounts_scopedrole_whose",
            ),
        ),
        migrations.AddField(
            model_name="peoplegroupmember",
            name="added_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="peoplegroupmember",
            name="group",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="accounts.peoplegroup",
            ),
        ),
        migrations.AddField(
            model_name="peoplegroupmember",
            name="organization",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organization"
            ),
        ),
        migrations.AddField(
            model_name="peoplegroupmember",
            name="principal",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddConstraint(
            model_name="peoplegroup",
            constraint=models.UniqueConstraint(
                models.F("organization"),
                django.db.models.functions.text.Lower("name"),
                name="accounts_peoplegroup_name",
            ),
        ),
        migrations.AddIndex(
            model_name="peoplegroupmember",
            index=models.Index(fields=["organization", "principal"], name="accounts_peoplegroupmember_own"),
        ),
        migrations.AddConstraint(
            model_name="peoplegroupmember",
            constraint=models.UniqueConstraint(
                fields=("organization", "group", "principal"), name="accounts_peoplegroupmember_once"
            ),
        ),
        tenant_key("accounts_peoplegroup"),
        composite_key("accounts_peoplegroupmember", "group_id", "accounts_peoplegroup"),
        composite_key("accounts_scopedrole", "group_id", "accounts_peoplegroup"),
        walled("accounts_peoplegroup"),
        walled("accounts_peoplegroupmember"),
        tenant_statistics("accounts_peoplegroupmember", "group_id", "principal_id"),
    ]
