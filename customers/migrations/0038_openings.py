from django.db import migrations

# Each current link that joins or attaches identifiers, or would, from both of its ends.
VIEW = """
CREATE VIEW customers_linkend AS
SELECT first_id AS id, second_id AS other_id, first_id, second_id, kind, evidence, state, source_id,
       occurred_at, arrival, last_proved_at
  FROM customers_link
 WHERE evidence >= 30 AND kind <> 'placed' AND state IN ('joined', 'attached', 'contested')
 UNION ALL
SELECT second_id, first_id, first_id, second_id, kind, evidence, state, source_id,
       occurred_at, arrival, last_proved_at
  FROM customers_link
 WHERE evidence >= 30 AND kind <> 'placed' AND state IN ('joined', 'attached', 'contested')
"""

# The traits that the events of some records state. The order of the statements is that of
# customers.projections.traits.
TRAITS = """
CREATE FUNCTION customers_stated_traits(record_ids uuid[])
RETURNS TABLE (name text, value jsonb, evidence smallint, source_id integer, occurred_at timestamptz)
LANGUAGE sql STABLE
AS $$
SELECT DISTINCT ON (trait.key)
       trait.key, NULLIF(trait.value, 'null'), event.evidence, event.source_id, event.occurred_at
  FROM unnest($1) AS record (id)
 CROSS JOIN LATERAL customers_filed_events(record.id) AS event,
       jsonb_each(CASE WHEN jsonb_typeof(event.body -> 'traits') = 'object'
                        AND event.body -> 'traits' <> '{}'
                       THEN event.body -> 'traits'
                       WHEN jsonb_typeof(event.body #> '{context,traits}') = 'object'
                       THEN event.body #> '{context,traits}'
                       ELSE '{}' END) AS trait
 WHERE event.kind = 'identify'
 ORDER BY trait.key, event.evidence DESC, event.occurred_at DESC,
       customers_arrival_number(event.arrival, event.received_at, event.version) DESC,
       event.message_key DESC
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0037_placeholders")]

    operations = [
        migrations.RunSQL(VIEW, "DROP VIEW customers_linkend;"),
        migrations.RunSQL(TRAITS, "DROP FUNCTION customers_stated_traits(uuid[]);"),
    ]
