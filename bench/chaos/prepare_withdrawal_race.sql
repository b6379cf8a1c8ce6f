-- Insert customers who consented to offers, and two queued messages for each. The messages are due
-- around the time at which the consent is withdrawn. The settings butler.pairs and
-- butler.per_second give the number and the rate. The clock of the race begins at noon of 21 April
-- 2027.

INSERT INTO customers_purpose (key, kind, texts, dpv, details)
VALUES ('offers', 'contact', '{}', '', '{}')
    ON CONFLICT DO NOTHING;
INSERT INTO customers_topic (key, texts) VALUES ('offers', '{}') ON CONFLICT DO NOTHING;
INSERT INTO customers_notice (purpose_id, version, language, text, digest, published_at)
VALUES ('offers', 1, 'en', 'May we write?', encode(sha256('May we write?'), 'hex'), now())
    ON CONFLICT DO NOTHING;

CREATE TEMPORARY TABLE pair ON COMMIT DROP AS
SELECT number, gen_random_uuid() AS id,
       timestamptz '2027-04-21 10:00:00+00'
       + make_interval(secs => number / current_setting('butler.per_second')::float) AS at
  FROM generate_series(1, current_setting('butler.pairs')::int) AS number;

INSERT INTO customers_customer (id, created_at) SELECT id, now() FROM pair;
INSERT INTO customers_identifier (kind, value, evidence, record_id, customer_id, first_seen_at)
SELECT 'email', 'guest-' || number || '@example.com', 2, id, id, now() FROM pair;
INSERT INTO customers_consentstate
       (customer_id, entries, state, granted, objected, channels_off, topics_off)
SELECT id, 0,
       jsonb_build_object('consents', jsonb_build_object('offers', jsonb_build_object(
           'state', 'given', 'entry', gen_random_uuid(), 'occurred_at', '2027-01-01T00:00:00Z',
           'notice', encode(sha256('May we write?'), 'hex')))),
       '{offers}', '{}', '{}', '{}'
  FROM pair;
INSERT INTO butler_message
       (id, key, customer_id, automation_id, step, channel, message_class, topic, purpose,
        relation, priority, occurred_at, not_before, expires_at, created_at, state, state_at,
        reason, facts, language, address, subject, text)
SELECT gen_random_uuid(), 'race:' || pair.id || ':' || side, pair.id, '', '', 'email',
       'marketing', 'offers', 'offers', '', 5, timestamptz '2027-04-21 09:59:00+00',
       pair.at + make_interval(secs => (random() - 0.5) * 0.12),
       timestamptz '2027-05-21 10:00:00+00', timestamptz '2027-04-21 09:59:00+00', 'queued',
       now(), '', '{"words": {"subject": "An offer", "text": "For you"}}', '', '', '', ''
  FROM pair, generate_series(1, 2) AS side;
