-- Read the identifiers that a session may open: those that it proved, those that links connect with
-- them, and the other identifiers of their records. customers/identity/opening_rules.py decides which
-- of them open. With OFFSET, Postgres looks up each identifier by its index.
--
-- The same account has equal numbers, aliases, and second numbers of one event (CTE account).
-- A login proves its address, a mailbox or a phone. The record of the login tells of which period: the
-- address files on it, or leads to the same live record. A login without such an address proves the
-- identifiers that file on its record.
--
-- record_id   uuid|null  the record of the login
-- kind        text       of the address of the login
-- address     text       normalized
-- proved_ids  bigint[]   identifiers that the session proved besides
-- limit       int        links of each identifier and state that are read, the strongest first
-- returns one row: the ids of the proved identifiers; then as JSON the identifiers, the links between
--         them, and the decisions of people about them

WITH RECURSIVE login AS MATERIALIZED (
    SELECT id AS record_id, COALESCE(canonical_id, id) AS live_id
      FROM customers_customer
     WHERE id = %(record_id)s
), address AS MATERIALIZED (
    SELECT identifier.id
      FROM login
      JOIN customers_identifier AS identifier
        ON identifier.kind = %(kind)s AND identifier.value = %(address)s
       AND identifier.evidence = 2 AND identifier.erasure_id IS NULL
       AND (identifier.record_id = login.record_id OR identifier.customer_id = login.live_id)
), proved AS MATERIALIZED (
    SELECT id FROM address
     UNION
    SELECT identifier.id
      FROM login
      JOIN customers_identifier AS identifier ON identifier.record_id = login.record_id
     WHERE identifier.evidence = 2 AND identifier.erasure_id IS NULL
       AND NOT EXISTS (SELECT FROM address)
     UNION
    SELECT id FROM customers_identifier
     WHERE id = ANY (%(proved_ids)s::bigint[]) AND erasure_id IS NULL
), near AS MATERIALIZED (
    SELECT link.*
      FROM proved
     CROSS JOIN LATERAL (
           (SELECT * FROM customers_linkend WHERE id = proved.id AND state = 'joined'
             ORDER BY evidence DESC LIMIT %(limit)s)
            UNION ALL
           (SELECT * FROM customers_linkend
             WHERE id = proved.id AND state = 'attached'
             ORDER BY evidence DESC, occurred_at, arrival LIMIT %(limit)s)
            UNION ALL
           (SELECT * FROM customers_linkend
             WHERE id = proved.id AND state = 'contested'
             ORDER BY evidence DESC, occurred_at, arrival LIMIT %(limit)s)) AS link
), account AS (
    SELECT identifier.id, 0 AS step
      FROM (SELECT id FROM proved UNION SELECT other_id FROM near) AS reached
     CROSS JOIN LATERAL (SELECT id, kind FROM customers_identifier
                          WHERE id = reached.id OFFSET 0) AS identifier
     WHERE identifier.kind = 'user_id' OR identifier.kind LIKE 'external:%%'
     UNION
    SELECT identifier.id, account.step + 1
      FROM account
     CROSS JOIN LATERAL (SELECT other_id FROM customers_linkend
                          WHERE id = account.id AND state IN ('joined', 'attached')
                         OFFSET 0) AS link
     CROSS JOIN LATERAL (SELECT id, kind FROM customers_identifier
                          WHERE id = link.other_id OFFSET 0) AS identifier
     WHERE account.step < 3
       AND (identifier.kind = 'user_id' OR identifier.kind LIKE 'external:%%')
), strong AS MATERIALIZED (
    SELECT id FROM proved UNION SELECT other_id FROM near UNION SELECT id FROM account
), beside AS MATERIALIZED (
    SELECT link.*
      FROM strong
     CROSS JOIN LATERAL (
           SELECT * FROM customers_linkend
            WHERE id = strong.id AND state IN ('joined', 'attached')
            ORDER BY evidence DESC, occurred_at, arrival LIMIT %(limit)s) AS link
), reached AS MATERIALIZED (
    SELECT id FROM strong UNION SELECT other_id FROM beside
), reached_identifier AS MATERIALIZED (
    SELECT identifier.*
      FROM reached
     CROSS JOIN LATERAL (SELECT * FROM customers_identifier
                          WHERE id = reached.id OFFSET 0) AS identifier
), named AS MATERIALIZED (
    SELECT * FROM reached_identifier WHERE kind <> 'order'
     UNION
    SELECT other.*
      FROM (SELECT DISTINCT customer_id FROM reached_identifier) AS live
     CROSS JOIN LATERAL (SELECT * FROM customers_identifier
                          WHERE customer_id = live.customer_id OFFSET 0) AS other
     WHERE other.kind <> 'order'
)
SELECT (SELECT COALESCE(array_agg(id ORDER BY id), '{}') FROM proved),
       (SELECT COALESCE(json_agg(json_build_array(
                   named.id, named.kind, named.value,
                   COALESCE(space.id, 0), COALESCE(space.id <> 1, false),
                   COALESCE(space.ids_per_person = 'several', false), is_placeholder,
                   COALESCE(erasure_id, 0), record_id, customer_id, silent_until)
                   ORDER BY named.id), '[]')::text
          FROM named
          LEFT JOIN customers_source AS source
            ON source.id = CASE WHEN kind = 'user_id' OR kind LIKE 'external:%%'
                                THEN split_part(value, '/', 1)::bigint END
          LEFT JOIN customers_space AS space ON space.id = source.space_id),
       (SELECT COALESCE(json_agg(json_build_array(
                   first_id, second_id, evidence, kind, state, source_id,
                   COALESCE(last_proved_at, occurred_at))
                   ORDER BY first_id, second_id, kind, evidence, source_id), '[]')::text
          FROM (SELECT * FROM near UNION ALL SELECT * FROM beside) AS link),
       (SELECT COALESCE(json_agg(json_build_array(kind, first_id, second_id, decided_at, id)
                                 ORDER BY id), '[]')::text
          FROM customers_manualdecision
         WHERE undone_at IS NULL
           AND (first_id IN (SELECT id FROM named) OR second_id IN (SELECT id FROM named)))
