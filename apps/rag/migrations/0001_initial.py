import django.contrib.postgres.search
import django.db.models.deletion
import django.db.models.functions.datetime
import pgvector.django.halfvec
import pgvector.django.indexes
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0002_composite_keys"),
        ("chat", "0003_write_path"),
        ("documents", "0002_composite_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="Chunk",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "source_type",
                    models.CharField(
                        choices=[("message", "Messages"), ("document", "Documents")], max_length=8
                    ),
                ),
                ("source_id", models.UUIDField(help_text="The document, or the first message of the chunk.")),
                ("thread_id", models.UUIDField(null=True)),
                ("author_id", models.UUIDField(help_text="Who sent it or uploaded the document.", null=True)),
                (
                    "is_generated",
                    models.BooleanField(
                        default=False, help_text="An agent wrote it: found, but no source of answers."
                    ),
                ),
                ("has_file", models.BooleanField(default=False)),
                ("media_type", models.CharField(blank=True, default="", max_length=100)),
                ("page", models.PositiveIntegerField(null=True)),
                (
                    "ordinal",
                    models.PositiveIntegerField(
                        default=0, help_text="Counts the chunks of a message or page."
                    ),
                ),
                ("char_start", models.PositiveIntegerField(help_text="In the text of the page or message.")),
                ("char_end", models.PositiveIntegerField()),
                (
                    "boxes",
                    models.JSONField(
                        default=list, help_text="Rectangles on the page: [x0, top, x1, bottom] in points."
                    ),
                ),
                ("language", models.CharField(help_text="de, en, or simple: no stemming.", max_length=6)),
                ("title", models.TextField(blank=True, default="")),
                ("heading", models.TextField(blank=True, default="")),
                ("body", models.TextField()),
                ("tsv", django.contrib.postgres.search.SearchVectorField()),
                ("embedding", pgvector.django.halfvec.HalfVectorField(dimensions=384, null=True)),
                ("model_version", models.CharField(blank=True, default="", max_length=80)),
                ("content_hash", models.BinaryField(max_length=32)),
                (
                    "content_time",
                    models.DateTimeField(help_text="Of its oldest message: who joined later may not see it."),
                ),
                ("indexed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "conversation",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="chat.conversation",
                    ),
                ),
                (
                    "document",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="documents.document",
                    ),
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
                (
                    "scope",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.scope",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ChunkMessage",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("message_id", models.UUIDField()),
                ("char_start", models.PositiveIntegerField(help_text="In the chunk's body.")),
                ("char_end", models.PositiveIntegerField()),
                (
                    "message_start",
                    models.PositiveIntegerField(default=0, help_text="The same place in the message's body."),
                ),
                (
                    "chunk",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="rag.chunk",
                    ),
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
        ),
        migrations.CreateModel(
            name="IndexStat",
            fields=[
                (
                    "organization",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="accounts.organization",
                    ),
                ),
                ("chunks", models.PositiveIntegerField(default=0)),
                (
                    "mean_words",
                    models.FloatField(default=0, help_text="Different words of a chunk, on average."),
                ),
                ("refreshed_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("mean_words__gte", 0)), name="rag_indexstat_mean"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="TermStat",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("term", models.TextField()),
                ("chunks", models.PositiveIntegerField()),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.organization",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="chunk",
            index=pgvector.django.indexes.HnswIndex(
                ef_construction=64,
                fields=["embedding"],
                m=16,
                name="rag_chunk_nearest",
                opclasses=["halfvec_cosine_ops"],
            ),
        ),
        migrations.AddIndex(
            model_name="chunk",
            index=models.Index(fields=["organization", "scope", "content_time"], name="rag_chunk_scope"),
        ),
        migrations.AddIndex(
            model_name="chunk",
            index=models.Index(fields=["organization", "-content_time"], name="rag_chunk_newest"),
        ),
        migrations.AddIndex(
            model_name="chunk",
            index=models.Index(fields=["organization", "author_id"], name="rag_chunk_author"),
        ),
        migrations.AddIndex(
            model_name="chunk",
            index=models.Index(fields=["organization", "source_id", "page"], name="rag_chunk_source"),
        ),
        migrations.AddIndex(
            model_name="chunk",
            index=models.Index(fields=["organization", "model_version", "id"], name="rag_chunk_version"),
        ),
        migrations.AddConstraint(
            model_name="chunk",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("embedding", None), ("model_version", "")),
                    models.Q(("embedding__isnull", False), models.Q(("model_version", ""), _negated=True)),
                    _connector="OR",
                ),
                name="rag_chunk_vector",
            ),
        ),
        migrations.AddConstraint(
            model_name="chunk",
            constraint=models.CheckConstraint(
                condition=models.Q(("char_start__lte", models.F("char_end"))), name="rag_chunk_span"
            ),
        ),
        migrations.AddIndex(
            model_name="chunkmessage",
            index=models.Index(fields=["organization", "message_id"], name="rag_chunkmessage_message"),
        ),
        migrations.AddConstraint(
            model_name="chunkmessage",
            constraint=models.UniqueConstraint(fields=("chunk", "message_id"), name="rag_chunkmessage_once"),
        ),
        migrations.AddConstraint(
            model_name="termstat",
            constraint=models.UniqueConstraint(fields=("organization", "term"), name="rag_termstat_once"),
        ),
    ]
