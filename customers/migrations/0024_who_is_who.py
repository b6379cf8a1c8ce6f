"""Numbers name their source; links have evidence in five steps, a time and a state.

Each number that is known goes to the source that named it first. Each other source that named it
gets an equal number, with the events that it sent about that number. The equal number stays on the
same record until `manage.py rebuild --identities` or a new statement regroups it. Links keep what
they did: the two ends stay where they are. Joins and separations by staff become decisions.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import StrIndex, Substr

_IS_NUMBER = "({0}.kind = 'user_id' OR {0}.kind LIKE 'external:%')"
_IS_CORE = "({0}.kind IN ('email', 'user_id') OR {0}.kind LIKE 'external:%')"
_DESKS = "('till', 'store', 'phone', 'desk', 'kiosk', 'import', 'partner')"
# The sources that Butler made for people who signed in. They name numbers of other sources.
_STAFF = "('staff console', 'staff app')"
_INTERNAL = "('butler', 'staff console', 'staff app', 'customer portal', 'customer app', 'sms')"
# Events of these kinds are never filed elsewhere (customers.identity.refiling).
_FIXED_KINDS = "('identity', 'control', 'message')"

# A number that is spelled like an address is that address, as for new events.
SPELLED_NUMBERS = """
CREATE TEMPORARY TABLE spelled_number ON COMMIT DROP AS
SELECT id, CASE WHEN value LIKE '+%' THEN 'phone' ELSE 'email' END AS kind,
       CASE WHEN value LIKE '+%' THEN replace(value, ' ', '') ELSE lower(value) END AS value
  FROM customers_identifier
 WHERE kind = 'user_id' AND evidence = 2
   AND value ~ '^([^@[:space:]/]+@[^@[:space:]/]+[.][^@[:space:]/]+|[+][0-9 ]{8,20})$';

UPDATE customers_identifier AS number
   SET kind = spelled.kind, value = spelled.value
  FROM (SELECT DISTINCT ON (kind, value) * FROM spelled_number ORDER BY kind, value, id) AS spelled
 WHERE number.id = spelled.id
   AND NOT EXISTS (SELECT FROM customers_identifier AS same
                    WHERE same.kind = spelled.kind AND same.value = spelled.value
                      AND same.evidence = 2);
"""

# number_use: which source named which number, and when it did first. number_source: the source
# that a number goes to. number_copy: the equal numbers of all other sources.
NUMBERS_BY_SOURCE = f"""
CREATE TEMPORARY TABLE internal_source ON COMMIT DROP AS
SELECT id
  FROM customers_source AS source
 WHERE id = 1
    OR (name IN {_INTERNAL} AND webhook_secrets = '{{}}'
        AND NOT EXISTS (SELECT FROM customers_sourcekey WHERE source_id = source.id));

CREATE TEMPORARY TABLE number_use ON COMMIT DROP AS
SELECT named.id, named.source_id, min(named.at) AS at,
       named.source_id IN (SELECT id FROM internal_source) AS is_internal
  FROM (SELECT used.id, event.source_id, event.received_at AS at
          FROM customers_event AS event
         CROSS JOIN unnest(event.identifier_ids) AS used (id)
         UNION ALL
        SELECT first_id, source_id, recorded_at FROM customers_link
         UNION ALL
        SELECT second_id, source_id, recorded_at FROM customers_link) AS named
  JOIN customers_identifier AS number USING (id)
 WHERE {_IS_NUMBER.format("number")}
 GROUP BY named.id, named.source_id;

CREATE TEMPORARY TABLE number_source ON COMMIT DROP AS
SELECT DISTINCT ON (id) id, source_id FROM number_use ORDER BY id, is_internal, at, source_id;

CREATE TEMPORARY TABLE number_copy ON COMMIT DROP AS
SELECT nextval(pg_get_serial_sequence('customers_identifier', 'id')) AS id,
       number.id AS number_id, used.source_id, used.at, NULL::uuid AS record_id,
       COALESCE(number.customer_id, record.canonical_id, record.id) AS customer_id
  FROM number_use AS used
  JOIN number_source USING (id)
  JOIN customers_identifier AS number USING (id)
  LEFT JOIN customers_customer AS record ON record.id = number.record_id
 WHERE NOT used.is_internal AND used.source_id <> number_source.source_id;
