"""The identifier of an order names its source; a new kind of link says who it was placed for.

Each order number that is known goes to the source which said first whose it is. Groups that a
number joined before are drawn anew, without it, when something next happens to them.
"""

from django.db import migrations, models
from django.db.models.functions import StrIndex, Substr

_BY_SOURCE = """
CREATE TEMPORARY TABLE order_source ON COMMIT DROP AS
SELECT DISTINCT ON (stated.id) stated.id, stated.source_id
  FROM (SELECT identifier.id, link.source_id, 0 AS rank, link.id AS place
          FROM customers_identifier AS identifier
          JOIN customers_link AS link ON link.left_id = identifier.id AND link.kind = 'seen'
         WHERE identifier.kind = 'order'
         UNION ALL
        SELECT identifier.id, link.source_id, 0, link.id
          FROM customers_identifier AS identifier
          JOIN customers_link AS link ON link.right_id = identifier.id AND link.kind = 'seen'
         WHERE identifier.kind = 'order'
         UNION ALL
        -- A number that came alone has a record of its own, and its events on that.
        SELECT identifier.id, event.source_id, 1, event.version
          FROM customers_identifier AS identifier
          JOIN customers_event AS event
            ON event.customer_id = identifier.record_id
           AND event.about = 'order:' || identifier.value AND event.about <> ''
         WHERE identifier.kind = 'order'
         UNION ALL
        SELECT identifier.id, event.source_id, 1, event.version
          FROM customers_identifier AS identifier
          JOIN customers_event AS event ON event.origin_id = identifier.record_id
         WHERE identifier.kind = 'order' AND event.about = 'order:' || identifier.value
       ) AS stated
 ORDER BY stated.id, stated.rank, stated.place, stated.source_id;

UPDATE customers_link AS link
   SET kind = 'placed'
  FROM order_source
 WHERE order_source.id IN (link.left_id, link.right_id)
   AND link.source_id = order_source.source_id
   AND link.kind = 'seen'
   AND link.trust = 2;

-- Butler itself (source 1) is named where nothing tells the source.
UPDATE customers_identifier AS identifier
   SET value = coalesce(order_source.source_id, 1) || '/' || identifier.value
  FROM customers_identifier AS old
  LEFT JOIN order_source USING (id)
 WHERE identifier.id = old.id
   AND old.kind = 'order';
"""

# Of two sources with one number, the one that is known longest keeps it.
_BACK = """
DELETE FROM customers_link AS link
 WHERE kind = 'placed'
   AND EXISTS (SELECT FROM customers_link AS same
                WHERE (same.left_id, same.right_id, same.trust, same.kind)
                    = (link.left_id, link.right_id, link.trust, 'seen'));
UPDATE customers_link SET kind = 'seen' WHERE kind = 'placed';
UPDATE customers_identifier AS identifier
   SET value = substring(value, strpos(value, '/') + 1)
 WHERE kind = 'order'
   AND NOT EXISTS (SELECT FROM customers_identifier AS older
                    WHERE older.kind = 'order' AND older.trust = identifier.trust
                      AND substring(older.value, strpos(older.value, '/') + 1)
                          = substring(identifier.value, strpos(identifier.value, '/') + 1)
                      AND older.id < identifier.id);
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0013_never_emptied")]

    operations = [
        migrations.RemoveConstraint("link", "link_kind_is_known"),
        migrations.AlterField(
            "link",
            "kind",
            models.CharField(
                choices=[
                    ("seen", "Seen"),
                    ("placed", "Placed"),
                    ("joined", "Joined"),
                    ("parted", "Parted"),
                ],
                default="seen",
                max_length=8,
            ),
        ),
        migrations.AddConstraint(
            "link",
            models.CheckConstraint(
                condition=models.Q(kind__in=["seen", "placed", "joined", "parted"]),
                name="link_kind_is_known",
            ),
        ),
        migrations.RunSQL(_BY_SOURCE, _BACK),
        migrations.AddIndex(
            "identifier",
            models.Index(
                Substr("value", StrIndex("value", models.Value("/")) + 1),
                condition=models.Q(kind="order"),
                name="identifier_order_number",
            ),
        ),
        migrations.AlterField(
            "order",
            "status",
            models.CharField(
                choices=[
                    ("requested", "Requested"),
                    ("placed", "Placed"),
                    ("amended", "Amended"),
                    ("cancelled", "Cancelled"),
                    ("refunded", "Refunded"),
                    ("declined", "Declined"),
                ],
                max_length=16,
            ),
        ),
        migrations.AddField(
            "order", "requested_changes", models.JSONField(default=list, db_default=[])
        ),
    ]
