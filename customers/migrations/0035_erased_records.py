"""A view of the records of erased customers."""

from django.db import migrations

# The erased records. A record has a row for each of its identifiers, so that Postgres plans the view
# as a part of each statement.
ERASED_RECORDS = """
CREATE VIEW customers_erasedrecord AS
SELECT customer_id AS id
  FROM customers_identifier
 WHERE erasure_id IS NOT NULL
"""


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0034_identity_secrets"),
    ]

    operations = [
        migrations.RunSQL(ERASED_RECORDS, "DROP VIEW customers_erasedrecord;"),
    ]
