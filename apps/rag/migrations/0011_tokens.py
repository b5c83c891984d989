"""Vectors of the tokens of passages, as bits beside each passage, and for which organizations they are complete."""

import django.db.models.deletion
from django.db import migrations, models

from apps.core.migrations_support import composite_key, tenant_statistics, walled

PLAIN_BITS = "ALTER TABLE rag_chunktokens ALTER COLUMN bits SET STORAGE EXTERNAL"  # signs do not get smaller


class Migration(migrations.Migration):
    dependencies = [("rag", "0010_searches")]

    operations = [
        migrations.AddField(
            model_name="indexstat",
            name="tokens_version",
            field=models.CharField(
                blank=True,
                db_default="",
                help_text="The model of which every chunk with a vector has those of its tokens; empty is none.",
                max_length=80,
            ),
        ),
        migrations.CreateModel(
            name="ChunkTokens",
            fields=[
                (
                    "chunk",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="rag.chunk",
                    ),
                ),
                (
                    "bits",
                    models.BinaryField(help_text="Empty for a text without tokens.", max_length=3072),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "chunk"), name="rag_chunktokens_once")
                ]
            },
        ),
        composite_key("rag_chunktokens", "chunk_id", "rag_chunk"),
        tenant_statistics("rag_chunktokens", "chunk_id"),
        migrations.RunSQL(PLAIN_BITS, migrations.RunSQL.noop),
        walled("rag_chunktokens"),
    ]
