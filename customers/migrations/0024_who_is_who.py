"""Numbers name their source; links have evidence in five steps, a time and a state.

Each number that is known goes to the source that named it first. Each other source that named it
gets an equal number, which stays on the same record until `manage.py rebuild --identities` or a
new statement regroups it. Links keep what they did: the two ends stay where they are. Joins and
separations by staff become decisions.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import StrIndex, Substr

_IS_NUMBER = "(kind = 'user_id' OR kind LIKE 'external:%')"
_INTERNAL = "('butler', 'portal', 'console', 'inbox', 'sms', 'email')"
_DESKS = "('till', 'store', 'phone', 'desk', 'kiosk', 'import', 'partner', 'console')"

NUMBERS_BY_SOURCE = f"""
CREATE TEMPORARY TABLE number_use ON COMMIT DROP AS
SELECT named.id, named.source_id, min(named.at) AS at,
       source.channel IN {_INTERNAL} AS is_internal
  FROM (SELECT number.id, event.source_id, event.received_at AS at
          FROM customers_event AS event
         CROSS JOIN unnest(event.identifier_ids) AS used (id)
          JOIN customers_identifier AS number USING (id)
         WHERE {_IS_NUMBER.replace("kind", "number.kind")}
         UNION ALL
        SELECT number.id, link.source_id, link.recorded_at
          FROM customers_identifier AS number
          JOIN customers_link AS link ON link.first_id = number.id OR link.second_id = number.id
         WHERE {_IS_NUMBER.replace("kind", "number.kind")}) AS named
  JOIN customers_source AS source ON source.id = named.source_id
 GROUP BY named.id, named.source_id, source.channel;

CREATE TEMPORARY TABLE number_source ON COMMIT DROP AS
SELECT DISTINCT ON (id) id, source_id FROM number_use ORDER BY id, is_internal, at, source_id;

INSERT INTO customers_identifier
       (kind, value, evidence, period, is_suspect, customer_id, is_shared, first_seen_at)
SELECT number.kind, used.source_id || '/' || number.value, number.evidence, 0, false,
       number.customer_id, number.is_shared, used.at
  FROM number_use AS used
  JOIN customers_identifier AS number USING (id)
 WHERE NOT used.is_internal
   AND (used.id, used.source_id) NOT IN (SELECT id, source_id FROM number_source);

CREATE TEMPORARY TABLE equal_number ON COMMIT DROP AS
SELECT DISTINCT number.id AS own_id, other.id AS other_id, number_source.source_id,
       used.source_id AS other_source_id
  FROM number_use AS used
  JOIN customers_identifier AS number USING (id)
  JOIN number_source USING (id)
  JOIN customers_identifier AS other
    ON other.kind = number.kind AND other.evidence = number.evidence
   AND other.value = used.source_id || '/' || number.value
 WHERE number.evidence = 2 AND used.source_id <> number_source.source_id;

UPDATE customers_identifier AS number
   SET value = number_source.source_id || '/' || number.value
  FROM number_source
 WHERE number_source.id = number.id;

UPDATE customers_identifier
   SET value = '1/' || value
 WHERE {_IS_NUMBER}
   AND id NOT IN (SELECT id FROM number_source)
   AND split_part(value, '/', 1) NOT IN (SELECT id::text FROM customers_source);
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

UPDATE customers_link AS link
   SET occurred_at = link.recorded_at,
       arrival = (extract(epoch FROM link.recorded_at) * 1000000)::bigint * 2048,
       evidence = CASE
           WHEN link.evidence = 1 THEN 1
           WHEN 'order' IN (one.kind, two.kind) OR source.is_shared
                OR source.channel IN {_DESKS} THEN 20
           WHEN one.customer_id = two.customer_id AND EXISTS (
                SELECT FROM customers_user AS login
                 WHERE login.record_id IS NOT NULL
                   AND lower(login.email) IN (one.value, two.value)
                   AND 'email' IN (one.kind, two.kind)) THEN 40
           ELSE 30 END
  FROM customers_identifier AS one, customers_identifier AS two, customers_source AS source
 WHERE one.id = link.first_id AND two.id = link.second_id AND source.id = link.source_id;

UPDATE customers_link AS link
   SET state = CASE
           WHEN one.customer_id IS DISTINCT FROM two.customer_id THEN 'contested'
           WHEN (one.kind IN ('email', 'user_id') OR one.kind LIKE 'external:%')
            AND (two.kind IN ('email', 'user_id') OR two.kind LIKE 'external:%') THEN 'joined'
           ELSE 'hung' END
  FROM customers_identifier AS one, customers_identifier AS two
 WHERE one.id = link.first_id AND two.id = link.second_id
   AND link.evidence >= 30 AND link.kind = 'seen';

INSERT INTO customers_link
       (first_id, second_id, kind, evidence, source_id, occurred_at, arrival, state)
SELECT least(own_id, other_id), greatest(own_id, other_id), 'equal', 30, other_source_id,
       'epoch', least(source_id, other_source_id)::bigint * 1000000
                + greatest(source_id, other_source_id), 'joined'
  FROM equal_number;
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
        migrations.RemoveConstraint("identifier", "identifier_is_unique_per_evidence"),
        migrations.AddConstraint(
            "identifier",
            models.UniqueConstraint(
                fields=["kind", "value", "evidence", "period"],
                name="identifier_is_unique_per_period",
            ),
        ),
        migrations.RunSQL(NUMBERS_BY_SOURCE, migrations.RunSQL.noop),
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
        migrations.RunSQL(LINKS, migrations.RunSQL.noop),
        migrations.AlterField("link", "occurred_at", models.DateTimeField()),
        migrations.AlterField("link", "arrival", models.BigIntegerField()),
        migrations.RemoveField("link", "actor"),
        migrations.AlterField(
            "link",
            "kind",
            models.CharField(
                choices=[
                    ("seen", "Seen"),
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
