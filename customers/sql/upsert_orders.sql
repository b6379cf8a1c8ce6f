-- Store the current states of orders. The rows contain all orders of a record with a number. Other stored
-- orders of the record with this number are deleted, such as `1001·2` after the join of two customers.
--
-- rows  jsonb  the fields of customers.projections.orders.OrderState, and customer_id

WITH current_order AS MATERIALIZED (
    SELECT * FROM jsonb_populate_recordset(NULL::customers_order, %(rows)s::jsonb)
), outdated AS (
    DELETE FROM customers_order AS stored_order
     USING (SELECT DISTINCT customer_id, customers_sent_number(number) AS number
              FROM current_order) AS sent
     WHERE stored_order.customer_id = sent.customer_id
       AND (stored_order.number = sent.number
            OR stored_order.number LIKE '%%·%%'
               AND customers_sent_number(stored_order.number) = sent.number)
       AND NOT EXISTS (SELECT FROM current_order
                        WHERE current_order.customer_id = stored_order.customer_id
                          AND current_order.number = stored_order.number)
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
