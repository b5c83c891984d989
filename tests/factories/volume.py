"""Many rows in every large table of several organizations at once, for plans and figures. Written past the services."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

# Parameters: the organizations. `k(kind, n)` is the n-th id of a kind in an organization, the same everywhere.
FILL = """
CREATE TEMP TABLE o ON COMMIT DROP AS SELECT id, row_number() OVER () AS nth FROM unnest(%s::uuid[]) id;
CREATE OR REPLACE FUNCTION pg_temp.k(kind text, o uuid, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
  $$ SELECT md5(kind || o || n)::uuid $$;
INSERT INTO accounts_user (id, password, is_superuser, kind, email, language, theme, is_active, is_staff, created_at)
  SELECT pg_temp.k('user', o.id, n), '', false, 'person', 'u' || o.nth || '-' || n || '@example.org', '', 'system', true,
    false, now() FROM o, generate_series(1, 200) n;
INSERT INTO accounts_member (id, created_at, organization_id, user_id, role_id, name, title, about)
  SELECT pg_temp.k('member', o.id, n), now(), o.id, pg_temp.k('user', o.id, n), r.id, 'Person ' || n, '', ''
  FROM o JOIN accounts_role r ON r.organization_id = o.id AND r.key = 'member', generate_series(1, 200) n;
INSERT INTO accounts_scope (id, created_at, organization_id, kind, audience)
  SELECT pg_temp.k('scope', o.id, n), now(), o.id, 'conversation', 'seats' FROM o, generate_series(1, 200) n;
INSERT INTO accounts_seat (id, created_at, organization_id, scope_id, principal_id, joined_at)
  SELECT gen_random_uuid(), now(), o.id, pg_temp.k('scope', o.id, (n * 7 + c * 31) %% 200 + 1), pg_temp.k('user', o.id, n),
    now() FROM o, generate_series(1, 200) n, generate_series(1, 10) c;
INSERT INTO chat_conversation (id, created_at, organization_id, kind, name, description, scope_id, is_private, people_key)
  SELECT pg_temp.k('conversation', o.id, n), now(), o.id, 'channel', 'channel ' || n, '', pg_temp.k('scope', o.id, n), true,
    '' FROM o, generate_series(1, 200) n;
INSERT INTO chat_membership (id, created_at, organization_id, conversation_id, principal_id, last_read_sequence, is_muted,
    is_starred, joined_at)
  SELECT gen_random_uuid(), now(), o.id, pg_temp.k('conversation', o.id, (n * 7 + c * 31) %% 200 + 1),
    pg_temp.k('user', o.id, n), 8, false, false, now() FROM o, generate_series(1, 200) n, generate_series(1, 10) c;
INSERT INTO core_stream (id, organization_id, last_sequence)
  SELECT pg_temp.k('conversation', o.id, n), o.id, :messages FROM o, generate_series(1, 200) n
  UNION ALL SELECT pg_temp.k('member', o.id, n), o.id, 0 FROM o, generate_series(1, 200) n;
INSERT INTO chat_topic (id, created_at, organization_id, conversation_id, name)
  SELECT pg_temp.k('topic' || t, o.id, n), now(), o.id, pg_temp.k('conversation', o.id, n), 'topic ' || t
  FROM o, generate_series(1, 200) n, generate_series(0, 4) t;
INSERT INTO chat_topicpreference (id, created_at, organization_id, conversation_id, topic_id, principal_id, level)
  SELECT gen_random_uuid(), now(), o.id, pg_temp.k('conversation', o.id, n), pg_temp.k('topic1', o.id, n),
    pg_temp.k('user', o.id, n), 'muted' FROM o, generate_series(1, 200) n;
INSERT INTO chat_message (id, organization_id, conversation_id, scope_id, sequence, sender_id, client_key, body, html,
    mentions, version, sent_at, topic_id)
  SELECT pg_temp.k('message' || s, o.id, n), o.id, pg_temp.k('conversation', o.id, n), pg_temp.k('scope', o.id, n), s,
    pg_temp.k('user', o.id, (n + s) %% 200 + 1), s::text, 'body', 'body', '{}', 1, now(),
    CASE WHEN s %% 2 = 0 THEN pg_temp.k('topic' || s %% 5, o.id, n) END
  FROM o, generate_series(1, 200) n, generate_series(1, :messages) s;
INSERT INTO chat_mention (organization_id, conversation_id, message_id, principal_id, sequence)
  SELECT s.organization_id, s.conversation_id, m.id, s.principal_id, m.sequence
  FROM chat_membership s JOIN chat_message m ON m.conversation_id = s.conversation_id AND m.sequence = 10;
INSERT INTO chat_reaction (id, created_at, organization_id, message_id, principal_id, emoji)
  SELECT gen_random_uuid(), now(), o.id, pg_temp.k('message' || s, o.id, n), pg_temp.k('user', o.id, n), 'ok'
  FROM o, generate_series(1, 200) n, generate_series(1, :messages, 3) s;
INSERT INTO chat_draft (id, created_at, organization_id, conversation_id, principal_id, body, updated_at)
  SELECT gen_random_uuid(), now(), o.id, pg_temp.k('conversation', o.id, n), pg_temp.k('user', o.id, n), 'b', now()
  FROM o, generate_series(1, 200) n;
INSERT INTO core_event (organization_id, scope_id, stream_id, sequence, type, payload, created_at)
  SELECT o.id, pg_temp.k('scope', o.id, n), pg_temp.k('conversation', o.id, n), s, 'message.sent', '{}', now()
  FROM o, generate_series(1, 200) n, generate_series(1, :messages) s;
INSERT INTO runs_run (id, created_at, organization_id, kind, queue, state, principal_id, scope_id, subject_type, input,
    result, error_code, error_text, stage, progress_current, progress_total, steps_total, steps_done, steps_failed,
    priority, lease_owner, credential, finished_at)
  SELECT pg_temp.k('run', o.id, n), now(), o.id, 'tests', 'default', 'succeeded', pg_temp.k('user', o.id, n %% 200 + 1),
    pg_temp.k('scope', o.id, n %% 200 + 1), '', '{}', '{}', '', '', '', 0, 0, 2, 2, 0, 0, '', '', now()
  FROM o, generate_series(1, 600) n;
INSERT INTO runs_step (id, created_at, organization_id, run_id, name, key, position, state, is_optional, input,
    progress_current, progress_total, attempts, losses, error_code, error_text)
  SELECT gen_random_uuid(), now(), o.id, pg_temp.k('run', o.id, n), 'step', s::text, s, 'succeeded', false, '{}', 0, 0, 0, 0, '',
    '' FROM o, generate_series(1, 600) n, generate_series(1, 2) s;
INSERT INTO files_storedfile (id, created_at, organization_id, uploader_id, purpose, name, declared_size_bytes,
    received_bytes, media_type, storage_key, state, failure_code)
  SELECT pg_temp.k('file', o.id, n), now(), o.id, pg_temp.k('user', o.id, n %% 200 + 1), 'attachment', 'f', 1, 1,
    'text/plain', n::text, 'ready', '' FROM o, generate_series(1, 600) n;
INSERT INTO files_filescope (organization_id, file_id, scope_id)
  SELECT o.id, pg_temp.k('file', o.id, n), pg_temp.k('scope', o.id, n %% 200 + 1) FROM o, generate_series(1, 600) n;
INSERT INTO documents_document (id, created_at, organization_id, file_id, scope_id, created_by_id, title, name, media_type,
    language, state, error_code, version, content_hash)
  SELECT pg_temp.k('document', o.id, n), now(), o.id, pg_temp.k('file', o.id, n), pg_temp.k('scope', o.id, n %% 200 + 1),
    pg_temp.k('user', o.id, n %% 200 + 1), 't', 'n', 'text/plain', 'en', 'ready', '', 1, '' FROM o,
    generate_series(1, 600) n;
INSERT INTO documents_documentpage (organization_id, document_id, number, state, error_code, text, layout, headings)
  SELECT o.id, pg_temp.k('document', o.id, n), p, 'parsed', '', 'text', '{}', '[]' FROM o, generate_series(1, 600) n,
    generate_series(1, 2) p;
INSERT INTO chat_attachment (organization_id, message_id, file_id, position)
  SELECT o.id, pg_temp.k('message1', o.id, n %% 200 + 1), pg_temp.k('file', o.id, n), 1
  FROM o, generate_series(1, 600) n;
INSERT INTO rag_chunk (organization_id, scope_id, source_type, source_id, is_generated, has_file, media_type, ordinal,
    char_start, char_end, boxes, language, title, heading, body, tsv, model_version, content_hash, content_time, embedding)
  SELECT o.id, pg_temp.k('scope', o.id, n %% 200 + 1), 'document', pg_temp.k('document', o.id, n %% 600 + 1), false, false,
    '', n, 0, 10, '[]', 'en', '', '', 'w' || n %% 200, to_tsvector('english', 'common w' || n %% 200), 'test-1', '\\x00', now(),
    ('[' || array_to_string(array_fill(((n %% 17) + 1)::text, ARRAY[384]), ',') || ']')::halfvec(384)
  FROM o, generate_series(1, 800) n;
INSERT INTO rag_chunk (organization_id, scope_id, source_type, source_id, conversation_id, author_id, is_generated, has_file,
    media_type, ordinal, char_start, char_end, boxes, language, title, heading, body, tsv, model_version, content_hash,
    content_time)
  SELECT o.id, pg_temp.k('scope', o.id, n), 'message', pg_temp.k('message' || s, o.id, n), pg_temp.k('conversation', o.id, n),
    pg_temp.k('user', o.id, (n + s) %% 200 + 1), false, false, '', 0, 0, 4, '[]', 'en', '', '', 'body',
    to_tsvector('english', 'spoken s' || n %% 20), '', '\\x00', now()
  FROM o, generate_series(1, 200) n, generate_series(1, 7, 3) s;
INSERT INTO rag_chunkmessage (organization_id, chunk_id, message_id, char_start, char_end, message_start)
  SELECT c.organization_id, c.id, c.source_id, 0, 4, 0 FROM rag_chunk c JOIN o ON o.id = c.organization_id
  WHERE c.source_type = 'message';
INSERT INTO rag_searchtrace (id, created_at, organization_id, searcher_id, origin, query, has_grammar, language, chips,
    synonyms, filters, skipped, path, words_only, counts, stages, hits, hit_count, took_ms)
  SELECT pg_temp.k('search', o.id, n), now() - n * interval '1 hour', o.id, pg_temp.k('user', o.id, n %% 200 + 1), 'page',
    'w' || n, true, '', '[]', '[]', '{}', 0, 'exact', false, '{}', '[]', '[]', n %% 50, n %% 300
  FROM o, generate_series(1, 600) n;
INSERT INTO rag_searchthumb (id, created_at, organization_id, trace_id, number, is_good)
  SELECT gen_random_uuid(), now(), o.id, pg_temp.k('search', o.id, n), 1, n %% 10 > 0 FROM o, generate_series(1, 300) n;
INSERT INTO rag_chunktokens (organization_id, chunk_id, bits)
  SELECT c.organization_id, c.id, decode(repeat(md5(c.id::text), 6), 'hex') FROM rag_chunk c JOIN o ON o.id = c.organization_id
  WHERE c.source_type = 'document';
"""


def fill(cursor: Any, organizations: Sequence[UUID], *, messages: int = 15) -> None:
    """Give each organization 200 people, each in 10 of 200 channels, and what belongs to those; takes seconds.

    Args:
        cursor: of Django or psycopg with client-side binding, in a transaction, in a role that passes the walls.
        messages: in each channel.
    """
    cursor.execute(FILL.replace(":messages", str(messages)), [list(organizations)])
