from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_composite_keys"),
        ("agents", "0002_composite_keys"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="answer",
            name="completes",
            field=models.UUIDField(
                help_text="The shared answer that this one gives more to, privately.", null=True
            ),
        ),
        migrations.AddField(
            model_name="answer",
            name="usage",
            field=models.JSONField(
                default=dict, help_text="Provider, model and tokens; empty without a model."
            ),
        ),
        migrations.AlterField(
            model_name="answer",
            name="left_out",
            field=models.BooleanField(
                default=False, help_text="The asker may see better sources than all readers."
            ),
        ),
        migrations.AddConstraint(
            model_name="answer",
            constraint=models.UniqueConstraint(
                condition=models.Q(("completes", None), _negated=True),
                fields=("completes",),
                name="agents_answer_completed_once",
            ),
        ),
    ]
