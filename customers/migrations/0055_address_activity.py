"""Reads the activity of an address in the order of time, so that a silence needs few events."""

from django.db import migrations

# The events of one log that name an address or are filed on it, without events that were re-filed. Postgres inlines
# the function (one SELECT, STABLE, not STRICT), so an ORDER BY of the caller uses event_by_time.
#
# $1 uuid      the log
# $2 uuid[]    all records of the customer: events of other customers in this log do not count
# $3 uuid[]    the records for the events of the address
# $4 bigint[]  the identifiers of the address, one for each period
EVENTS_OF_ADDRESS = """
CREATE FUNCTION customers_events_of_address(uuid, uuid[], uuid[], bigint[])
RETURNS SETOF customers_event
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
SELECT event.*
  FROM customers_event AS event
 WHERE event.customer_id = $1
   AND event.evidence = 2
   AND coalesce(event.origin_id, event.customer_id) = ANY ($2)
   AND (coalesce(event.origin_id, event.customer_id) = ANY ($3) OR event.identifier_ids && $4)
   AND NOT EXISTS (
       SELECT
         FROM customers_refiledevent AS refiled
        WHERE refiled.customer_id = event.customer_id AND refiled.version = event.version)
$$
"""

# An action, an order or a call; Butler's own event about a proof; an answer or a read message; a consent
# of the customer. The statements of a source, such as a nightly identify, are no activity.
IS_ACTIVITY = """
CREATE FUNCTION customers_is_activity(kind text, name text, source_id bigint, actor text)
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
SELECT kind IN ('track', 'page', 'screen')
    OR (kind = 'identify' AND source_id = 1)
    OR (kind = 'message' AND name IN ('Message Received', 'Message Read'))
    OR (kind = 'control' AND actor = '')
$$
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0054_order_places_at_once")]

    operations = [
        migrations.RunSQL(
            EVENTS_OF_ADDRESS,
            "DROP FUNCTION customers_events_of_address(uuid, uuid[], uuid[], bigint[])",
        ),
        migrations.RunSQL(
            IS_ACTIVITY, "DROP FUNCTION customers_is_activity(text, text, bigint, text)"
        ),
    ]
