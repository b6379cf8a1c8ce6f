-- Read facts of a record that only its holder knows, from before a time: later ones may be of the next
-- holder of the address. customers.actions.earlier_history compares them.
--
-- live_id  uuid
-- until    timestamptz
-- returns one row: as JSON the numbers and totals of the orders, the cards, and the statements about
--         names and birth dates as (name, value)

SELECT (SELECT coalesce(json_agg(json_build_array(customers_sent_number(number), total::text)), '[]')::text
          FROM (SELECT number, total
                  FROM customers_order
                 WHERE customer_id = %(live_id)s AND evidence = 2 AND placed_at < %(until)s
                 ORDER BY placed_at DESC
                 LIMIT 1000) AS placed),
       (SELECT coalesce(json_agg(value), '[]')::text
          FROM customers_identifier
         WHERE customer_id = %(live_id)s AND kind = 'card' AND evidence = 2 AND NOT is_shared
           AND erasure_id IS NULL AND first_seen_at < %(until)s),
       (SELECT coalesce(json_agg(DISTINCT jsonb_build_array(trait.name, trait.value)), '[]')::text
          FROM customers_customer AS record
         CROSS JOIN LATERAL customers_trait_statements(record.id) AS trait
         WHERE (record.id = %(live_id)s OR record.canonical_id = %(live_id)s)
           AND trait.evidence = 2 AND trait.occurred_at < %(until)s
           AND trait.name = ANY (%(names)s::text[]))