CREATE UNIQUE INDEX ON number_copy (number_id, source_id);
ANALYZE number_source, number_copy;

CREATE TEMPORARY TABLE copied_event ON COMMIT DROP AS
SELECT event.customer_id, event.version, copy.id AS copy_id
  FROM customers_event AS event
  JOIN number_copy AS copy
    ON copy.number_id = event.identifier_ids[1] AND copy.source_id = event.source_id
  JOIN customers_identifier AS number
    ON number.id = copy.number_id
   AND number.record_id = COALESCE(event.origin_id, event.customer_id)
 WHERE event.kind NOT IN {_FIXED_KINDS};

-- An id of version 7, so that the new record is younger than the one that it belongs to.
UPDATE number_copy
   SET record_id = (lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0')
                    || '7' || substr(md5(random()::text || id), 1, 3)
                    || '8' || substr(md5(id || random()::text), 1, 15))::uuid
 WHERE id IN (SELECT copy_id FROM copied_event);

INSERT INTO customers_customer (id, canonical_id, version, grouping_version, created_at)
SELECT record_id, customer_id, 0, 0, at FROM number_copy WHERE record_id IS NOT NULL;

INSERT INTO customers_refiledevent
       (customer_id, version, record_id, reason, actor, refiled_at)
SELECT event.customer_id, event.version, copy.record_id, 'equal number of another source',
       'butler', now()
  FROM copied_event AS event
  JOIN number_copy AS copy ON copy.id = event.copy_id
    ON CONFLICT DO NOTHING;

INSERT INTO customers_identifier
       (id, kind, value, evidence, period, is_suspect, record_id, customer_id, is_shared,
        first_seen_at)
SELECT copy.id, number.kind, copy.source_id || '/' || number.value, number.evidence, 0, false,
       copy.record_id, copy.customer_id, false, copy.at
  FROM number_copy AS copy
  JOIN customers_identifier AS number ON number.id = copy.number_id;

UPDATE customers_identifier AS number
   SET value = COALESCE(number_source.source_id, 1) || '/' || number.value
  FROM customers_identifier AS old
  LEFT JOIN number_source USING (id)
 WHERE number.id = old.id AND {_IS_NUMBER.format("old")}
   AND old.id NOT IN (SELECT id FROM number_copy);
SET CONSTRAINTS ALL IMMEDIATE;
"""

# A link was stored for the source that stated it first, at the time at which Butler stored it. Each
# source now has its own number, so a link of another source moves to the number of that source, and
# the later statements of all sources about these numbers get links.
LINKS_BY_SOURCE = """
UPDATE customers_link AS link
   SET first_id = least(own.first_id, own.second_id),
       second_id = greatest(own.first_id, own.second_id)
  FROM (SELECT old.id, COALESCE(one.id, old.first_id) AS first_id,
               COALESCE(two.id, old.second_id) AS second_id
          FROM customers_link AS old
          LEFT JOIN number_copy AS one
            ON one.number_id = old.first_id AND one.source_id = old.source_id
          LEFT JOIN number_copy AS two
            ON two.number_id = old.second_id AND two.source_id = old.source_id
         WHERE one.id IS NOT NULL OR two.id IS NOT NULL) AS own
 WHERE link.id = own.id AND link.kind IN ('seen', 'placed');

-- In the old rules, the first identifier of an event was linked with each other one. Contacts in
-- other events than `identify` are noted today.
CREATE TEMPORARY TABLE stated_link ON COMMIT DROP AS
SELECT DISTINCT ON (first_id, second_id, source_id, evidence) *
  FROM (SELECT least(COALESCE(own.id, event.identifier_ids[1]), COALESCE(copy.id, other.id))
               AS first_id,
               greatest(COALESCE(own.id, event.identifier_ids[1]), COALESCE(copy.id, other.id))
               AS second_id,
               event.source_id,
               CASE WHEN event.evidence = 1 THEN 1
                    WHEN event.kind IN ('identify', 'alias')
                      OR other.kind NOT IN ('email', 'phone') THEN 2 ELSE 20 END AS evidence,
               other.kind = 'order' AS is_order,
               EXISTS (SELECT FROM number_copy WHERE number_id = event.identifier_ids[1])
               AS has_copies,
               event.received_at, event.occurred_at,
               customers_arrival_number(event.arrival, event.received_at, event.version) AS arrival
          FROM customers_event AS event
         CROSS JOIN unnest(event.identifier_ids[2:]) AS beside (id)
          JOIN customers_identifier AS other ON other.id = beside.id
          LEFT JOIN number_copy AS own
            ON own.number_id = event.identifier_ids[1] AND own.source_id = event.source_id
          LEFT JOIN number_copy AS copy
            ON copy.number_id = other.id AND copy.source_id = event.source_id) AS stated
 ORDER BY first_id, second_id, source_id, evidence, occurred_at, arrival;
