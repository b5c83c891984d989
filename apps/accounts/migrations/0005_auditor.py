"""The built-in role of auditors in every organization, and the owners' right to read the trail."""

from django.db import migrations

AUDITOR = """
INSERT INTO accounts_role (id, created_at, organization_id, key, name, permissions, is_builtin)
SELECT gen_random_uuid(), now(), o.id, 'auditor', 'Auditor', ARRAY['audit.read', 'console.view'], true
FROM accounts_organization o ON CONFLICT (organization_id, key) DO NOTHING
"""
OWNERS = """
UPDATE accounts_role SET permissions = array_append(permissions, 'audit.read')
WHERE key = 'owner' AND is_builtin AND NOT 'audit.read' = ANY (permissions)
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_tokens")]

    operations = [
        migrations.RunSQL(AUDITOR, migrations.RunSQL.noop),
        migrations.RunSQL(OWNERS, migrations.RunSQL.noop),
    ]
