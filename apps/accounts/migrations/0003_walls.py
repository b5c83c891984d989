"""Row security on every table of an organization, and the functions that find the organization of who asks.

They answer ids only, so that keys, invitations and seats themselves stay behind the wall.
"""

from django.db import migrations

from apps.core.migrations_support import definer_function, walled

FIND_KEY = """
CREATE OR REPLACE FUNCTION accounts_find_key(p_hash bytea) RETURNS TABLE (organization_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT k.organization_id, k.id FROM accounts_apikey k WHERE k.hash = p_hash
$$
"""

FIND_INVITATION = """
CREATE OR REPLACE FUNCTION accounts_find_invitation(p_hash bytea) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT i.organization_id FROM accounts_invitation i WHERE i.hash = p_hash
$$
"""

SEATS_OF = """
CREATE OR REPLACE FUNCTION accounts_seats_of(p_user uuid)
RETURNS TABLE (organization_id uuid, member_id uuid, is_open boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT m.organization_id, m.id, m.deactivated_at IS NULL FROM accounts_member m WHERE m.user_id = p_user
$$
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_composite_keys"), ("core", "0004_walls")]

    operations = [
        walled("accounts_apikey"),
        walled("accounts_invitation"),
        walled("accounts_role"),
        walled("accounts_member"),
        walled("accounts_scope"),
        walled("accounts_seat"),
        definer_function("accounts_find_key(bytea)", FIND_KEY),
        definer_function("accounts_find_invitation(bytea)", FIND_INVITATION),
        definer_function("accounts_seats_of(uuid)", SEATS_OF),
    ]
