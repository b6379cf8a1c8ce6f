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


class Migration(migrations.Migration):
    dependencies = [("customers", "0037_placeholders")]

    operations = [migrations.RunSQL(VIEW, "DROP VIEW customers_linkend;")]
