"""What was searched for and how well: traces, thumbs, checks of the index; and a search that tells what it did.

The search function tells in a first row of its own, asked for with its last argument; callers of before go on without.
"""

from importlib import import_module

import apps.core.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from apps.core.migrations_support import composite_key, definer_function, tenant_key, walled

_kept = import_module("apps.rag.migrations.0007_kept_plans")
_conditions = import_module("apps.rag.migrations.0005_conditions")
_words = import_module("apps.rag.migrations.0002_search")
_OLD = _conditions._NEW  # noqa: SLF001 - the signature that every version of it has had since
_NEW = _OLD.replace("uuid[], text[])", "uuid[], text[], boolean)")

_TOLD = """  IF p_traced THEN
    RETURN QUERY SELECT NULL::bigint, NULL::float8, NULL::float8, NULL::float8, NULL::text, NULL::uuid, NULL::timestamptz,
      l_found, NULL::int, NULL::int, jsonb_build_object(
        'path', CASE WHEN v_term_queries IS NULL AND v_must IS NULL AND v_vector IS NULL THEN 'newest'
          WHEN v_vector IS NULL THEN 'words' WHEN v_visible <= v_most THEN 'exact' ELSE 'index' END,
        'visible', v_visible, 'most', v_most, 'with_words', l_found, 'near', cardinality(d_ids),
        'candidates', (SELECT count(*) FROM (SELECT unnest(l_ids) UNION SELECT unnest(d_ids)) either),
        'stages', jsonb_build_object(
          'visible', rag_ms(v_begun, v_counted), 'weighing', rag_ms(v_counted, v_weighed),
          'words', rag_ms(v_weighed, v_said), 'meaning', rag_ms(v_said, clock_timestamp())));
  END IF;
"""
MS = """
CREATE FUNCTION rag_ms(p_from timestamptz, p_to timestamptz) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT round(extract(epoch FROM p_to - p_from) * 1000, 2)::float8
$$
"""
# An order of its own for each leg comes for nothing: both stand in the order in which they were found.
SEARCH = _kept._changed(  # noqa: SLF001 - it is for migrations
    _kept.SEARCH,
    ("p_classes text[] DEFAULT NULL\n", "p_classes text[] DEFAULT NULL, p_traced boolean DEFAULT false\n"),
    (
        "moment timestamptz, found bigint\n",
        "moment timestamptz, found bigint,\n  words_rank int, meaning_rank int, trace jsonb\n",
    ),
    (
        "  mode text;\n",
        "  mode text;\n  v_begun timestamptz := clock_timestamp(); v_counted timestamptz; v_weighed timestamptz; v_said timestamptz;\n",
    ),
    (
        "  IF v_visible = 0 THEN RETURN; END IF;\n",
        "  IF v_visible = 0 THEN RETURN; END IF;\n  v_counted := clock_timestamp();\n",
    ),
    ("  v_query := coalesce(v_must,", "  v_weighed := clock_timestamp();\n  v_query := coalesce(v_must,"),
    (
        "  IF v_vector IS NOT NULL AND v_visible <= v_most THEN\n",
        "  v_said := clock_timestamp();\n  IF v_vector IS NOT NULL AND v_visible <= v_most THEN\n",
    ),
    (
        "  IF cardinality(l_ids) = 0 AND cardinality(d_ids) = 0 THEN\n",
        _TOLD + "  IF cardinality(l_ids) = 0 AND cardinality(d_ids) = 0 THEN\n",
    ),
    (
        "        v_visible FROM rag_chunk p",
        "        v_visible, NULL::int, NULL::int, NULL::jsonb FROM rag_chunk p",
    ),
    (
        "SELECT * FROM unnest(l_ids, l_words) x (id, words)\n",
        "SELECT * FROM unnest(l_ids, l_words) WITH ORDINALITY x (id, words, nth)\n",
    ),
    (
        "coalesce(x.words, 0) AS words\n    FROM lexical x FULL JOIN unnest(d_ids) y (id) ON y.id = x.id\n",
        "coalesce(x.words, 0) AS words, x.nth AS words_nth, y.nth AS meaning_nth\n    FROM lexical x FULL JOIN unnest(d_ids) WITH ORDINALITY y (id, nth) ON y.id = x.id\n",
    ),
    (
        "SELECT e.id, e.words, p.source_type, p.source_id, p.content_time, p.cosine\n",
        "SELECT e.id, e.words, e.words_nth, e.meaning_nth, p.source_type, p.source_id, p.content_time, p.cosine\n",
    ),
    (
        "m.content_time, l_found\n",
        "m.content_time, l_found,\n    m.words_nth::int, m.meaning_nth::int, NULL::jsonb\n",
    ),
)

