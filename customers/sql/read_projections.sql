-- Read all projected rows of these records as text, so that two snapshots can be compared.
--
-- ids  uuid[]

SELECT customer_id, 'trait', name, to_jsonb(trait)::text
  FROM customers_trait AS trait WHERE customer_id = ANY (%(ids)s::uuid[])
 UNION ALL
SELECT customer_id, 'order', number, to_jsonb(stored)::text
  FROM customers_order AS stored WHERE customer_id = ANY (%(ids)s::uuid[])
 UNION ALL
SELECT customer_id, 'interaction', reference, to_jsonb(interaction)::text
  FROM customers_interaction AS interaction WHERE customer_id = ANY (%(ids)s::uuid[])
 UNION ALL
SELECT customer_id, 'member', reference, to_jsonb(member)::text
  FROM customers_partymember AS member WHERE customer_id = ANY (%(ids)s::uuid[])
 UNION ALL
SELECT customer_id, 'request', reference, to_jsonb(request)::text
  FROM customers_request AS request WHERE customer_id = ANY (%(ids)s::uuid[])
 UNION ALL
SELECT customer_id, 'consent_state', '', to_jsonb(consent_state)::text
  FROM customers_consentstate AS consent_state WHERE customer_id = ANY (%(ids)s::uuid[])
