-- Create records for identifiers that have none.
--
-- ids  uuid[], now  timestamptz

INSERT INTO customers_customer (id, version, grouping_version, created_at)
SELECT id, 0, 0, %(now)s
  FROM unnest(%(ids)s::uuid[]) AS created (id)
