-- Read the links of these cards, phones and numbers that no regrouping has decided, because many
-- stronger links precede them.
--
-- ids       bigint[]
-- excluded  bigint[]  links that were read
-- limit     int
-- returns the link, the card, phone or number, the other end and its live record

SELECT link.id, link.attached_id, other.id, other.customer_id
  FROM (SELECT id, first_id AS attached_id, second_id AS other_id
          FROM customers_link
         WHERE first_id = ANY (%(ids)s::bigint[])
           AND state = 'filed' AND evidence >= 30 AND kind = 'seen'
         UNION ALL
        SELECT id, second_id, first_id
          FROM customers_link
         WHERE second_id = ANY (%(ids)s::bigint[])
           AND state = 'filed' AND evidence >= 30 AND kind = 'seen') AS link
  JOIN customers_identifier AS other ON other.id = link.other_id
  JOIN customers_identifier AS attached ON attached.id = link.attached_id
 WHERE link.id <> ALL (%(excluded)s::bigint[])
   AND (other.kind IN ('user_id', 'email') OR other.kind LIKE 'external:%%')
   AND NOT other.is_placeholder
   AND other.erasure_id IS NOT DISTINCT FROM attached.erasure_id
 ORDER BY link.id, attached_id
 LIMIT %(limit)s
