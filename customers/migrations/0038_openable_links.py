from django.db import migrations

# The links that may open an identifier to whoever proved the other end: stated or proved, current, and
# not separated by a person. A proof of both ends in one session ends a separation, as in
# customers.identity.grouping.
VIEW = """
CREATE VIEW customers_openable_link AS
SELECT link.*
  FROM customers_link AS link
 WHERE link.evidence >= 30
   AND link.kind IN ('seen', 'alias', 'equal')
   AND link.state IN ('joined', 'attached', 'contested')
   AND NOT EXISTS (
       SELECT
         FROM customers_manualdecision AS separation
        WHERE separation.first_id = link.first_id
          AND separation.second_id = link.second_id
          AND separation.kind = 'separate'
          AND separation.undone_at IS NULL
          AND NOT (link.source_id = 1 AND link.evidence >= 50
                   AND COALESCE(link.last_proved_at, link.occurred_at) > separation.decided_at)
          AND NOT EXISTS (
              SELECT
                FROM customers_manualdecision AS merge
               WHERE merge.first_id = separation.first_id
                 AND merge.second_id = separation.second_id
                 AND merge.kind = 'merge'
                 AND merge.undone_at IS NULL
                 AND (merge.decided_at, merge.id) > (separation.decided_at, separation.id)))
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0037_placeholders")]

    operations = [migrations.RunSQL(VIEW, "DROP VIEW customers_openable_link;")]
