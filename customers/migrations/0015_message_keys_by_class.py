"""Gives what publishable keys sent message keys of their own, and secret keys theirs back.

Until now both classes of keys shared the message ids of their source. Trusted events keep their
keys, so no event of theirs doubles; claims get the key under which they are looked for from now
on, so none of those does. Nothing else of an event changes.

In batches, each a transaction of its own; run again after it was cut off, it changes nothing
twice. Claims that an older process stores while it runs need it once more.
"""

from hashlib import blake2b

from django.db import migrations, models, transaction

BATCH = 2000
CLAIMED = 1
# As customers.log has it.
PUBLIC = b"publishable key"

# What refuses every change of an event, until the end of this transaction.
LET_CHANGE = """
SELECT set_config('pgtrigger.ignore', array_agg(tgname)::text, true)
  FROM pg_trigger
 WHERE tgrelid = 'customers_event'::regclass AND tgname LIKE 'pgtrigger_event_is_never_changed%'
"""
NEXT_CLAIMS = """
SELECT customer_id, version, source_id, message_id
  FROM customers_event
 WHERE (customer_id, version) > (%s, %s) AND trust = %s
 ORDER BY customer_id, version
 LIMIT %s
"""
CHANGE_EVENTS = """
UPDATE customers_event AS event
   SET message_key = changed.message_key
  FROM unnest(%s::uuid[], %s::bigint[], %s::uuid[]) AS changed (customer_id, version, message_key)
 WHERE event.customer_id = changed.customer_id AND event.version = changed.version
   AND event.message_key <> changed.message_key
"""
# Before the events: a trait is known by the key that its event still has.
CHANGE_TRAITS = """
UPDATE customers_trait AS trait
   SET message_key = changed.message_key
  FROM unnest(%s::uuid[], %s::bigint[], %s::uuid[]) AS changed (customer_id, version, message_key)
  JOIN customers_event AS event
    ON event.customer_id = changed.customer_id AND event.version = changed.version
  JOIN customers_customer AS record ON record.id = COALESCE(event.origin_id, event.customer_id)
 WHERE trait.customer_id = COALESCE(record.canonical_id, record.id)
   AND trait.message_key = event.message_key
"""
NEXT_REFUSED = """
SELECT id, source_id, raw
  FROM customers_quarantineditem
 WHERE id > %s AND trust = %s AND NOT is_secret
 ORDER BY id
 LIMIT %s
"""
CHANGE_REFUSED = "UPDATE customers_quarantineditem SET digest = %s WHERE id = %s"
TRUSTED_IS_SECRET = "UPDATE customers_quarantineditem SET is_secret = true WHERE trust > %s"


def separate(apps, schema_editor):
    """Give every claim, and every claim in quarantine, the key of its class."""
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        cursor.execute(TRUSTED_IS_SECRET, [CLAIMED])
    _in_batches(connection, _change_events, ("00000000-0000-0000-0000-000000000000", 0))
    _in_batches(connection, _change_refused, (0,))


def _in_batches(connection, change, after):
    while after:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            after = change(cursor, after)


def _change_events(cursor, after):
    cursor.execute(NEXT_CLAIMS, [*after, CLAIMED, BATCH])
    rows = cursor.fetchall()
    if not rows:
        return None
    keys = [_digest(f"{source}:{message}".encode()) for _, _, source, message in rows]
    changed = [[row[0] for row in rows], [row[1] for row in rows], keys]
    cursor.execute(CHANGE_TRAITS, changed)
    cursor.execute(LET_CHANGE)
    cursor.execute(CHANGE_EVENTS, changed)
    return rows[-1][:2]


def _change_refused(cursor, after):
    # Few at once: each may have a quarter of a megabyte.
    cursor.execute(NEXT_REFUSED, [*after, CLAIMED, 100])
    rows = cursor.fetchall()
    digests = [(_digest(b"%d:%b" % (source, bytes(raw))), id_) for id_, source, raw in rows]
    cursor.executemany(CHANGE_REFUSED, digests)
    return rows[-1][:1] if rows else None


def _digest(text):
    return blake2b(text, digest_size=16, person=PUBLIC).hexdigest()


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("customers", "0014_orders_by_source")]

    operations = [
        migrations.AddField(
            model_name="quarantineditem",
            name="is_secret",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.RunPython(separate, migrations.RunPython.noop, elidable=True),
    ]
