"""Drafts and scheduled messages keep the name of the topic that they are written for."""

from django.db import migrations, models


def topic() -> "models.CharField[str, str]":
    return models.CharField(
        blank=True, db_default="", default="", help_text="Its name; empty is the general one.", max_length=60
    )


def of_a_topic(name: str) -> models.Index:
    return models.Index(condition=models.Q(("topic", ""), _negated=True), fields=["conversation"], name=name)


class Migration(migrations.Migration):
    dependencies = [
        ("chat", "0055_file_ages"),
    ]

    operations = [
        migrations.AddField(model_name="draft", name="topic", field=topic()),
        migrations.AddField(model_name="scheduledmessage", name="topic", field=topic()),
        migrations.AddIndex(model_name="draft", index=of_a_topic("chat_draft_topic")),
        migrations.AddIndex(model_name="scheduledmessage", index=of_a_topic("chat_scheduledmessage_topic")),
    ]