ANALYZE stated_link;

UPDATE customers_link AS link
   SET occurred_at = earliest.occurred_at, arrival = earliest.arrival
  FROM (SELECT DISTINCT ON (first_id, second_id, source_id, evidence = 1) * FROM stated_link
         ORDER BY first_id, second_id, source_id, evidence = 1, occurred_at, arrival) AS earliest
 WHERE link.first_id = earliest.first_id AND link.second_id = earliest.second_id
   AND link.source_id = earliest.source_id AND link.kind IN ('seen', 'placed')
   AND (link.evidence = 1) = (earliest.evidence = 1)
   AND earliest.occurred_at < link.recorded_at;

INSERT INTO customers_link
       (first_id, second_id, kind, evidence, source_id, actor, recorded_at, occurred_at, arrival,
        state)
SELECT first_id, second_id, 'seen', evidence, source_id, '', received_at, occurred_at, arrival,
       'filed'
  FROM stated_link AS stated
 WHERE has_copies AND NOT is_order AND evidence > 1
   AND NOT EXISTS (SELECT FROM customers_link AS link
                    WHERE link.first_id = stated.first_id AND link.second_id = stated.second_id
                      AND link.source_id = stated.source_id AND link.kind = 'seen'
                      AND link.evidence = 2);

-- A number that is spelled like an address that was known before.
INSERT INTO customers_link
       (first_id, second_id, kind, evidence, source_id, actor, recorded_at, state)
SELECT least(number.id, address.id), greatest(number.id, address.id), 'seen', 2,
       split_part(number.value, '/', 1)::int, '', number.first_seen_at, 'filed'
  FROM spelled_number AS spelled
  JOIN customers_identifier AS number ON number.id = spelled.id AND number.kind = 'user_id'
  JOIN customers_identifier AS address
    ON address.kind = spelled.kind AND address.value = spelled.value AND address.evidence = 2
 WHERE NOT EXISTS (SELECT FROM customers_link AS link
                    WHERE link.first_id = least(number.id, address.id)
                      AND link.second_id = greatest(number.id, address.id)
                      AND link.kind = 'seen' AND link.evidence = 2);
"""

LINKS = f"""
INSERT INTO customers_manualdecision
       (kind, first_id, second_id, reason, actor, decided_at, undone_by, undone_reason)
SELECT CASE kind WHEN 'joined' THEN 'merge' ELSE 'separate' END, first_id, second_id, '', actor,
       recorded_at, '', ''
  FROM customers_link
 WHERE kind IN ('joined', 'parted')
 ORDER BY id;
DELETE FROM customers_link WHERE kind IN ('joined', 'parted');

-- The mailboxes that customers proved with a code.
CREATE TEMPORARY TABLE proved_mailbox ON COMMIT DROP AS
SELECT identifier_ids[1] AS id
  FROM customers_event
 WHERE source_id = 1 AND name = 'Address Proved' AND kind = 'identify'
 UNION
SELECT mailbox.id
  FROM customers_user AS login
  JOIN customers_identifier AS mailbox
    ON mailbox.record_id = login.record_id AND mailbox.kind = 'email' AND mailbox.evidence = 2
   AND mailbox.value = lower(login.email);
ANALYZE proved_mailbox;

