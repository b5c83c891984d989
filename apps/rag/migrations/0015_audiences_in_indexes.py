"""Indexes that know who may see: words with their audiences, and vectors with theirs.

The index of words told rows of the whole organization, and each was read to ask for its audience. Where few passages
are visible their vectors are compared one by one, and each was read with its row, far from the next. Now a vector stands
in an index beside those of the same audience: 1 KB a passage.
"""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

_REBUILT = (
    "DROP INDEX CONCURRENTLY IF EXISTS rag_chunk_words_of",  # of a run that broke off
    "CREATE INDEX CONCURRENTLY rag_chunk_words_of ON rag_chunk USING gin ({columns}) WITH (fastupdate = off)",
    "DROP INDEX CONCURRENTLY IF EXISTS rag_chunk_words",
    "ALTER INDEX rag_chunk_words_of RENAME TO rag_chunk_words",
)


def _words(*columns: str) -> migrations.RunPython:
    """Return how the index of words is made anew; without btree_gin it has the words alone, and stays."""

    def rebuild(
        _apps: object, editor: BaseDatabaseSchemaEditor, *, columns: tuple[str, ...] = columns
    ) -> None:
        with editor.connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'btree_gin')")
            (can_hold_ids,) = cursor.fetchone()
        if can_hold_ids:
            for statement in _REBUILT:
                editor.execute(statement.format(columns=", ".join(columns)))

    def restore(apps: object, editor: BaseDatabaseSchemaEditor) -> None:
        rebuild(apps, editor, columns=("organization_id", "tsv"))

    return migrations.RunPython(rebuild, restore)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("rag", "0014_one_expression")]

    operations = [
        _words("organization_id", "scope_id", "tsv"),
        AddIndexConcurrently(
            "chunk",
            models.Index(
                fields=["organization", "scope"],
                include=["content_time", "id", "model_version", "embedding"],
                name="rag_chunk_exact",
            ),
        ),
    ]
