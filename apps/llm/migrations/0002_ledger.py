"""The ledger, partitioned by month: it only grows, and old months are archived whole."""

from django.db import migrations

LEDGER = """
CREATE TABLE llm_usageentry (
  id bigint GENERATED ALWAYS AS IDENTITY,
  organization_id uuid NOT NULL REFERENCES accounts_organization (id) DEFERRABLE INITIALLY DEFERRED,
  principal_id uuid, run_id uuid,
  purpose varchar(40) NOT NULL, provider varchar(80) NOT NULL, model varchar(200) NOT NULL,
  tokens_in integer NOT NULL CHECK (tokens_in >= 0), tokens_out integer NOT NULL CHECK (tokens_out >= 0),
  is_estimated boolean NOT NULL, cost numeric(14, 6) NOT NULL CHECK (cost >= 0), outcome varchar(20) NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);
CREATE INDEX llm_usage_day ON llm_usageentry (organization_id, created_at);
CREATE TABLE llm_usageentry_default PARTITION OF llm_usageentry DEFAULT;
SELECT core_make_partitions(2);
"""


class Migration(migrations.Migration):
    dependencies = [("llm", "0001_initial"), ("core", "0002_event_log")]

    operations = [migrations.RunSQL(LEDGER, "DROP TABLE llm_usageentry")]
