"""Gives two rules one home in the database: what opens of a record, and what its events state."""

from importlib import import_module

from django.db import migrations

# The subjects, such as orders and calls, that a session opens of one record: REST and streams obey
# it. The caller may ask about one subject only.
OPENED_SUBJECTS = """
CREATE FUNCTION customers_opened_subjects(live_id uuid, record_ids uuid[], subject text DEFAULT NULL)
RETURNS TABLE (about text)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
SELECT named.about
  FROM (SELECT event.about, event.evidence, record.id = ANY ($2) AS is_open,
               event.about LIKE 'order:%'
               AND event.name IN ('Order Completed', 'Order Requested') AS is_placing,
               max(event.evidence) OVER (PARTITION BY event.about) AS best_evidence
          FROM customers_customer AS record
         CROSS JOIN LATERAL customers_filed_events(record.id) AS event
         WHERE (record.id = $1 OR record.canonical_id = $1)
           AND event.about <> ''
           AND ($3 IS NULL OR event.about = $3)) AS named
 WHERE named.evidence = named.best_evidence
 GROUP BY named.about, named.evidence
HAVING CASE WHEN named.evidence = 1 THEN bool_and(named.is_open)
            ELSE bool_or(named.is_open AND named.is_placing)
                 OR (bool_or(named.is_open) AND NOT bool_or(named.is_placing))
            END
$$;
"""

# The statements of one record about traits. The traits of an identify are in its context if it has
# none itself (channels/ingest/segment.py).
TRAIT_STATEMENTS = """
CREATE FUNCTION customers_trait_statements(record_id uuid)
RETURNS TABLE (name text, value jsonb, evidence smallint, source_id integer,
               occurred_at timestamptz, arrival bigint, message_key uuid)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
SELECT trait.key, trait.value, event.evidence, event.source_id, event.occurred_at,
       customers_arrival_number(event.arrival, event.received_at, event.version),
       event.message_key
  FROM customers_filed_events($1) AS event,
       jsonb_each(CASE WHEN jsonb_typeof(event.body -> 'traits') = 'object'
                        AND event.body -> 'traits' <> '{}'
                       THEN event.body -> 'traits'
                       WHEN jsonb_typeof(event.body #> '{context,traits}') = 'object'
                       THEN event.body #> '{context,traits}'
                       ELSE '{}' END) AS trait
 WHERE event.kind = 'identify'
$$;
"""

# The order of the statements is that of customers.projections.traits.
STATED_TRAITS = """
CREATE OR REPLACE FUNCTION customers_stated_traits(record_ids uuid[])
RETURNS TABLE (name text, value jsonb, evidence smallint, source_id integer, occurred_at timestamptz)
LANGUAGE sql STABLE
AS $$
SELECT DISTINCT ON (trait.name)
       trait.name, NULLIF(trait.value, 'null'), trait.evidence, trait.source_id, trait.occurred_at
  FROM unnest($1) AS record (id)
 CROSS JOIN LATERAL customers_trait_statements(record.id) AS trait
 ORDER BY trait.name, trait.evidence DESC, trait.occurred_at DESC, trait.arrival DESC,
          trait.message_key DESC
$$;
"""

_EARLIER_TRAITS = import_module("customers.migrations.0038_openings").TRAITS.replace(
    "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"
)


class Migration(migrations.Migration):
    dependencies = [("customers", "0041_contested_addresses")]

    operations = [
        migrations.RunSQL(
            OPENED_SUBJECTS, "DROP FUNCTION customers_opened_subjects(uuid, uuid[], text);"
        ),
        migrations.RunSQL(TRAIT_STATEMENTS, "DROP FUNCTION customers_trait_statements(uuid);"),
        migrations.RunSQL(STATED_TRAITS, _EARLIER_TRAITS),
    ]
