-- Tell whether a phone number leads to this record by a proved link.
--
-- value        text  in the form of E.164
-- customer_id  uuid  the live record
-- opened       int   the weakest evidence of a proof
-- returns one row, or none

SELECT phone.id
  FROM customers_identifier AS phone
  JOIN customers_link AS link ON phone.id IN (link.first_id, link.second_id)
  JOIN customers_identifier AS other
    ON other.id = CASE WHEN link.first_id = phone.id THEN link.second_id ELSE link.first_id END
 WHERE phone.kind = 'phone' AND phone.value = %(value)s AND phone.erasure_id IS NULL
   AND link.evidence >= %(opened)s
   AND other.customer_id = %(customer_id)s
 LIMIT 1
