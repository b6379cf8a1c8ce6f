"""Separates orders of one record that have the same number. Run `rebuild` afterwards."""

from django.db import migrations, models

# The number of an order as its source sent it: `1001` for `1001·2` (customers.values.order_numbers).
SENT_NUMBER = """
CREATE FUNCTION customers_sent_number(number text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN number LIKE '%·%' THEN regexp_replace(number, '(.)·[1-9][0-9]{0,2}$', '\\1')
            ELSE number END
"""

# The orders that show a number, and those whose sources sent it.
WITH_NUMBER = """
CREATE FUNCTION customers_orders_with_number(number text) RETURNS SETOF customers_order
LANGUAGE sql STABLE
AS $$
SELECT * FROM customers_order AS shown WHERE shown.number = $1
 UNION ALL
SELECT * FROM customers_order AS sent
 WHERE sent.number LIKE '%·%' AND customers_sent_number(sent.number) = $1 AND sent.number <> $1
$$
"""

# The place of a live record, by time, among the customers for whom one source placed an order with one
# number. It is 1 unless the source placed several.
ORDER_PLACE = """
CREATE FUNCTION customers_order_place(identifier_ids bigint[], placer_id bigint, live_id uuid)
RETURNS integer
LANGUAGE sql STABLE
AS $$
SELECT coalesce((
    SELECT placed.place
      FROM (SELECT first.customer_id,
                   row_number() OVER (ORDER BY first.occurred_at, first.arrival, first.customer_id)
                   ::integer AS place
              FROM (SELECT DISTINCT ON (person.customer_id)
                           person.customer_id, link.occurred_at, link.arrival
                      FROM customers_identifier AS numbered
                      JOIN customers_link AS link
                        ON numbered.id IN (link.first_id, link.second_id)
                       AND link.kind = 'placed'
                      JOIN customers_identifier AS person
                        ON person.id = link.first_id + link.second_id - numbered.id
                       AND person.erasure_id IS NOT DISTINCT FROM numbered.erasure_id
                     WHERE numbered.id = ANY ($1)
                       AND numbered.kind = 'order'
                       AND numbered.is_shared
                       AND split_part(numbered.value, '/', 1) = $2::text
                       AND person.customer_id IS NOT NULL
                     ORDER BY person.customer_id, link.occurred_at, link.arrival) AS first
           ) AS placed
     WHERE placed.customer_id = $3), 1)
$$
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0052_timeline_by_time")]

    operations = [
        migrations.RunSQL(SENT_NUMBER, "DROP FUNCTION customers_sent_number(text)"),
        migrations.RunSQL(WITH_NUMBER, "DROP FUNCTION customers_orders_with_number(text)"),
        migrations.RunSQL(
            ORDER_PLACE, "DROP FUNCTION customers_order_place(bigint[], bigint, uuid)"
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                models.Func("number", function="customers_sent_number"),
                "customer",
                condition=models.Q(("number__contains", "·")),
                name="order_with_place",
            ),
        ),
    ]
