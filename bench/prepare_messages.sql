-- Insert customers with an email address, a consent and a user id. If the setting bench.version is
-- not empty, also insert a queued message of that version for each of them. The settings bench.run
-- and bench.count give the name of the run and the number of customers.

CREATE TEMPORARY TABLE guest ON COMMIT DROP AS
SELECT number, gen_random_uuid() AS id, current_setting('bench.run') || '-' || number AS name
  FROM generate_series(1, current_setting('bench.count')::int) AS number;

INSERT INTO customers_customer (id, created_at) SELECT id, now() FROM guest;
INSERT INTO customers_identifier (kind, value, evidence, record_id, customer_id, first_seen_at)
SELECT kind, value, 2, guest.id, guest.id, now()
  FROM guest
  -- The source of the benchmarks gives the numbers, if it exists.
 CROSS JOIN (SELECT coalesce(max(id), 1) AS id FROM customers_source WHERE name = 'generated app')
       AS source
 CROSS JOIN LATERAL (VALUES ('email', name || '@example.com'),
                            ('user_id', source.id || '/' || name)) AS identifier (kind, value);
INSERT INTO customers_trait
       (customer_id, name, value, evidence, source_id, occurred_at, message_key)
SELECT id, trait.name, to_jsonb(value), 2, 1, now(), gen_random_uuid()
  FROM guest, LATERAL (VALUES ('timezone', current_setting('bench.zone')), ('language', 'en'),
                              ('first_name', 'Noor')) AS trait (name, value);
INSERT INTO customers_consentstate
       (customer_id, entries, state, granted, objected, channels_off, topics_off)
SELECT id, 0,
       jsonb_build_object('consents', jsonb_build_object('chaos-offers', jsonb_build_object(
           'state', 'given', 'entry', gen_random_uuid(), 'occurred_at', '2026-01-01T00:00:00Z',
           'notice', current_setting('bench.notice')))),
       '{chaos-offers}', '{}', '{}', '{}'
  FROM guest;
INSERT INTO butler_message
       (id, key, customer_id, automation_id, version_id, step, channel, message_class, topic,
        purpose, relation, priority, occurred_at, not_before, expires_at, created_at, state,
        state_at, reason, facts, language, address, subject, text)
SELECT gen_random_uuid(), 'bench:' || guest.id, guest.id, version.automation_id, version.id, '0',
       'email', 'marketing', 'chaos-offers', 'chaos-offers', '', 5, now(), now(),
       now() + interval '2 hours', now(), 'queued', now(), '',
       jsonb_build_object(
           'customer', jsonb_build_object('first_name', 'Noor', 'language', 'en', 'name', 'Noor',
                                          'traits', '{}'::jsonb),
           'event', jsonb_build_object('name', 'Bench Happened', 'properties',
                                       jsonb_build_object('number', guest.name)),
           'company', jsonb_build_object('name', 'Larkmoor')),
       '', '', '', ''
  FROM guest
  JOIN butler_automationversion AS version
    ON version.id = nullif(current_setting('bench.version'), '')::bigint;