UPDATE customers_link AS link
   SET occurred_at = COALESCE(link.occurred_at, link.recorded_at),
       arrival = COALESCE(link.arrival, (extract(epoch FROM link.recorded_at) * 1000000)::bigint * 2048),
       evidence = CASE
           WHEN link.evidence <> 2 THEN link.evidence
           WHEN 'order' IN (one.kind, two.kind) THEN 20
           WHEN source.name IN {_STAFF} THEN 50
           WHEN source.is_shared OR source.channel IN {_DESKS} THEN 20
           WHEN one.customer_id = two.customer_id
            AND {_IS_CORE.format("one")} AND {_IS_CORE.format("two")}
            AND (one.id IN (SELECT id FROM proved_mailbox)
                 OR two.id IN (SELECT id FROM proved_mailbox)) THEN 40
           ELSE 30 END
  FROM customers_identifier AS one, customers_identifier AS two, customers_source AS source
 WHERE one.id = link.first_id AND two.id = link.second_id AND source.id = link.source_id;

UPDATE customers_link AS link
   SET state = CASE
           WHEN (one.customer_id = two.customer_id) IS NOT TRUE THEN 'contested'
           WHEN one.kind = 'email' AND two.kind = 'email' THEN 'filed'
           WHEN {_IS_CORE.format("one")} AND {_IS_CORE.format("two")} THEN 'joined'
           ELSE 'hung' END
  FROM customers_identifier AS one, customers_identifier AS two
 WHERE one.id = link.first_id AND two.id = link.second_id
   AND link.evidence >= 30 AND link.kind = 'seen';

WITH number_of_source AS (
    SELECT id AS number_id, id, source_id FROM number_source
     WHERE source_id NOT IN (SELECT id FROM internal_source)
     UNION ALL
    SELECT number_id, id, source_id FROM number_copy
)
INSERT INTO customers_link
       (first_id, second_id, kind, evidence, source_id, actor, occurred_at, arrival, state)
SELECT least(one.id, two.id), greatest(one.id, two.id), 'equal', 30, two.source_id, '', 'epoch',
       least(one.source_id, two.source_id)::bigint * 1000000
       + greatest(one.source_id, two.source_id),
       CASE WHEN (first.customer_id = second.customer_id) IS NOT TRUE THEN 'contested'
            WHEN desk.id IS NULL THEN 'joined' ELSE 'hung' END
  FROM number_of_source AS one
  JOIN number_of_source AS two ON two.number_id = one.number_id AND two.id > one.id
  JOIN customers_identifier AS first ON first.id = one.id AND first.evidence = 2
  JOIN customers_identifier AS second ON second.id = two.id
  LEFT JOIN LATERAL (
       SELECT id FROM customers_source
        WHERE id IN (one.source_id, two.source_id) AND (is_shared OR channel IN {_DESKS})
        LIMIT 1) AS desk ON true;
