-- What decides whether we may speak to customers: everything of one moment, in one statement.
-- A customer whose ledger has entries but no projection gets no control: that is a no.
--
-- ids      uuid[]  records, or records that were joined into others
-- windows  text[]  the windows of budgets that now could be in
-- since    timestamptz  orders and requests that ended before are nobody's business any more
-- returns (asked, live, facts as JSON text), nothing for an id that is not there

WITH asked AS MATERIALIZED (
    SELECT record.id, coalesce(record.canonical_id, record.id) AS live_id
      FROM customers_customer AS record
     WHERE record.id = ANY (%(ids)s::uuid[])
), live AS MATERIALIZED (
    SELECT customer.id, customer.version
      FROM customers_customer AS customer
     WHERE customer.id IN (SELECT live_id FROM asked)
), fact AS MATERIALIZED (
    SELECT live.id, json_build_object(
        'version', live.version,
        'control', coalesce(
            (SELECT control.state FROM customers_control AS control
              WHERE control.customer_id = live.id),
            CASE WHEN EXISTS (SELECT FROM customers_controlentry AS entry
                               WHERE entry.record_id = live.id)
                 THEN NULL ELSE '{}'::jsonb END),
        'addresses', (
            SELECT json_agg(json_build_array(
                       identifier.kind, identifier.value,
                       (SELECT json_agg(json_build_array(suppression.channel,
                                                         suppression.reason,
                                                         suppression.id)
                                        ORDER BY suppression.id)
                          FROM customers_suppression AS suppression
                         WHERE suppression.address = identifier.value
                           AND suppression.lifted_at IS NULL))
                       ORDER BY identifier.kind)
              FROM (SELECT DISTINCT ON (one.kind) one.kind, one.value
                      FROM customers_identifier AS one
                      LEFT JOIN customers_trait AS said
                        ON said.customer_id = live.id AND said.name = one.kind
                     WHERE one.customer_id = live.id
                       AND one.kind IN ('email', 'phone')
                       AND one.evidence = 2
                       AND NOT one.is_shared
                     ORDER BY one.kind, (said.value = to_jsonb(one.value)) DESC NULLS LAST,
                              one.id) AS identifier),
        'orders', (
            SELECT json_agg(json_build_array(number, status, placed_at, changed_at, visit_date)
                            ORDER BY number)
              FROM customers_order
             WHERE customer_id = live.id
               AND evidence = 2
               AND (changed_at >= %(since)s OR visit_date >= %(since)s::date)),
        'requests', (
            SELECT json_agg(json_build_array(reference, status, opened_at, closed_at)
                            ORDER BY reference)
              FROM customers_request
             WHERE customer_id = live.id
               AND coalesce(closed_at, opened_at) >= %(since)s),
        'traits', (
            SELECT json_object_agg(name, value ORDER BY name)
              FROM customers_trait
             WHERE customer_id = live.id
               AND name IN ('language', 'locale', 'timezone', 'birth_date', 'country')
               AND value IS NOT NULL),
        'used', (
            SELECT json_object_agg(scope || '|' || "window", used ORDER BY scope, "window")
              FROM (SELECT scope, "window", sum(used) AS used
                      FROM butler_budgetuse
                     -- One list: whether it is in either of two is asked of every row there is.
                     WHERE customer_id = ANY (live.id || ARRAY (
                               SELECT joined.id
                                 FROM customers_customer AS joined
                                WHERE joined.canonical_id = live.id))
                       AND "window" = ANY (%(windows)s)
                     GROUP BY scope, "window") AS budget),
        'halted', (SELECT json_agg(key ORDER BY key) FROM butler_pauseswitch WHERE released_at IS NULL)
    )::text AS facts
      FROM live
)
SELECT asked.id, fact.id, fact.facts
  FROM asked
  JOIN fact ON fact.id = asked.live_id
