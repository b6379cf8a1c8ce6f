-- Store the current states of orders. The rows contain all orders of a record with a number. Other stored
-- orders of the record with this number are deleted, such as `1001·2` after the join of two customers.
--
-- rows  jsonb  the fields of customers.projections.orders.OrderState, and customer_id

WITH current_order AS MATERIALIZED (
    SELECT * FROM jsonb_populate_recordset(NULL::customers_order, %(rows)s::jsonb)
), sent AS MATERIALIZED (
    SELECT DISTINCT customer_id, customers_sent_number(number) AS number FROM current_order
), outdated AS (
    DELETE FROM customers_order AS stored_order
     USING (SELECT customer_id, number FROM sent
             UNION ALL
            -- The partial index order_with_place finds the orders `1001·2` of a number.
            SELECT numbered.customer_id, numbered.number
              FROM sent
              JOIN customers_order AS numbered
                ON numbered.number LIKE '%%·%%'
               AND customers_sent_number(numbered.number) = sent.number
               AND numbered.customer_id = sent.customer_id
            EXCEPT
            SELECT customer_id, number FROM current_order) AS other
     WHERE stored_order.customer_id = other.customer_id AND stored_order.number = other.number
)
INSERT INTO customers_order
       (customer_id, number, status, channel, currency, total, is_total_of_lines, visit_date,
        visit_time, party, lines, details, requested_changes, requests, asked_at,
       source_id, refunds, doubts, evidence, placed_at,
        changed_at, changed_by, version)
SELECT customer_id, number, status, channel, currency, total, is_total_of_lines, visit_date,
       visit_time, party, lines, details, requested_changes, requests, asked_at,
       source_id, refunds, doubts, evidence, placed_at,
       changed_at, changed_by, version
  FROM current_order
    ON CONFLICT (customer_id, number) DO UPDATE
   SET status = EXCLUDED.status, channel = EXCLUDED.channel, currency = EXCLUDED.currency,
       total = EXCLUDED.total, is_total_of_lines = EXCLUDED.is_total_of_lines, visit_date = EXCLUDED.visit_date,
       visit_time = EXCLUDED.visit_time, party = EXCLUDED.party, lines = EXCLUDED.lines,
       details = EXCLUDED.details, requested_changes = EXCLUDED.requested_changes, requests = EXCLUDED.requests,
       asked_at = EXCLUDED.asked_at, source_id = EXCLUDED.source_id, refunds = EXCLUDED.refunds,
       doubts = EXCLUDED.doubts,
       evidence = EXCLUDED.evidence, placed_at = EXCLUDED.placed_at,
       changed_at = EXCLUDED.changed_at, changed_by = EXCLUDED.changed_by,
       version = EXCLUDED.version
