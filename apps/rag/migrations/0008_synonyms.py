"""Words that an organization takes for the same, and lists that ask for a word only where its own spelling says anything.

A word that is a stop word of a language was asked of texts in it by its other spellings ("fuer" for "für"); with
synonyms it would be asked for those alone.
"""

from importlib import import_module

import apps.core.ids
import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from apps.core.migrations_support import composite_key, tenant_key, walled

_listing = import_module("apps.rag.migrations.0006_listing")
EVERY_WORD = """
CREATE OR REPLACE FUNCTION rag_every_word(p_language text, p_words int[], p_languages text[], p_forms text[], p_must text[])
RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = public, pg_temp AS $$
  WITH spelled AS (
    SELECT f.word, f.nth, plainto_tsquery(rag_config(p_language), f.form)::text AS query
    FROM unnest(p_words, p_languages, p_forms) WITH ORDINALITY f (word, language, form, nth)
    WHERE f.language = p_language
  ), word AS (
    SELECT string_agg('(' || s.query || ')', ' | ') FILTER (WHERE s.query <> '') AS query FROM spelled s
    GROUP BY s.word HAVING (array_agg(s.query ORDER BY s.nth))[1] <> ''
  ), both_kinds AS (
    SELECT w.query FROM word w UNION ALL SELECT rag_phrases(p_language, p_must, '&')::text
  )
  SELECT string_agg('(' || b.query || ')', ' & ')::tsquery FROM both_kinds b
$$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0013_search_managers"),
        ("rag", "0007_kept_plans"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SynonymSet",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "terms",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60),
                        help_text="As they are shown, in their order.",
                        size=None,
                    ),
                ),
                (
                    "language",
                    models.CharField(
                        blank=True,
                        choices=[("de", "German"), ("en", "English")],
                        default="",
                        help_text="Of the texts; empty is every one.",
                        max_length=2,
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
            name="SynonymTerm",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "folded",
                    models.CharField(
                        help_text="Small letters without accents, umlauts spelled out, single spaces.",
                        max_length=180,
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
                    "set",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="rag.synonymset",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="synonymset",
            constraint=models.CheckConstraint(
                condition=models.Q(("terms__len__gte", 2), ("terms__len__lte", 12)),
                name="rag_synonymset_size",
            ),
        ),
        migrations.AddConstraint(
            model_name="synonymset",
            constraint=models.CheckConstraint(
                condition=models.Q(("language__in", ["", "de", "en"])), name="rag_synonymset_language"
            ),
        ),
        migrations.AddConstraint(
            model_name="synonymterm",
            constraint=models.UniqueConstraint(
                fields=("organization", "folded"), name="rag_synonymterm_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="synonymterm",
            constraint=models.CheckConstraint(
                condition=models.Q(("folded", ""), _negated=True), name="rag_synonymterm_text"
            ),
        ),
        tenant_key("rag_synonymset"),
        composite_key("rag_synonymterm", "set_id", "rag_synonymset"),
        walled("rag_synonymset"),
        walled("rag_synonymterm"),
        migrations.RunSQL(EVERY_WORD, _listing.EVERY_WORD),
    ]
