-- The facts for decisions about customers. One statement, so that all facts have the same snapshot.
-- If the ledger has entries but its projection is missing, consent_state is null, which denies.
--
-- ids      uuid[]  records, live or merged
-- windows  text[]  the budget windows that are current in some time zone
-- since    timestamptz  orders and requests that ended before are not read
-- returns (given id, live record, facts as JSON text), no row for an id without a record

WITH record AS MATERIALIZED (
    SELECT id, coalesce(canonical_id, id) AS live_id
      FROM customers_customer
     WHERE id = ANY (%(ids)s::uuid[])
), live AS MATERIALIZED (
    SELECT customer.id, customer.version
      FROM customers_customer AS customer
     WHERE customer.id IN (SELECT live_id FROM record)
), fact AS MATERIALIZED (
    SELECT live.id, json_build_object(
        'version', live.version,
        'consent_state', coalesce(
            (SELECT consent_state.state FROM customers_consentstate AS consent_state
              WHERE consent_state.customer_id = live.id),
            CASE WHEN EXISTS (SELECT FROM customers_ledgerentry AS entry
                               WHERE entry.record_id = live.id)
                 THEN NULL ELSE '{}'::jsonb END),
        'addresses', (
            WITH account AS (
                SELECT id
                  FROM customers_identifier
                 WHERE customer_id = live.id AND evidence = 2
                   AND (kind = 'user_id' OR kind LIKE 'external:%%'))
            SELECT json_agg(json_build_array(
                       identifier.kind, identifier.value, identifier.refused,
                       (SELECT json_agg(json_build_array(suppression.channel,
                                                         suppression.reason,
                                                         suppression.id)
                                        ORDER BY suppression.id)
                          FROM customers_suppression AS suppression
                         WHERE suppression.address = identifier.value
                           AND suppression.lifted_at IS NULL),
                       CASE WHEN EXISTS (SELECT FROM account)
                            THEN EXISTS (SELECT
                                           FROM customers_linkend AS link
                                           JOIN account ON account.id = link.other_id
                                          WHERE link.id = identifier.id AND link.evidence >= 40
                                            AND link.state <> 'replaced')
                            ELSE identifier.is_proved END,
                       (SELECT max(refusal.refused_at)
                          FROM customers_current_refusals(live.id, identifier.value) AS refusal
                         WHERE NOT refusal.has_account AND NOT identifier.is_proved))
                       ORDER BY identifier.kind)
              FROM (SELECT DISTINCT ON (address.kind) address.id, address.kind, address.value,
                           address.refused,
                           address.proved_at IS NOT NULL
                           OR COALESCE(address.best_evidence, 0) >= 40 AS is_proved
                      FROM customers_identifier AS address
                      LEFT JOIN customers_trait AS trait
                        ON trait.customer_id = live.id AND trait.name = address.kind
                     WHERE address.customer_id = live.id
                       AND address.kind IN ('email', 'phone')
                       AND address.evidence = 2
                       AND NOT address.is_shared
                       AND address.erasure_id IS NULL
                     ORDER BY address.kind, address.preferred_at DESC NULLS LAST,
                              (trait.value = to_jsonb(address.value)) DESC NULLS LAST,
                              address.id) AS identifier),
        'noted_addresses', (
            SELECT json_agg(json_build_array(
                       noted.about,
                       json_build_array(
                           noted.kind, noted.value, '{}'::text[],
                           (SELECT json_agg(json_build_array(channel, reason, id) ORDER BY id)
                              FROM customers_suppression
                             WHERE address = noted.value
                               AND lifted_at IS NULL), false, null))
                       ORDER BY noted.about, noted.kind)
              FROM customers_noted_addresses(live.id, %(since)s) AS noted
             WHERE NOT EXISTS (SELECT FROM customers_current_refusals(live.id, noted.value))
               AND NOT EXISTS (SELECT FROM customers_erasedrecord AS erased
                                WHERE erased.id = live.id)),
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
                     -- One array, so that Postgres uses the index. Two conditions would read all rows.
                     WHERE customer_id = ANY (live.id || ARRAY (
                               SELECT merged.id
                                 FROM customers_customer AS merged
                                WHERE merged.canonical_id = live.id))
                       AND "window" = ANY (%(windows)s)
                     GROUP BY scope, "window") AS budget),
        'pause_switches', (SELECT json_agg(key ORDER BY key) FROM butler_pauseswitch WHERE released_at IS NULL)
    )::text AS facts
      FROM live
)
SELECT record.id, fact.id, fact.facts
  FROM record
  JOIN fact ON fact.id = record.live_id
