from django.db import migrations

# 40 is the evidence "opened": a code proved the address, also without a link to an account.
_COUNT_PROOFS = """
UPDATE customers_identifier
   SET best_evidence = 40
 WHERE proved_at IS NOT NULL
   AND COALESCE(best_evidence, 30) < 40
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0039_address_changes")]

    operations = [migrations.RunSQL(_COUNT_PROOFS, migrations.RunSQL.noop)]
