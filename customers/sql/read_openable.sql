-- Read the identifiers that a session may open: those that it proved, those that links connect with
-- them, and the other identifiers of their records. customers/identity/opening_rules.py decides what opens.
--
-- The same account has equal numbers, aliases, and second numbers of one event (CTE account).
-- A login proves the mailbox of its address. The record of the login tells of which period: the
-- mailbox files on it, or leads to the same live record. A login without such a mailbox proves the
-- identifiers that file on its record.
--
-- record_id      uuid|null  the record of the login
-- mailbox        text       the normalized address of the login
-- proved_ids     bigint[]   identifiers that the session proved besides
-- limit          int        links of each identifier and state that are read, the strongest first
-- returns one row (proved ids, identifiers as JSON, links as JSON)

WITH RECURSIVE login AS MATERIALIZED (
    SELECT id AS record_id, COALESCE(canonical_id, id) AS live_id
      FROM customers_customer
     WHERE id = %(record_id)s
), mailbox AS MATERIALIZED (
    SELECT identifier.id
      FROM login
      JOIN customers_identifier AS identifier
        ON identifier.kind = 'email' AND identifier.value = %(mailbox)s
       AND identifier.evidence = 2 AND identifier.erasure_id IS NULL
       AND (identifier.record_id = login.record_id OR identifier.customer_id = login.live_id)
), proved AS MATERIALIZED (
    SELECT id FROM mailbox
     UNION
    SELECT identifier.id
      FROM login
      JOIN customers_identifier AS identifier ON identifier.record_id = login.record_id
     WHERE identifier.evidence = 2 AND identifier.erasure_id IS NULL
       AND NOT EXISTS (SELECT FROM mailbox)
     UNION
    SELECT id FROM customers_identifier
     WHERE id = ANY (%(proved_ids)s::bigint[]) AND erasure_id IS NULL
), near AS MATERIALIZED (
    SELECT link.*
      FROM proved
     CROSS JOIN LATERAL (
           (SELECT *, second_id AS other_id FROM customers_openable_link
             WHERE first_id = proved.id AND state = 'joined'
             ORDER BY evidence DESC LIMIT %(limit)s)
            UNION ALL
           (SELECT *, first_id FROM customers_openable_link
             WHERE second_id = proved.id AND state = 'joined'
             ORDER BY evidence DESC LIMIT %(limit)s)
            UNION ALL
           (SELECT *, second_id FROM customers_openable_link
             WHERE first_id = proved.id AND state IN ('attached', 'contested')
             ORDER BY evidence DESC, occurred_at, arrival LIMIT %(limit)s)
            UNION ALL
           (SELECT *, first_id FROM customers_openable_link
             WHERE second_id = proved.id AND state IN ('attached', 'contested')
             ORDER BY evidence DESC, occurred_at, arrival LIMIT %(limit)s)) AS link
), account AS (
    SELECT identifier.id, 0 AS step
      FROM (SELECT id FROM proved UNION SELECT other_id FROM near) AS reached
      JOIN customers_identifier AS identifier USING (id)
     WHERE identifier.kind = 'user_id' OR identifier.kind LIKE 'external:%%'
     UNION
    SELECT identifier.id, account.step + 1
      FROM account
     CROSS JOIN LATERAL (
           SELECT second_id AS id FROM customers_openable_link
            WHERE first_id = account.id AND state IN ('joined', 'attached')
            UNION ALL
           SELECT first_id FROM customers_openable_link
            WHERE second_id = account.id AND state IN ('joined', 'attached')) AS other
      JOIN customers_identifier AS identifier ON identifier.id = other.id
     WHERE account.step < 3
       AND (identifier.kind = 'user_id' OR identifier.kind LIKE 'external:%%')
), strong AS MATERIALIZED (
    SELECT id FROM proved UNION SELECT other_id FROM near UNION SELECT id FROM account
), beside AS MATERIALIZED (
    SELECT link.*
      FROM strong
     CROSS JOIN LATERAL (
           (SELECT *, second_id AS other_id FROM customers_openable_link
             WHERE first_id = strong.id AND state IN ('attached', 'joined') LIMIT %(limit)s)
            UNION ALL
           (SELECT *, first_id FROM customers_openable_link
             WHERE second_id = strong.id AND state IN ('attached', 'joined') LIMIT %(limit)s)) AS link
), link AS (
    SELECT * FROM near UNION SELECT * FROM beside
), reached AS MATERIALIZED (
    SELECT id FROM strong UNION SELECT other_id FROM beside
), named AS (
    SELECT id FROM reached
     UNION
    SELECT other.id
      FROM (SELECT DISTINCT customer_id FROM reached JOIN customers_identifier USING (id)
             WHERE customer_id IS NOT NULL) AS live
      JOIN customers_identifier AS other USING (customer_id)
)
SELECT (SELECT COALESCE(array_agg(id), '{}') FROM proved),
       (SELECT COALESCE(json_agg(json_build_array(
                   identifier.id, identifier.kind, identifier.value,
                   COALESCE(space.id, 0), COALESCE(space.id <> 1, false),
                   COALESCE(space.ids_per_person = 'several', false),
                   identifier.is_placeholder, COALESCE(identifier.erasure_id, 0),
                   identifier.record_id, identifier.customer_id)), '[]')::text
          FROM named
          JOIN customers_identifier AS identifier USING (id)
          LEFT JOIN customers_source AS source
            ON source.id = CASE WHEN kind = 'user_id' OR kind LIKE 'external:%%'
                                THEN split_part(value, '/', 1)::bigint END
          LEFT JOIN customers_space AS space ON space.id = source.space_id
         WHERE identifier.kind <> 'order'),
       (SELECT COALESCE(json_agg(json_build_array(first_id, second_id, kind, evidence,
                                                  state = 'joined')), '[]')::text
          FROM link)
