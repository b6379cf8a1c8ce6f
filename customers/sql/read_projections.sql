-- Read all projected rows of these records as text, so that two snapshots can be compared. A trait
-- without an arrival number, from before that column, gets the number of its event.
--
-- ids  uuid[]

SELECT customer_id, 'trait', name,
       (CASE WHEN trait.arrival IS NULL
             THEN to_jsonb(trait) || jsonb_build_object('arrival', (
                  SELECT customers_arrival_number(event.arrival, event.received_at, event.version)
                    FROM customers_event AS event
                   WHERE event.message_key = trait.message_key))
             ELSE to_jsonb(trait) END)::text
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
