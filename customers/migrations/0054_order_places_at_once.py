"""Reads the places of orders with one number for each order, instead of for each event."""

from importlib import import_module

from django.db import migrations

_BEFORE = import_module("customers.migrations.0053_orders_with_one_number").ORDER_PLACE

# For each customer for whom one source placed an order with one number, the place by time. An order that
# was placed for one customer has no row.
ORDER_PLACES = """
CREATE FUNCTION customers_order_places(order_ids bigint[])
RETURNS TABLE (order_id bigint, source_id bigint, customer_id uuid, place integer)
LANGUAGE sql STABLE
AS $$
SELECT first.order_id, first.source_id, first.customer_id,
       row_number() OVER (PARTITION BY first.order_id
                              ORDER BY first.occurred_at, first.arrival, first.customer_id)::integer
  FROM (SELECT DISTINCT ON (numbered.id, person.customer_id)
               numbered.id AS order_id, split_part(numbered.value, '/', 1)::bigint AS source_id,
               person.customer_id, link.occurred_at, link.arrival
          FROM customers_identifier AS numbered
         CROSS JOIN LATERAL (
               SELECT second_id AS id, occurred_at, arrival
                 FROM customers_link WHERE first_id = numbered.id AND kind = 'placed'
                UNION ALL
               SELECT first_id, occurred_at, arrival
                 FROM customers_link WHERE second_id = numbered.id AND kind = 'placed') AS link
          JOIN customers_identifier AS person
            ON person.id = link.id
           AND person.erasure_id IS NOT DISTINCT FROM numbered.erasure_id
         WHERE numbered.id = ANY ($1)
           AND numbered.kind = 'order'
           AND numbered.is_shared
           AND person.customer_id IS NOT NULL
         ORDER BY numbered.id, person.customer_id, link.occurred_at, link.arrival) AS first
$$
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0053_orders_with_one_number")]

    operations = [
        migrations.RunSQL("DROP FUNCTION customers_order_place(bigint[], bigint, uuid)", _BEFORE),
        migrations.RunSQL(ORDER_PLACES, "DROP FUNCTION customers_order_places(bigint[])"),
    ]
