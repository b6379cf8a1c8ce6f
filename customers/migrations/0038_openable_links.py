from django.db import migrations

# The links that may open an identifier to a customer who proved the other end: stated or proved,
# current, and not separated by a person. A proof of both ends in one session ends a separation, as in
# customers.identity.grouping. A person's decision that a card or a phone is of a customer is a
# confirmed link. A decision that joins accounts and mailboxes opens nothing: it is for staff.
VIEW = """
CREATE VIEW customers_openable_link AS
SELECT link.first_id, link.second_id, link.kind, link.evidence, link.state, link.occurred_at,
       link.arrival
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
 UNION ALL
SELECT merge.first_id, merge.second_id, 'seen', 50, 'attached', merge.decided_at, 0
  FROM customers_manualdecision AS merge
  JOIN customers_identifier AS attached
    ON attached.id IN (merge.first_id, merge.second_id) AND attached.kind IN ('phone', 'card')
 WHERE merge.kind = 'merge'
   AND merge.undone_at IS NULL
   AND NOT EXISTS (
       SELECT
         FROM customers_manualdecision AS separation
        WHERE separation.first_id = merge.first_id
          AND separation.second_id = merge.second_id
          AND separation.kind = 'separate'
          AND separation.undone_at IS NULL
          AND (separation.decided_at, separation.id) > (merge.decided_at, merge.id))
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0037_placeholders")]

    operations = [migrations.RunSQL(VIEW, "DROP VIEW customers_openable_link;")]
