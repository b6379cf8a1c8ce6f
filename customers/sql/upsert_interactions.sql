-- Store the current states of calls, visits and chats.
--
-- rows  jsonb  the fields of customers.projections.interactions.InteractionState, and customer_id

INSERT INTO customers_interaction
       (customer_id, reference, kind, channel, direction, status, staff, started_at,
        answered_at, ended_at, details, version)
SELECT customer_id, reference, kind, channel, direction, status, staff, started_at,
       answered_at, ended_at, details, version
  FROM jsonb_populate_recordset(NULL::customers_interaction, %(rows)s::jsonb)
    ON CONFLICT (customer_id, reference) DO UPDATE
   SET kind = EXCLUDED.kind, channel = EXCLUDED.channel, direction = EXCLUDED.direction,
       status = EXCLUDED.status, staff = EXCLUDED.staff, started_at = EXCLUDED.started_at,
       answered_at = EXCLUDED.answered_at, ended_at = EXCLUDED.ended_at,
       details = EXCLUDED.details, version = EXCLUDED.version
