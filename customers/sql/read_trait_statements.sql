-- Read all statements about traits of whole records (see read_projected_events).
--
-- ids  uuid[]  live records

WITH record AS MATERIALIZED (
    SELECT customer.id, COALESCE(customer.canonical_id, customer.id) AS customer_id
      FROM customers_customer AS customer
     WHERE (customer.id = ANY (%(ids)s::uuid[]) AND customer.canonical_id IS NULL)
        OR customer.canonical_id = ANY (%(ids)s::uuid[])
)
SELECT record.customer_id, trait.name, trait.value, trait.evidence, trait.source_id,
       trait.occurred_at, trait.arrival, encode(uuid_send(trait.message_key), 'hex')
  FROM record
 CROSS JOIN LATERAL customers_trait_statements(record.id) AS trait
