from importlib import import_module

from django.db import migrations

_BEFORE = import_module("customers.migrations.0038_openable_links").VIEW
_REPLACED = _BEFORE.replace("CREATE VIEW", "CREATE OR REPLACE VIEW")
# A person who separates an account from an address does so in all periods of the address.
_PERIODS = """
   AND NOT EXISTS (
       SELECT
         FROM customers_identifier AS mailbox
         JOIN customers_identifier AS period USING (kind, value, evidence)
         JOIN customers_manualdecision AS separation
           ON period.id IN (separation.first_id, separation.second_id)
        WHERE mailbox.id IN (link.first_id, link.second_id)
          AND mailbox.kind = 'email'
          AND mailbox.period <> period.period
          AND link.first_id + link.second_id - mailbox.id
              IN (separation.first_id, separation.second_id)
          AND separation.kind = 'separate'
          AND separation.undone_at IS NULL
          AND NOT (link.source_id = 1 AND link.evidence >= 50
                   AND COALESCE(link.last_proved_at, link.occurred_at) > separation.decided_at)
          AND NOT EXISTS (
              SELECT
                FROM customers_manualdecision AS merge
               WHERE merge.first_id = link.first_id
                 AND merge.second_id = link.second_id
                 AND merge.kind = 'merge'
                 AND merge.undone_at IS NULL
                 AND (merge.decided_at, merge.id) > (separation.decided_at, separation.id)))
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0038_openable_links")]

    operations = [
        migrations.RunSQL(_REPLACED.replace(" UNION ALL", f"{_PERIODS[1:]} UNION ALL"), _REPLACED)
    ]
