-- Find the items that name an erased identifier whose next period has not begun.
--
-- keys  jsonb  [[place of the item, kind, value, evidence, digest in hex, digest of the equal numbers of
--               the space in hex or missing], ...]
-- returns the places of these items

SELECT DISTINCT (key ->> 0)::integer
  FROM jsonb_array_elements(%(keys)s::jsonb) AS key
  JOIN customers_tombstone AS tombstone
    ON tombstone.digest = ANY (ARRAY[decode(key ->> 4, 'hex'), decode(key ->> 5, 'hex')])
 WHERE NOT EXISTS (SELECT
                     FROM customers_identifier AS identifier
                    WHERE identifier.kind = key ->> 1
                      AND identifier.value = key ->> 2
                      AND identifier.evidence = (key ->> 3)::smallint
                      AND identifier.erasure_id IS NULL)