# The ten nearest that the index finds and the ten nearest there are, of what all of the principals see. As the search
# asks the index: a hundred, of which the best ten by their true distance. The planner gets no other way to it.
RECALL = f"""
CREATE FUNCTION rag_recall(p_principals uuid[], p_vector text, p_model text, p_scopes uuid[], p_classes text[])
RETURNS TABLE (found bigint[], nearest bigint[], through_index boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan
SET enable_sort = on SET enable_seqscan = on SET enable_bitmapscan = on AS $$  -- so that what is set below ends with it
#variable_conflict use_column
DECLARE
  v_here uuid := nullif(current_setting('app.organization', true), '')::uuid;
  v_most CONSTANT int := (SELECT least(greatest(35 * sqrt(greatest(c.reltuples, 0)), 5000), 40000)
    FROM pg_class c WHERE c.oid = 'rag_chunk'::regclass);
  v_vector halfvec(384) := p_vector::halfvec(384);
  v_seen uuid[]; v_later uuid[]; v_since timestamptz[]; v_visible bigint; mode text;
  v_found bigint[]; v_nearest bigint[];
BEGIN
  IF v_here IS NULL OR coalesce(cardinality(p_principals), 0) = 0 THEN RETURN; END IF;
  SELECT array_agg(v.scope_id),
         array_agg(v.scope_id ORDER BY v.scope_id) FILTER (WHERE v.since > '-infinity'),
         array_agg(v.since ORDER BY v.scope_id) FILTER (WHERE v.since > '-infinity')
    INTO v_seen, v_later, v_since FROM rag_visible(p_principals, p_scopes, p_classes) v;
  IF v_seen IS NULL THEN RETURN; END IF;
  SELECT count(*) INTO v_visible FROM (
    SELECT 1 FROM rag_chunk p WHERE {_words.VISIBLE_ROWS} LIMIT v_most + 1
  ) some_of_them;
  SELECT array_agg(n.id) INTO v_nearest FROM (
    SELECT p.id FROM rag_chunk p WHERE {_words.VISIBLE_ROWS} AND p.model_version = p_model AND p.embedding IS NOT NULL
    ORDER BY (p.embedding <=> v_vector) + 0.0, p.id DESC LIMIT 10
  ) n;
  IF v_nearest IS NULL THEN RETURN; END IF;
  PERFORM set_config('hnsw.iterative_scan', 'relaxed_order', true), set_config('hnsw.ef_search', '100', true),
    set_config('hnsw.max_scan_tuples', '40000', true);
  mode := set_config('enable_sort', 'off', true) || set_config('enable_seqscan', 'off', true)
    || set_config('enable_bitmapscan', 'off', true);
  SELECT array_agg(n.id) INTO v_found FROM (
    SELECT p.id, p.embedding <=> v_vector AS distance FROM rag_chunk p
    WHERE {_words.VISIBLE_ROWS} AND p.model_version = p_model ORDER BY p.embedding <=> v_vector LIMIT 100
  ) n;
  mode := set_config('enable_sort', 'on', true) || set_config('enable_seqscan', 'on', true)
    || set_config('enable_bitmapscan', 'on', true);
  SELECT array_agg(n.id) INTO v_found FROM (
    SELECT p.id FROM unnest(v_found) f (id) JOIN rag_chunk p ON p.id = f.id
    ORDER BY p.embedding <=> v_vector, p.id DESC LIMIT 10
  ) n;
  RETURN QUERY SELECT coalesce(v_found, '{{}}'), v_nearest, v_visible > v_most;
END $$
"""
# For the operator's figures, over all organizations: numbers only.
RECALL_FIGURES = """
CREATE FUNCTION rag_recall_figures() RETURNS TABLE (mean float8, lowest float8, checked_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT avg(latest.recall), min(latest.recall), max(latest.created_at) FROM (
    SELECT DISTINCT ON (c.organization_id) c.recall, c.created_at FROM rag_recallcheck c
    WHERE c.recall IS NOT NULL ORDER BY c.organization_id, c.created_at DESC
  ) latest
$$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0014_search_inspectors"),
        ("rag", "0009_audience_of_documents"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SearchTrace",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "agent_id",
                    models.UUIDField(help_text="The principal of the agent that searched.", null=True),
                ),
                (
                    "origin",
                    models.CharField(
                        choices=[("page", "Search page"), ("api", "API"), ("agent", "Agent")], max_length=5
                    ),
                ),
                ("query", models.TextField()),
                (
                    "has_grammar",
                    models.BooleanField(default=True, help_text="False: every part of it is words."),
                ),
                ("language", models.CharField(blank=True, default="", max_length=6)),
                ("chips", models.JSONField(default=list, help_text="Operators as they were understood.")),
                (
                    "synonyms",
                    models.JSONField(default=list, help_text="Of words of the query; those left out, too."),
                ),
                (
                    "filters",
                    models.JSONField(default=dict, help_text="What narrowed it beside the operators."),
                ),
                (
                    "skipped",
                    models.PositiveSmallIntegerField(default=0, help_text="Hits on the pages before."),
                ),
                (
                    "path",
                    models.CharField(
                        choices=[
                            ("exact", "Words, and the meaning of every visible passage"),
                            ("index", "Words, and the nearest meanings from the index"),
                            ("words", "Words only"),
                            ("newest", "The newest that fit the filters"),
                            ("list", "A list of messages"),
                            ("nothing", "Nothing to look through"),
                        ],
                        max_length=7,
                    ),
                ),
                ("words_only", models.BooleanField(default=False)),
                (
                    "counts",
                    models.JSONField(
                        default=dict, help_text="Passages by stage; all of them the searcher may see."
                    ),
                ),
                (
                    "stages",
                    models.JSONField(
                        default=list, help_text="Pairs of a stage and its milliseconds, in their order."
                    ),
                ),
                (
                    "hits",
                    models.JSONField(
                        default=list, help_text="What was shown, best first: ids, scores and ranks."
                    ),
                ),
                ("hit_count", models.PositiveSmallIntegerField()),
                ("took_ms", models.FloatField()),
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
                    "searcher",
                    models.ForeignKey(
                        db_index=False,
                        help_text="Whose sight counted: of an agent's search, who asked.",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SearchThumb",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("number", models.PositiveSmallIntegerField(help_text="Of the hit on its page, from 1.")),
                ("is_good", models.BooleanField()),
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
                    "trace",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="rag.searchtrace",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RecallCheck",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("queries", models.PositiveIntegerField(help_text="That were searched again.")),
                (
                    "through_index",
                    models.PositiveIntegerField(help_text="Of them, those that the index answers."),
                ),
                (
                    "recall",
                    models.FloatField(
                        help_text="At 10, on average, 0 to 1; None without a query.", null=True
                    ),
                ),
                ("worst", models.FloatField(help_text="The lowest of them.", null=True)),
                ("chunks", models.PositiveIntegerField(help_text="With a vector, when it was measured.")),
                ("model_version", models.CharField(blank=True, default="", max_length=80)),
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
                "indexes": [
                    models.Index(fields=["organization", "-created_at"], name="rag_recallcheck_newest")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("recall", None), ("worst", None)),
                            models.Q(
                                ("recall__gte", 0), ("recall__lte", 1), ("worst__gte", 0), ("worst__lte", 1)
                            ),
                            _connector="OR",
                        ),
                        name="rag_recallcheck_share",
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="searchtrace",
            index=models.Index(fields=["organization", "-created_at"], name="rag_searchtrace_newest"),
        ),
        migrations.AddIndex(
            model_name="searchtrace",
            index=models.Index(fields=["organization", "searcher"], name="rag_searchtrace_searcher"),
        ),
        migrations.AddIndex(
            model_name="searchtrace",
            index=models.Index(
                condition=models.Q(("took_ms__gte", 250.0)),
                fields=["organization", "-took_ms"],
                name="rag_searchtrace_slow",
            ),
        ),
        migrations.AddIndex(
            model_name="searchtrace",
            index=models.Index(
                condition=models.Q(("hit_count", 0)),
                fields=["organization", "-created_at"],
                name="rag_searchtrace_empty",
            ),
        ),
        migrations.AddConstraint(
            model_name="searchtrace",
            constraint=models.CheckConstraint(
                condition=models.Q(("took_ms__gte", 0)), name="rag_searchtrace_took"
            ),
        ),
        migrations.AddIndex(
            model_name="searchthumb",
            index=models.Index(
                condition=models.Q(("is_good", False)),
                fields=["organization", "-created_at"],
                name="rag_searchthumb_bad",
            ),
        ),
        migrations.AddConstraint(
            model_name="searchthumb",
            constraint=models.UniqueConstraint(
                fields=("organization", "trace", "number"), name="rag_searchthumb_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="searchthumb",
            constraint=models.CheckConstraint(
                condition=models.Q(("number__gte", 1)), name="rag_searchthumb_number"
            ),
        ),
        tenant_key("rag_searchtrace"),
        composite_key("rag_searchthumb", "trace_id", "rag_searchtrace"),
        walled("rag_searchtrace"),
        walled("rag_searchthumb"),
        walled("rag_recallcheck"),
        migrations.RunSQL(MS, "DROP FUNCTION rag_ms(timestamptz, timestamptz)"),
        migrations.RunSQL(f"DROP FUNCTION {_OLD}", migrations.RunSQL.noop),
        definer_function(_NEW, SEARCH),
        definer_function("rag_recall(uuid[], text, text, uuid[], text[])", RECALL),
        definer_function("rag_recall_figures()", RECALL_FIGURES),
    ]
