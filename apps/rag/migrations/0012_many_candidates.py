"""Words stand in the row; and more of the nearest are looked at where many hits are asked for.

The vector of a chunk's words did not fit beside its body and its embedding, so it was kept elsewhere, and each row that
a search looked at cost three further reads, once to match it and once to weigh it. Now the body makes room: it is read
for hits alone. Chunks that are there keep theirs where it is until they are written anew.
"""

from django.db import migrations

from apps.core.migrations_support import edited_function

_SEARCH = "rag_search(uuid[], text, int[], text[], text[], real[], text[], text[], text, text, jsonb, int, uuid[], text[], boolean)"
_STORAGE = "ALTER TABLE rag_chunk ALTER COLUMN tsv SET STORAGE {}"


class Migration(migrations.Migration):
    dependencies = [("rag", "0011_tokens")]

    operations = [
        migrations.RunSQL(_STORAGE.format("MAIN"), _STORAGE.format("EXTENDED")),
        edited_function(
            _SEARCH,
            [("nearest CONSTANT int := 100;", "nearest CONSTANT int := greatest(100, p_limit - 100);")],
        ),
    ]
