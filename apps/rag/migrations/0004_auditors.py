"""Auditors see content by seat only, like guests: in every function that asks for the role."""

from django.db import migrations

REPLACE = """
DO $do$ DECLARE f record; BEGIN
  FOR f IN SELECT oid FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosrc LIKE '%r.key = ''guest''%' LOOP
    EXECUTE replace(pg_get_functiondef(f.oid), 'r.key = ''guest''', 'r.key IN (''guest'', ''auditor'')');
  END LOOP;
END $do$
"""


class Migration(migrations.Migration):
    dependencies = [("rag", "0003_walls"), ("accounts", "0005_auditor")]

    operations = [migrations.RunSQL(REPLACE, migrations.RunSQL.noop)]
