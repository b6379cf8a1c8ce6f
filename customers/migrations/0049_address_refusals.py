"""Stores that the holders of unconfirmed addresses said by a link that these are not theirs."""

import django.contrib.postgres.fields
from django.db import migrations, models

# The refusals of an address that hold for a live record: of one of its accounts or, without an account,
# of its identifiers. A refusal ends when staff undo a decision that it made.
CURRENT_REFUSALS = """
CREATE FUNCTION customers_current_refusals(live_id uuid, named_address text)
RETURNS TABLE (refused_at timestamptz, has_account boolean)
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
SELECT refusal.refused_at, refusal.has_account
  FROM customers_addressrefusal AS refusal
 WHERE refusal.address = $2
   AND refusal.undone_at IS NULL
   AND EXISTS (SELECT
                 FROM customers_identifier AS holder
                WHERE holder.id = ANY (refusal.holder_ids) AND holder.customer_id = $1)
   AND NOT EXISTS (SELECT
                     FROM customers_manualdecision AS decision
                    WHERE decision.id = ANY (refusal.decision_ids)
                      AND decision.undone_at IS NOT NULL)
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0048_silences")]

    operations = [
        migrations.CreateModel(
            name="AddressRefusal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=64)),
                ("address", models.CharField(max_length=1024)),
                (
                    "holder_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), size=None
                    ),
                ),
                ("has_account", models.BooleanField()),
                (
                    "decision_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, size=None
                    ),
                ),
                (
                    "source_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(), default=list, size=None
                    ),
                ),
                ("message_id", models.UUIDField(blank=True, null=True)),
                ("refused_at", models.DateTimeField()),
                ("undone_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("undone_at__isnull", True)),
                        fields=["address"],
                        name="address_refusal_current",
                    )
                ]
            },
        ),
        migrations.RunSQL(
            CURRENT_REFUSALS, "DROP FUNCTION customers_current_refusals(uuid, text);"
        ),
    ]
