-- Read the addresses of the opened part of a record: those that the session opens, and those that
-- owners stated or customers proved with its accounts, and phones with its mailboxes.
-- customers.access.address_states tells which are current.
--
-- live_id     uuid      the live record
-- opened_ids  bigint[]  the identifiers of it that the session opens
-- limit       int       links that are read of each account and mailbox
-- returns one row per address: id, kind, value, whether the record has it, proved_at, whether it is
--     the preferred one of its kind on the record, links as JSON (holder, state, evidence, source,
--     first and last time), the time since which a person keeps it apart, suppressions as JSON
--     (channel, reason, since)

WITH holder AS (
    SELECT id, kind
      FROM customers_identifier
     WHERE id = ANY (%(opened_ids)s::bigint[])
       AND (kind = 'user_id' OR kind LIKE 'external:%%' OR kind = 'email')
), link AS MATERIALIZED (
    SELECT holder.id AS holder_id, named.*
      FROM holder
     CROSS JOIN LATERAL (
           (SELECT second_id AS address_id, state, evidence, source_id, occurred_at, last_proved_at
              FROM customers_link
             WHERE first_id = holder.id AND kind = 'seen' AND evidence >= 30
             ORDER BY evidence DESC, occurred_at LIMIT %(limit)s)
            UNION ALL
           (SELECT first_id, state, evidence, source_id, occurred_at, last_proved_at
              FROM customers_link
             WHERE second_id = holder.id AND kind = 'seen' AND evidence >= 30
             ORDER BY evidence DESC, occurred_at LIMIT %(limit)s)) AS named
), address AS MATERIALIZED (
    SELECT *
      FROM customers_identifier
     WHERE id IN (SELECT address_id FROM link UNION SELECT unnest(%(opened_ids)s::bigint[]))
       AND kind IN ('email', 'phone') AND evidence = 2 AND erasure_id IS NULL
), preferred AS (
    SELECT DISTINCT ON (stored.kind) stored.id
      FROM customers_identifier AS stored
      LEFT JOIN customers_trait AS trait
        ON trait.customer_id = %(live_id)s AND trait.name = stored.kind
     WHERE stored.customer_id = %(live_id)s
       AND stored.kind IN ('email', 'phone')
       AND stored.evidence = 2 AND NOT stored.is_shared AND stored.erasure_id IS NULL
       AND stored.id IN (SELECT id FROM address)
     ORDER BY stored.kind, stored.preferred_at DESC NULLS LAST,
              (trait.value = to_jsonb(stored.value)) DESC NULLS LAST, stored.id
)
SELECT address.id, address.kind, address.value,
       COALESCE(address.customer_id = %(live_id)s AND NOT address.is_shared, false),
       address.proved_at,
       address.id IN (SELECT id FROM preferred),
       (SELECT COALESCE(json_agg(json_build_array(
                   holder_id, state, evidence, source_id, occurred_at, last_proved_at)
                   ORDER BY occurred_at, holder_id), '[]')::text
          FROM link
         WHERE link.address_id = address.id),
       (SELECT max(decision.decided_at)
          FROM customers_manualdecision AS decision
         WHERE decision.kind = 'separate' AND decision.undone_at IS NULL
           AND (decision.first_id = address.id AND decision.second_id IN (SELECT id FROM holder WHERE address.kind <> holder.kind)
                OR decision.second_id = address.id AND decision.first_id IN (SELECT id FROM holder WHERE address.kind <> holder.kind))),
       (SELECT COALESCE(json_agg(json_build_array(channel, reason, since) ORDER BY id), '[]')::text
          FROM customers_suppression
         WHERE customers_suppression.address = address.value AND lifted_at IS NULL)
  FROM address
 ORDER BY address.kind, address.value, address.period DESC
