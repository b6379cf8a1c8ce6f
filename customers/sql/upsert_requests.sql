-- Store the current states of service requests.
--
-- rows  jsonb  the fields of customers.projections.requests.RequestState, and customer_id

INSERT INTO customers_request
       (customer_id, reference, kind, status, subject, channel, opened_at, wanted_at,
        closed_at, details, version)
SELECT customer_id, reference, kind, status, subject, channel, opened_at, wanted_at,
       closed_at, details, version
  FROM jsonb_populate_recordset(NULL::customers_request, %(rows)s::jsonb)
    ON CONFLICT (customer_id, reference) DO UPDATE
   SET kind = EXCLUDED.kind, status = EXCLUDED.status, subject = EXCLUDED.subject,
       channel = EXCLUDED.channel, opened_at = EXCLUDED.opened_at,
       wanted_at = EXCLUDED.wanted_at, closed_at = EXCLUDED.closed_at,
       details = EXCLUDED.details, version = EXCLUDED.version
