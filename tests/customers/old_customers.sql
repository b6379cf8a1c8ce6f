-- Customers as release 0.1 stored them, each with 5 events. Half of them are known to the shop, too,
-- a tenth of these as strangers with the same number. A tenth signed in.
--
-- customers  int

INSERT INTO customers_source (name, channel, is_shared, default_region, webhook_secrets)
SELECT name, channel, false, '', '{}' FROM (VALUES ('app', 'app'), ('shop', 'web')) AS source (name, channel);
CREATE TEMPORARY TABLE person AS
SELECT number,
       -- Ids of version 7, by the number and in the order of time.
       ('0193e000' || lpad(to_hex(number), 8, '0') || '8000000000000001')::uuid AS record,
       ('0193f000' || lpad(to_hex(number), 8, '0') || '8000000000000002')::uuid AS mailbox_record,
       3 * number AS number_id, 3 * number + 1 AS mail_id, 3 * number + 2 AS stranger_id,
       number % 10 = 0 AS has_signed_in, number % 2 = 0 AS is_in_shop, number % 20 = 2 AS is_stranger,
       5 + (number % 10 = 0)::int AS version
  FROM generate_series(1, %(customers)s) AS number;
INSERT INTO customers_customer (id, version, created_at)
SELECT record, version, timestamptz '2025-01-01' FROM person;
INSERT INTO customers_customer (id, canonical_id, version, created_at)
SELECT mailbox_record, record, 0, timestamptz '2025-01-02' FROM person WHERE has_signed_in;
INSERT INTO customers_identifier
       (id, kind, value, trust, is_shared, first_seen_at, customer_id, record_id)
SELECT number_id, 'user_id', number::text, 2, false, timestamptz '2025-01-01', record, record FROM person
 UNION ALL
SELECT mail_id, 'email', 'guest' || number || '@mail.nl', 2, false, timestamptz '2025-01-01', record,
       CASE WHEN has_signed_in THEN mailbox_record END FROM person
 UNION ALL
SELECT stranger_id, 'email', 'other' || number || '@mail.nl', 2, false, timestamptz '2025-01-01', record,
       NULL FROM person WHERE is_stranger;
SELECT setval(pg_get_serial_sequence('customers_identifier', 'id'), 3 * %(customers)s + 10);
INSERT INTO customers_link (left_id, right_id, kind, trust, source_id, actor, recorded_at)
SELECT number_id, mail_id, 'seen', 2, app.id, '', timestamptz '2025-01-01 00:01'
  FROM person, customers_source AS app WHERE app.name = 'app'
 UNION ALL
SELECT number_id, stranger_id, 'seen', 2, shop.id, '', timestamptz '2025-01-05 00:01'
  FROM person, customers_source AS shop WHERE shop.name = 'shop' AND is_stranger;
INSERT INTO customers_event
       (customer_id, version, source_id, message_id, message_key, body_hash, kind, name, about,
        trust, actor, identifier_ids, occurred_at, received_at, body, origin_id)
SELECT person.record, version.number,
       CASE WHEN version.number = 6 THEN 1
            WHEN is_in_shop AND version.number = 5 THEN shop.id ELSE app.id END,
       gen_random_uuid()::text, gen_random_uuid(), gen_random_uuid(),
       CASE WHEN version.number IN (1, 5, 6) THEN 'identify' ELSE 'track' END,
       CASE version.number WHEN 6 THEN 'Address Proved' WHEN 1 THEN '' WHEN 5 THEN '' ELSE 'Ride Entered' END,
       '', 2, '',
       CASE WHEN version.number = 6 THEN ARRAY[mail_id]
            WHEN version.number = 5 AND is_stranger THEN ARRAY[number_id, stranger_id]
            WHEN version.number IN (1, 5) THEN ARRAY[number_id, mail_id]
            ELSE ARRAY[number_id] END,
       timestamptz '2025-01-01' + version.number * interval '1 day',
       timestamptz '2025-01-01' + version.number * interval '1 day' + interval '1 minute',
       '{"type": "track"}',
       CASE WHEN version.number = 6 THEN mailbox_record END
  FROM person
 CROSS JOIN LATERAL generate_series(1, person.version) AS version (number)
  JOIN customers_source AS app ON app.name = 'app'
  JOIN customers_source AS shop ON shop.name = 'shop';
INSERT INTO customers_user
       (email, record_id, password, is_superuser, name, language, is_active, is_staff)
SELECT 'guest' || number || '@mail.nl', mailbox_record, '!', false, '', 'en', true, false
  FROM person WHERE has_signed_in;
ANALYZE;
