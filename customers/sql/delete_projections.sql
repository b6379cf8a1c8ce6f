-- Delete the projections of records, which rebuild computes again from the log.
--
-- ids  uuid[]

WITH traits AS (
    DELETE FROM customers_trait WHERE customer_id = ANY (%(ids)s::uuid[])
), orders AS (
    DELETE FROM customers_order WHERE customer_id = ANY (%(ids)s::uuid[])
), members AS (
    DELETE FROM customers_partymember WHERE customer_id = ANY (%(ids)s::uuid[])
), requests AS (
    DELETE FROM customers_request WHERE customer_id = ANY (%(ids)s::uuid[])
)
DELETE FROM customers_interaction WHERE customer_id = ANY (%(ids)s::uuid[])
