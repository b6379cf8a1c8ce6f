-- Store the consent states of customers.
--
-- rows  jsonb  the columns of customers_consentstate

INSERT INTO customers_consentstate
       (customer_id, entries, state, granted, objected, channels_off, topics_off, paused_until,
        only_when_i_ask, expires_at)
SELECT customer_id, entries, state, granted, objected, channels_off, topics_off, paused_until,
       only_when_i_ask, expires_at
  FROM jsonb_populate_recordset(NULL::customers_consentstate, %(rows)s::jsonb)
    ON CONFLICT (customer_id) DO UPDATE
   SET entries = EXCLUDED.entries, state = EXCLUDED.state, granted = EXCLUDED.granted,
       objected = EXCLUDED.objected, channels_off = EXCLUDED.channels_off,
       topics_off = EXCLUDED.topics_off, paused_until = EXCLUDED.paused_until,
       only_when_i_ask = EXCLUDED.only_when_i_ask, expires_at = EXCLUDED.expires_at
