"""Search keeps to what conditions of access leave: classes of data, and the scopes that a key or a view is bound to.

They stood behind the ranking only: nothing of them came out, but the best two hundred could all be of the kind that is
left out, and a count told of them. Old callers, during a change of versions, go on without the last two arguments.
"""

from importlib import import_module

from django.db import migrations

from apps.core.migrations_support import definer_function

_before = import_module("apps.rag.migrations.0002_search")

# As in 0002 and 0004, and: the classes of data of each principal's role, those of the caller's circumstances, and its
# bounds. NULL is no limit.
VISIBLE = """
CREATE FUNCTION rag_visible(p_principals uuid[], p_scopes uuid[], p_classes text[])
RETURNS TABLE (scope_id uuid, since timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH here AS (
    SELECT nullif(current_setting('app.organization', true), '')::uuid AS organization_id
  ), who AS (
    SELECT DISTINCT m.organization_id, m.user_id, r.key IN ('guest', 'auditor') AS by_seat_only,
      r.conditions -> 'data_classes' AS classes
    FROM here JOIN accounts_member m ON m.organization_id = here.organization_id AND m.user_id = ANY (p_principals)
    JOIN accounts_role r ON r.organization_id = m.organization_id AND r.id = m.role_id
    WHERE m.deactivated_at IS NULL
  ), seen AS (
    SELECT w.user_id, s.scope_id, coalesce(s.visible_from, '-infinity') AS since
    FROM who w JOIN accounts_seat s ON s.organization_id = w.organization_id AND s.principal_id = w.user_id
      AND s.left_at IS NULL
    UNION ALL
    SELECT w.user_id, o.id, '-infinity'
    FROM who w JOIN accounts_scope o ON o.organization_id = w.organization_id AND o.audience = 'organization'
    WHERE NOT w.by_seat_only
  ), each_one AS (
    SELECT seen.user_id, seen.scope_id, min(seen.since) AS since FROM seen GROUP BY 1, 2
  ), by_all AS (
    SELECT e.scope_id, max(e.since) AS since FROM each_one e
    WHERE p_scopes IS NULL OR e.scope_id = ANY (p_scopes)
    GROUP BY e.scope_id HAVING count(*) = (SELECT count(DISTINCT wanted) FROM unnest(p_principals) wanted)
  )
  SELECT a.scope_id, a.since FROM by_all a
  WHERE (p_classes IS NULL AND NOT EXISTS (SELECT 1 FROM who WHERE classes IS NOT NULL))
    OR EXISTS (
      SELECT 1 FROM here JOIN accounts_scope o ON o.organization_id = here.organization_id
      WHERE o.id = a.scope_id AND (p_classes IS NULL OR o.data_class = ANY (p_classes))
        AND NOT EXISTS (SELECT 1 FROM who WHERE NOT coalesce(classes ? o.data_class, true))
    )
$$
"""

_OLD = "rag_search(uuid[], text, int[], text[], text[], real[], text[], text[], text, text, jsonb, int)"
_NEW = _OLD.replace("int)", "int, uuid[], text[])")
_BODY = _before.SEARCH.replace("<visible>", _before.VISIBLE_ROWS).replace("<filters>", _before.FILTERED_ROWS)
SEARCH = _BODY.replace(
    "p_limit int\n)", "p_limit int,\n  p_scopes uuid[] DEFAULT NULL, p_classes text[] DEFAULT NULL\n)"
).replace("rag_visible(p_principals)", "rag_visible(p_principals, p_scopes, p_classes)")


class Migration(migrations.Migration):
    dependencies = [("rag", "0004_auditors"), ("accounts", "0007_access")]

    operations = [
        migrations.RunSQL(f"DROP FUNCTION {_OLD}", migrations.RunSQL.noop),
        migrations.RunSQL("DROP FUNCTION rag_visible(uuid[])", migrations.RunSQL.noop),
        definer_function("rag_visible(uuid[], uuid[], text[])", VISIBLE, grant_to=()),
        definer_function(_NEW, SEARCH),
    ]
