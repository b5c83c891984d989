"""Messages that wait for their time, and reminders."""

import apps.core.ids
import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from apps.core.migrations_support import composite_key, tenant_statistics, walled


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_oauth"),
        ("chat", "0011_marks_and_keeping"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Reminder",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("note", models.CharField(blank=True, default="", max_length=500)),
                (
                    "due_at",
                    models.DateTimeField(
                        help_text="The next time; of one that does not repeat and came: that time."
                    ),
                ),
                (
                    "repeat",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("daily", "Daily"),
                            ("weekdays", "Weekdays"),
                            ("weekly", "Weekly"),
                            ("monthly", "Monthly"),
                        ],
                        default="",
                        max_length=8,
                    ),
                ),
                (
                    "zone",
                    models.CharField(
                        default="UTC", help_text="Whose clock a repetition follows.", max_length=64
                    ),
                ),
                (
                    "fired_at",
                    models.DateTimeField(
                        blank=True, help_text="When it came last, until it is done.", null=True
                    ),
                ),
                ("is_waiting", models.BooleanField(default=True, help_text="It will come (again).")),
                (
                    "message",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="chat.message",
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
                    "principal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("is_waiting", True)), fields=["due_at"], name="chat_reminder_due"
                    ),
                    models.Index(fields=["organization", "principal", "due_at"], name="chat_reminder_own"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ScheduledMessage",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("thread_id", models.UUIDField(blank=True, null=True)),
                ("body", models.TextField()),
                (
                    "attachments",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), blank=True, default=list, size=None
                    ),
                ),
                ("priority", models.CharField(blank=True, default="", max_length=9)),
                ("confirm_mass_mention", models.BooleanField(default=False)),
                ("send_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("sent", "Sent"), ("failed", "Failed")],
                        default="waiting",
                        max_length=7,
                    ),
                ),
                ("failure_code", models.CharField(blank=True, default="", max_length=60)),
                (
                    "failure_fields",
                    models.JSONField(
                        blank=True, default=dict, help_text="What the sentence of the code names."
                    ),
                ),
                ("message_id", models.UUIDField(blank=True, help_text="What it became.", null=True)),
                (
                    "conversation",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="chat.conversation",
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
                    "principal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "waiting")),
                        fields=["send_at"],
                        name="chat_scheduledmessage_due",
                    ),
                    models.Index(
                        fields=["organization", "principal", "send_at"], name="chat_scheduledmessage_own"
                    ),
                ],
            },
        ),
        composite_key("chat_scheduledmessage", "conversation_id", "chat_conversation"),
        composite_key("chat_reminder", "message_id", "chat_message"),
        walled("chat_scheduledmessage"),
        walled("chat_reminder"),
        tenant_statistics("chat_scheduledmessage", "principal_id", "conversation_id"),
        tenant_statistics("chat_reminder", "principal_id", "message_id"),
    ]
