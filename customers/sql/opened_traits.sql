-- The traits that the events of some records state: a part of read_record.sql, in place of the table
-- of traits. The order of the statements is that of customers.projections.traits.
--
-- record_ids  uuid[]  the records that the session opens

(SELECT DISTINCT ON (name) customer.id AS customer_id, stated.*
   FROM (SELECT trait.key AS name, NULLIF(trait.value, 'null') AS value, event.evidence,
                event.source_id, event.occurred_at,
                customers_arrival_number(event.arrival, event.received_at, event.version) AS arrival,
                event.message_key
           FROM unnest(%(record_ids)s::uuid[]) AS opened (id)
          CROSS JOIN LATERAL customers_filed_events(opened.id) AS event,
                jsonb_each(CASE WHEN jsonb_typeof(event.body -> 'traits') = 'object'
                                 AND event.body -> 'traits' <> '{}'
                                THEN event.body -> 'traits'
                                WHEN jsonb_typeof(event.body #> '{context,traits}') = 'object'
                                THEN event.body #> '{context,traits}'
                                ELSE '{}' END) AS trait
          WHERE event.kind = 'identify') AS stated
  ORDER BY name, evidence DESC, occurred_at DESC, arrival DESC, message_key DESC) AS trait
