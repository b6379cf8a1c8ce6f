from django.db import migrations

# The row that speaks for Butler itself when it records a merge, a login or a correction.
BUTLER_SOURCE = 1

MAKE_ROOM = """
-- The head of a log is updated with every event: leave room on its page, so that the new
-- version stays there and no index has to be touched.
ALTER TABLE customers_customer SET (fillfactor = 70);
ALTER TABLE customers_trait SET (fillfactor = 80);
-- Random keys read badly from a table whose statistics are old; a busy log is looked at
-- every 50,000 rows, whatever its size.
ALTER TABLE customers_event SET (
    autovacuum_analyze_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05);
"""

SPEAK = f"""
INSERT INTO customers_source (id, name, channel, is_shared, default_region, webhook_secrets)
VALUES ({BUTLER_SOURCE}, 'butler', 'butler', false, '', '{{}}');
SELECT setval(pg_get_serial_sequence('customers_source', 'id'), {BUTLER_SOURCE});
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0001_the_one_record")]

    operations = [
        migrations.RunSQL(MAKE_ROOM, migrations.RunSQL.noop),
        migrations.RunSQL(SPEAK, "DELETE FROM customers_source WHERE id = 1"),
    ]
