-- Count the contested links of a batch that suggest that two sources of one space number customers
-- separately, and read the links that the sender stated.
--
-- Two cases count: an account of one source and a mailbox that has another number of the other
-- source, and equal numbers of two sources that the rules keep apart. Where one source itself has
-- two numbers for the mailbox, the case says nothing about two sources.
-- Batches with the same question wait for each other here.
--
-- ids        bigint[]  the links that became contested
-- source_id            the sender
-- returns (first, second, kind, evidence)

WITH contested AS MATERIALIZED (
    SELECT first_id, second_id, kind, evidence, source_id
      FROM customers_link
     WHERE id = ANY (%(ids)s::bigint[])
), ends AS MATERIALIZED (
    SELECT contested.kind AS link_kind, account.kind, account.value, other.kind AS other_kind,
           other.value AS other_value, other.customer_id,
           CASE WHEN account.kind = 'user_id' OR account.kind LIKE 'external:%%'
                THEN split_part(account.value, '/', 1)::bigint END AS account_source_id,
           CASE WHEN other.kind = 'user_id' OR other.kind LIKE 'external:%%'
                THEN split_part(other.value, '/', 1)::bigint END AS other_source_id
      FROM contested
     CROSS JOIN LATERAL (VALUES (first_id, second_id), (second_id, first_id))
           AS pair (account_id, other_id)
      JOIN customers_identifier AS account ON account.id = pair.account_id
      JOIN customers_identifier AS other ON other.id = pair.other_id
), cases AS (
    SELECT own.space_id, own.id AS source_id, sibling.id AS sibling_id,
           1 AS shared_mailboxes, 0 AS equal_numbers
      FROM ends
      JOIN customers_source AS own ON own.id = ends.account_source_id
     CROSS JOIN LATERAL (
           SELECT source.id
             FROM customers_identifier AS holder
             JOIN customers_source AS source
               ON source.id = CASE WHEN holder.kind = ends.kind
                                   THEN split_part(holder.value, '/', 1)::bigint END
            WHERE holder.customer_id = ends.customer_id AND holder.kind = ends.kind
              AND source.space_id = own.space_id
              AND split_part(holder.value, '/', 2) <> split_part(ends.value, '/', 2)
            ORDER BY source.id <> own.id, source.id
            LIMIT 1) AS sibling
     WHERE ends.other_kind = 'email' AND sibling.id <> own.id
     UNION ALL
    SELECT own.space_id, own.id, sibling.id, 0, 1
      FROM ends
      JOIN customers_source AS own ON own.id = ends.account_source_id
      JOIN customers_source AS sibling
        ON sibling.id = ends.other_source_id AND sibling.space_id = own.space_id
     WHERE ends.link_kind = 'equal' AND own.id < sibling.id
), numbering AS (
    INSERT INTO customers_numberingquestion AS stored
           (space_id, first_id, second_id, shared_mailboxes, equal_numbers,
            answer, reason, answered_by)
    SELECT space_id, least(source_id, sibling_id), greatest(source_id, sibling_id),
           sum(shared_mailboxes), sum(equal_numbers), '', '', ''
      FROM cases
      JOIN customers_space AS space ON space.id = space_id AND space.ids_per_person = 'one'
     GROUP BY 1, 2, 3
     ORDER BY 1, 2, 3
        ON CONFLICT (space_id, first_id, second_id) DO UPDATE
       SET shared_mailboxes = stored.shared_mailboxes + EXCLUDED.shared_mailboxes,
           equal_numbers = stored.equal_numbers + EXCLUDED.equal_numbers
     WHERE stored.answer = ''
)
SELECT first_id, second_id, kind, evidence
  FROM contested
 WHERE source_id = %(source_id)s
