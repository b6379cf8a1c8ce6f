-- Store the value of each trait if it outweighs the stored one. A verified value outweighs a
-- claimed one; then the later time decides, then the later arrival, and last the message key.
--
-- traits  jsonb  [{customer_id, name, value|null, evidence, source_id, occurred_at, arrival,
--                 message_key}, ...], one row per customer and name

INSERT INTO customers_trait AS trait
       (customer_id, name, value, evidence, source_id, occurred_at, arrival, message_key)
SELECT customer_id, name, NULLIF(value, 'null'::jsonb), evidence, source_id, occurred_at, arrival,
       message_key
  FROM jsonb_to_recordset(%(traits)s::jsonb) AS statement (
       customer_id uuid, name text, value jsonb, evidence smallint, source_id int,
       occurred_at timestamptz, arrival bigint, message_key uuid)
    ON CONFLICT (customer_id, name) DO UPDATE
   SET value = EXCLUDED.value, evidence = EXCLUDED.evidence, source_id = EXCLUDED.source_id,
       occurred_at = EXCLUDED.occurred_at, arrival = EXCLUDED.arrival,
       message_key = EXCLUDED.message_key
 WHERE (EXCLUDED.evidence, EXCLUDED.occurred_at, EXCLUDED.arrival, EXCLUDED.message_key)
     > (trait.evidence, trait.occurred_at,
        -- A row from before the column arrival: its event has the number.
        coalesce(trait.arrival,
                 (SELECT customers_arrival_number(event.arrival, event.received_at, event.version)
                    FROM customers_event AS event
                   WHERE event.message_key = trait.message_key),
                 0),
        trait.message_key)