SET CONSTRAINTS ALL IMMEDIATE;
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0023_source_warnings")]

    operations = [
        migrations.CreateModel(
            name="ManualDecision",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("merge", "Merge"), ("separate", "Separate")], max_length=8
                    ),
                ),
                ("reason", models.TextField(blank=True)),
                ("actor", models.CharField(max_length=100)),
                ("decided_at", models.DateTimeField()),
                ("undone_at", models.DateTimeField(blank=True, null=True)),
                ("undone_by", models.CharField(blank=True, max_length=100)),
                ("undone_reason", models.TextField(blank=True)),
                (
                    "first",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.identifier",
                    ),
                ),
                (
                    "second",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.identifier",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            "manualdecision",
            models.CheckConstraint(
                condition=models.Q(first__lt=models.F("second")), name="decision_is_ordered"
            ),
        ),
        *(
            migrations.AddIndex(
                "manualdecision",
                models.Index(
                    fields=[end],
                    condition=models.Q(undone_at__isnull=True),
                    name=f"decision_of_{end}",
                ),
            )
            for end in ("first", "second")
        ),
        migrations.AddField(
            "identifier", "period", models.SmallIntegerField(db_default=0, default=0)
        ),
        migrations.AddField(
            "identifier", "period_starts_at", models.DateTimeField(blank=True, null=True)
        ),
        migrations.AddField(
            "identifier", "is_suspect", models.BooleanField(db_default=False, default=False)
        ),
        migrations.AddField(
            "identifier",
            "best_evidence",
            models.SmallIntegerField(
                blank=True,
                choices=[
                    (1, "Claimed"),
                    (20, "Noted"),
                    (30, "Stated"),
                    (40, "Opened"),
                    (50, "Confirmed"),
                ],
                null=True,
            ),
        ),
        # Without the constraint, because a number may get a value that another one still has.
        migrations.RemoveConstraint("identifier", "identifier_is_unique_per_evidence"),
        migrations.RunSQL(SPELLED_NUMBERS + NUMBERS_BY_SOURCE, migrations.RunSQL.noop),
        migrations.AddConstraint(
            "identifier",
            models.UniqueConstraint(
                fields=["kind", "value", "evidence", "period"],
                name="identifier_is_unique_per_period",
            ),
        ),
        migrations.AddIndex(
            "identifier",
            models.Index(
                models.F("kind"),
                Substr("value", StrIndex("value", models.Value("/")) + 1),
                condition=models.Q(kind="user_id") | models.Q(kind__startswith="external:"),
                name="identifier_number",
            ),
        ),
        migrations.RemoveConstraint("link", "link_is_stated_once"),
        migrations.RemoveConstraint("link", "link_kind_is_known"),
        migrations.RemoveIndex("link", "link_not_seen_first"),
        migrations.RemoveIndex("link", "link_not_seen_second"),
        migrations.AddField("link", "occurred_at", models.DateTimeField(null=True)),
        migrations.AddField("link", "arrival", models.BigIntegerField(null=True)),
        migrations.AddField(
            "link",
            "state",
            models.CharField(
                choices=[
                    ("filed", "Filed"),
                    ("joined", "Joined"),
                    ("hung", "Hung"),
                    ("contested", "Contested"),
                    ("replaced", "Replaced"),
                ],
                default="filed",
                max_length=9,
            ),
        ),
        migrations.RunSQL(LINKS_BY_SOURCE + LINKS, migrations.RunSQL.noop),
        migrations.AlterField("link", "occurred_at", models.DateTimeField()),
        migrations.AlterField("link", "arrival", models.BigIntegerField()),
        migrations.RemoveField("link", "actor"),
        migrations.AlterField(
            "link",
            "kind",
            models.CharField(
                choices=[
                    ("seen", "Together"),
                    ("alias", "Alias"),
                    ("equal", "Equal"),
                    ("placed", "Placed"),
                ],
                default="seen",
                max_length=8,
            ),
        ),
        migrations.AlterField(
            "link",
            "evidence",
            models.SmallIntegerField(
                choices=[
                    (1, "Claimed"),
                    (20, "Noted"),
                    (30, "Stated"),
                    (40, "Opened"),
                    (50, "Confirmed"),
                ]
            ),
        ),
        migrations.AddConstraint(
            "link",
            models.UniqueConstraint(
                fields=["first", "second", "kind", "evidence", "source"],
                name="link_is_stated_once",
            ),
        ),
        migrations.AddConstraint(
            "link",
            models.CheckConstraint(
                condition=models.Q(kind__in=["seen", "alias", "equal", "placed"]),
                name="link_kind_is_known",
            ),
        ),
        migrations.AddConstraint(
            "link",
            models.CheckConstraint(
                condition=models.Q(state__in=["filed", "joined", "hung", "contested", "replaced"]),
                name="link_state_is_known",
            ),
        ),
        *(
            migrations.AddIndex(
                "link",
                models.Index(
                    fields=[end, "state"],
                    condition=models.Q(state__in=["joined", "hung"]),
                    name=f"link_acts_{end}",
                ),
            )
            for end in ("first", "second")
        ),
        *(
            migrations.AddIndex(
                "link",
                models.Index(
                    fields=[end, "-evidence", "occurred_at", "arrival"],
                    condition=models.Q(state__in=["hung", "contested"]),
                    name=f"link_order_{end}",
                ),
            )
            for end in ("first", "second")
        ),
        migrations.AlterField(
            "merge",
            "reason",
            models.CharField(
                choices=[
                    ("proof", "Proof"),
                    ("statement", "Statement"),
                    ("claim", "Claim"),
                    ("staff", "Staff"),
                    ("undo", "Undo"),
                ],
                max_length=16,
            ),
        ),
    ]
