"""Addresses for answers by mail know the message they tell of."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notify", "0002_walls"),
    ]

    operations = [
        migrations.AddField(
            model_name="replyaddress",
            name="message_id",
            field=models.UUIDField(help_text="The last message the mail told of.", null=True),
        ),
    ]
