"""Accounts whose mailbox is on the record of another account keep their service mail."""

from importlib import import_module

from django.db import migrations

_BEFORE = (
    import_module("customers.migrations.0028_noted_addresses")
    .NOTED_ADDRESSES.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
    .replace("is_suspect", "is_placeholder")
)
# The strongest, then the latest mailbox that a source stated or the customer proved for an account of
# the record, while another account has it. A mailbox that a person took off the account, in any of its
# periods, is none. It goes before an address that was only noted with the order.
_CONTESTED = """, contested AS MATERIALIZED (
        SELECT mailbox.value
          FROM customers_identifier AS account
          JOIN customers_linkend AS link
            ON link.id = account.id AND link.kind = 'seen' AND link.state = 'contested'
          JOIN customers_identifier AS mailbox ON mailbox.id = link.other_id
         WHERE EXISTS (SELECT FROM missing WHERE missing.kind = 'email')
           AND account.customer_id = live_id
           AND (account.kind = 'user_id' OR account.kind LIKE 'external:%')
           AND account.evidence = 2
           AND account.erasure_id IS NULL
           AND NOT account.is_placeholder
           AND mailbox.kind = 'email'
           AND mailbox.evidence = 2
           AND mailbox.erasure_id IS NULL
           AND NOT EXISTS (
               SELECT
                 FROM customers_identifier AS period
                 JOIN customers_manualdecision AS decision
                   ON period.id IN (decision.first_id, decision.second_id)
                WHERE period.kind = mailbox.kind
                  AND period.value = mailbox.value
                  AND account.id IN (decision.first_id, decision.second_id)
                  AND decision.kind = 'separate'
                  AND decision.undone_at IS NULL)
         ORDER BY link.evidence DESC, link.occurred_at DESC, link.arrival DESC
         LIMIT 1
    )
    SELECT relation.about, 'email', contested.value
      FROM relation
     CROSS JOIN contested
     UNION ALL
    SELECT latest.about"""
_END = "\n    )\n    SELECT latest.about"
_NOT_CONTESTED = "     WHERE latest.customer_id IS NULL\n"


def _replaced() -> str:
    assert _END in _BEFORE
    assert _NOT_CONTESTED in _BEFORE
    return _BEFORE.replace(_END, f"\n    ){_CONTESTED}").replace(
        _NOT_CONTESTED,
        f"{_NOT_CONTESTED}       AND (latest.kind <> 'email' OR NOT EXISTS (SELECT FROM contested))\n",
    )


class Migration(migrations.Migration):
    dependencies = [("customers", "0040_evidence_of_proved_addresses")]

    operations = [migrations.RunSQL(_replaced(), _BEFORE)]
