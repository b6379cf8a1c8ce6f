-- Insert rows into all tables that the statements read: :rows customers, and one or a few rows of
-- each other table for each of them. The same number gives the same rows. Timestamps repeat, so
-- that a statement without a total order returns another order under another plan. Ids of sequences
-- begin at ten billion, so that no sequence reaches them.

CREATE FUNCTION pg_temp.id_of(kind text, number bigint) RETURNS uuid
    LANGUAGE sql IMMUTABLE AS $$ SELECT md5(kind || ':' || number)::uuid $$;
CREATE FUNCTION pg_temp.serial(number bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE AS $$ SELECT 10000000000 + number $$;
-- Each tenth record is merged into the previous one.
CREATE FUNCTION pg_temp.live(number bigint) RETURNS uuid
    LANGUAGE sql IMMUTABLE AS
    $$ SELECT md5('customer:' || number - (number % 10 = 0)::int)::uuid $$;
CREATE FUNCTION pg_temp.noon(minutes bigint) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE AS
    $$ SELECT timestamptz '2026-11-21 12:00:00Z' + minutes * interval '1 minute' $$;
CREATE TEMPORARY TABLE numbers AS SELECT number::bigint FROM generate_series(1, :rows) AS number;

INSERT INTO customers_source (id, name, channel, is_shared, default_region, webhook_secrets)
SELECT 1000 + number, 'plans ' || number, 'app', false, 'NL', '{}'
  FROM generate_series(1, 4) AS number;
INSERT INTO customers_sourcekey (id, source_id, prefix, digest, is_secret, scopes)
SELECT pg_temp.serial(number), 1001 + number % 4, 'plans', decode(md5('key:' || number), 'hex'),
       true,
       '{ingest,read}'
  FROM numbers;
INSERT INTO customers_customer (id, version, grouping_version, created_at, last_seen_at)
SELECT pg_temp.id_of('customer', number), CASE WHEN number <= 20 THEN 60 ELSE 2 END, 0,
       pg_temp.noon(-10000), pg_temp.noon(number % 7)
  FROM numbers;
UPDATE customers_customer AS customer
   SET canonical_id = pg_temp.live(number)
  FROM numbers
 WHERE customer.id = pg_temp.id_of('customer', number) AND number % 10 = 0;
INSERT INTO customers_user (id, password, is_superuser, email, name, language, is_active,
       is_staff, record_id)
SELECT pg_temp.serial(number), 'plans', number % 50 = 0, 'user' || number || '@example.com', '', '',
       true,
       number % 5 = 0, pg_temp.id_of('customer', number)
  FROM numbers;
INSERT INTO django_session (session_key, session_data, expire_date)
SELECT 'plans' || number, 'data', '2999-01-01Z' FROM numbers;
INSERT INTO channels_streamticket (digest, session_key, expires_at)
SELECT decode(md5('ticket:' || number), 'hex'), 'plans' || number, '2999-01-01Z' FROM numbers;

-- Each customer claims the verified identifiers of the previous one.
INSERT INTO customers_identifier (id, kind, value, evidence, is_shared, first_seen_at, customer_id,
       record_id)
SELECT pg_temp.serial(2 * number + claim),
       (ARRAY['email', 'phone', 'user_id', 'card'])[1 + number % 4],
       CASE number % 4 WHEN 0 THEN 'guest' || number || '@example.com'
                  WHEN 1 THEN '+316' || lpad(number::text, 8, '0')
                  -- Two sources use each number.
                  WHEN 2 THEN 1001 + number / 4 % 4 || '/guest-' || number / 8
                  ELSE 'guest-' || number END,
       2 - claim, number % 13 = 0, pg_temp.noon(0), pg_temp.live(number + claim),
       CASE WHEN number % 6 < 5 THEN pg_temp.id_of('customer', number + claim) END
  FROM numbers, generate_series(0, 1) AS claim
 WHERE number + claim <= :rows;
-- Each identifier is linked with its claim, and with the identifier of the next customer.
INSERT INTO customers_link (id, first_id, second_id, kind, evidence, source_id, occurred_at,
       arrival, state)
SELECT pg_temp.serial(2 * number + step), pg_temp.serial(2 * number),
       pg_temp.serial(2 * number + step), CASE WHEN number % 50 = 0 THEN 'equal' ELSE 'seen' END,
       (ARRAY[20, 30, 50])[1 + number % 3], 1001, pg_temp.noon(number % 5), number % 2,
       (ARRAY['filed', 'joined', 'attached', 'contested', 'replaced'])[1 + (number + step) % 5]
  FROM numbers, generate_series(1, 2) AS step
 WHERE number < :rows;
INSERT INTO customers_manualdecision (id, kind, first_id, second_id, reason, actor, decided_at,
       undone_at, undone_by, undone_reason)
SELECT pg_temp.serial(number), (ARRAY['merge', 'separate'])[1 + number % 2],
       pg_temp.serial(2 * number), pg_temp.serial(2 * number + 2), '', '', pg_temp.noon(number % 3),
       CASE WHEN number % 3 = 0 THEN pg_temp.noon(9) END, '', ''
  FROM numbers WHERE number % 10 < 4 AND number < :rows;
INSERT INTO customers_merge (id, reason, links, actor, merged_at, undone_at, undone_reason,
       record_id, merged_into_id)
SELECT pg_temp.serial(number), 'proof', '[]', '', pg_temp.noon(number % 3),
       CASE WHEN number % 10 = 5 THEN pg_temp.noon(9) END, '', pg_temp.id_of('customer', number),
       pg_temp.id_of('customer', number - 1)
  FROM numbers WHERE number % 5 = 0;
INSERT INTO customers_review (id, kind, details, status, settled_by, first_id, second_id)
SELECT pg_temp.serial(number), 'suggested_merge', '{}', 'open', '',
       pg_temp.id_of('customer', number),
       pg_temp.id_of('customer', number + 1)
  FROM numbers WHERE number % 20 = 1 AND number < :rows;
INSERT INTO customers_blockedvalue (id, kind, value, reason)
SELECT pg_temp.serial(number), 'user_id', 'guest-' || number, 'too common' FROM numbers
 WHERE number % 97 = 2;

INSERT INTO customers_event (customer_id, version, origin_id, source_id, message_id, message_key,
       body_hash, kind, name, about, evidence, actor, identifier_ids, occurred_at, received_at,
       recorded_at, body)
SELECT pg_temp.id_of('customer', number), version,
       CASE WHEN number % 10 = 9 AND version % 3 = 0 THEN pg_temp.id_of('customer', number + 1) END,
       1001 + number % 4, number || '-' || version, pg_temp.id_of('event', number * 100 + version),
       pg_temp.id_of('body', number * 100 + version), (ARRAY['identify', 'track'])[1 + version % 2],
       (ARRAY['Order Completed', 'Checkout Started', ''])[1 + version % 3],
       CASE WHEN version % 3 < 2 THEN 'order:A-1' ELSE '' END, 1 + number % 2, '',
       ARRAY[pg_temp.serial(2 * number)], pg_temp.noon(version % 5), pg_temp.noon(version % 5),
       pg_temp.noon(version % 5),
       '{"traits": {"city": "Odense", "name": "Noor"}, "properties": {"total": "1.00"}}'
  FROM numbers, generate_series(1, CASE WHEN number <= 20 THEN 60 ELSE 2 END) AS version;
INSERT INTO customers_refiledevent (customer_id, version, record_id, reason, actor, refiled_at)
SELECT pg_temp.id_of('customer', number), version, pg_temp.id_of('customer', number % 7 + 1), '', '',
       pg_temp.noon(0)
  FROM numbers, generate_series(2, CASE WHEN number <= 20 THEN 60 ELSE 2 END, 4) AS version
 WHERE number % 3 > 0;
-- One name in six thousand is similar to the searched one, so that searches stay below their limit.
INSERT INTO customers_trait (customer_id, name, value, evidence, source_id, occurred_at,
       message_key)
SELECT pg_temp.live(number), trait.name, trait.value, 2, 1001, pg_temp.noon(number % 5),
       pg_temp.id_of('trait', number)
  FROM numbers,
       LATERAL (VALUES ('name', to_jsonb(CASE WHEN number % 6000 < 30 THEN 'Noor de Wit'
                                              ELSE 'Guest ' || md5(number::text) END)),
                       ('language', '"nl"'), ('timezone', '"Europe/Amsterdam"'),
                       ('birth_date', to_jsonb(date '1980-01-01' + (number % 366)::int)))
            AS trait (name, value)
 WHERE number % 10 <> 0;
INSERT INTO customers_order (customer_id, number, status, channel, currency, total, visit_date,
       visit_time, party, lines, details, evidence, placed_at, changed_at, changed_by, version)
SELECT pg_temp.live(number), 'A-' || number * 100 + place, 'placed', 'app', 'EUR', 80,
       date '2026-11-20' + (place % 4), NULL, '[]', '[]', '{"name": "Day ticket"}',
       1 + (number % 3 > 0)::int, pg_temp.noon(place % 3), pg_temp.noon(place % 3), '', 1
  FROM numbers AS customer (number),
       generate_series(1, CASE WHEN number <= 20 THEN 60 ELSE 1 END) AS place;
INSERT INTO customers_ticketcode (id, order_key, number, customer_id, guest, digest, encrypted,
       origin, issued_at, end_reason)
SELECT pg_temp.serial(number), '1001/A-' || number, 'A-' || number,
       pg_temp.id_of('customer', number), '', decode(md5('ticket code:' || number), 'hex'), '',
       'first', pg_temp.noon(0), ''
  FROM numbers;
INSERT INTO customers_gatescan (id, key, source_id, code_digest, order_key, guest, state, outcome,
       device, place, staff, scanned_at, received_at)
SELECT pg_temp.serial(number), pg_temp.id_of('gate scan', number), 1001,
       decode(md5('ticket code:' || number), 'hex'), '1001/A-' || number, '', 'good', 'admitted',
       'gate', 'North gate', 'iris', pg_temp.noon(number % 7), pg_temp.noon(number % 7)
  FROM numbers;
INSERT INTO customers_partymember (customer_id, reference, name, role, birth_date, guardian,
       details, version)
SELECT pg_temp.live(number), 'm' || number || '-' || member, 'Sam', 'child',
       date '2016-01-01' + (number % 366)::int, '', '{}', 1
  FROM numbers, generate_series(1, 2) AS member;
INSERT INTO customers_interaction (customer_id, reference, kind, channel, direction, status,
       staff, started_at, details, version)
SELECT pg_temp.id_of('customer', number), 'call-' || call, 'call', 'phone', 'in', 'ringing', '',
       pg_temp.noon(number % 3), '{"from": "+31612345678"}', 1
  FROM numbers, generate_series(1, CASE WHEN number <= 20 THEN 30 ELSE 1 END) AS call;
INSERT INTO customers_request (customer_id, reference, kind, status, subject, channel, opened_at,
       details, version)
SELECT pg_temp.id_of('customer', number), 'r-' || request, 'question', 'open', 'Lost', 'app',
       pg_temp.noon(request % 2), '{}', 1
  FROM numbers, generate_series(1, 2) AS request;
INSERT INTO customers_consentstate (customer_id, entries, state, granted, objected, channels_off,
       topics_off)
SELECT pg_temp.id_of('customer', number), 1,
       '{"settings": [{"name": "zone", "value": "Europe/Amsterdam"}], "consents": {}}',
       CASE WHEN number % 2 = 0 THEN '{offers}' ELSE '{}' END::text[], '{}', '{}', '{}'
  FROM numbers WHERE number % 10 <> 0;
INSERT INTO customers_ledgerentry (record_id, seq, entry_id, speaks_for, kind, subject, version,
       occurred_at, recorded_at, document, previous, digest)
SELECT pg_temp.id_of('customer', number), seq, pg_temp.id_of('entry', number * 10 + seq),
       ARRAY[pg_temp.id_of('customer', number), pg_temp.id_of('customer', number + 1)], 'consent',
       'offers',
       seq, pg_temp.noon(0), pg_temp.noon(0), '{}', '', ''
  FROM numbers, generate_series(1, 2) AS seq;
INSERT INTO customers_suppression (id, channel, address, reason, evidence, since)
SELECT pg_temp.serial(number), 'email', 'guest' || number || '@example.com', 'bounced', '',
       pg_temp.noon(0)
  FROM numbers WHERE number % 12 = 0;

INSERT INTO butler_automation (key) VALUES ('offers'), ('gathering');
INSERT INTO butler_automationversion (id, number, status, document, digest, trigger, event_names,
       awaited_names, approved_by, live_at, automation_id, loaded_by)
SELECT pg_temp.serial(number + CASE key WHEN 'offers' THEN 0 ELSE 100 END), number,
       CASE WHEN number = 1 THEN 'live' ELSE 'retired' END,
       '{"class": "service", "topic": "orders", "name": {"en": "An offer"}}', number, 'event',
       '{Order Completed}', '{Checkout Started}', '', pg_temp.noon(-10000), key, ''
  FROM butler_automation, generate_series(1, 40) AS version (number)
 WHERE key = 'offers' OR number = 1;
INSERT INTO butler_run (id, customer_id, occasion, cause, occurred_at, status, step, awaited,
       awaited_about, reason, created_at, automation_id, version_id)
SELECT pg_temp.id_of('run', number), pg_temp.id_of('customer', number), number,
       CASE WHEN number % 5 = 0 THEN '{"gathered": [], "count": 0}'
            ELSE '{"topic": "ride:night-mail"}' END::jsonb,
       pg_temp.noon(-number % 3), CASE WHEN number % 4 = 3 THEN 'completed' ELSE 'waiting' END,
       CASE WHEN number % 5 = 0 THEN '' ELSE '0' END,
       CASE WHEN number % 2 = 0 THEN 'Checkout Started' ELSE '' END, '', '', pg_temp.noon(0),
       CASE WHEN number % 5 = 0 THEN 'gathering' ELSE 'offers' END, pg_temp.serial(1)
  FROM numbers;
INSERT INTO butler_due (id, job, customer_id, key, facts, due_at, claimed_until, failed_reason)
SELECT pg_temp.serial(number), 'run', pg_temp.id_of('customer', number),
       pg_temp.id_of('run', number), '{}',
       pg_temp.noon(number % 4), CASE WHEN number % 8 = 1 THEN pg_temp.noon(60) END, ''
  FROM numbers;
INSERT INTO butler_due (job, key, facts, due_at, failed_reason)
SELECT job, 'recurring', '{}'::jsonb, pg_temp.noon(0), ''
  FROM unnest(ARRAY['forget_answers', 'plan_dates', 'heartbeat']) AS job
 UNION ALL
SELECT 'plan_date', '7:2026-11-' || day, '{}', pg_temp.noon(day % 4), ''
  FROM generate_series(10, 30) AS day;
INSERT INTO butler_message (id, key, customer_id, run_id, automation_id, version_id, step,
       channel, message_class, topic, purpose, relation, priority, occurred_at, not_before,
       expires_at, created_at, state, state_at, reason, attempts, facts, language, address,
       subject, text, handed_over_at)
SELECT pg_temp.id_of('message', number), number, pg_temp.id_of('customer', number),
       pg_temp.id_of('run', number),
       'offers', pg_temp.serial(1), '0', (ARRAY['email', 'inbox', 'sms'])[1 + number % 3],
       'marketing', 'offers', 'offers', '', 5 + number % 2, pg_temp.noon(0),
       pg_temp.noon(number % 4),
       pg_temp.noon(600), pg_temp.noon(number % 2),
       (ARRAY['queued', 'sending', 'accepted', 'uncertain'])[1 + number / 3 % 4], pg_temp.noon(0),
       '',
       1, '{}', 'nl', 'guest' || number || '@example.com', 'Hello', 'Hello',
       CASE WHEN number / 3 % 4 > 1 THEN pg_temp.noon(1) END
  FROM numbers;
-- Two attempts have the same provider id.
INSERT INTO butler_delivery (id, number, customer_id, channel, provider, customer_version,
       claimed_at, lease_until, outcome, provider_id, code, detail, budget_windows, message_id)
SELECT pg_temp.id_of('delivery', number), 1, pg_temp.id_of('customer', number), 'email', 'smtp', 1,
       pg_temp.noon(number % 3), timestamptz '2000-01-01Z' + (number % 2) * interval '999 years',
       CASE WHEN number % 3 = 0 THEN '' WHEN number % 3 = 1 THEN 'uncertain' ELSE 'accepted' END,
       'p' || number / 2, '', '', '[["company:marketing", "2026-W47"]]',
       pg_temp.id_of('message', number)
  FROM numbers;
INSERT INTO butler_deliveryreceipt (id, provider, event_id, provider_id, message_id, kind, detail,
       occurred_at, received_at)
SELECT pg_temp.serial(number), 'smtp', number, 'p' || number / 2,
       CASE WHEN number % 2 = 0 THEN pg_temp.id_of('message', number % 100) END, 'delivered', '',
       pg_temp.noon(0), pg_temp.noon(0)
  FROM numbers;
INSERT INTO butler_budgetuse (customer_id, scope, "window", used)
SELECT pg_temp.id_of('customer', number), scope, '2026-W47', 1
  FROM numbers, unnest(ARRAY['company:marketing', 'topic:offers']) AS scope;
INSERT INTO butler_decision (id, customer_id, run_id, message_id, automation_id, stage, outcome,
       code, act, gates, customer_version, rules_version, decided_at)
SELECT pg_temp.id_of('decision', number * 100 + step), pg_temp.id_of('customer', number),
       CASE WHEN step % 3 > 0 THEN pg_temp.id_of('run', step) END,
       CASE WHEN step % 3 > 1 THEN pg_temp.id_of('message', number) END, 'offers', 'judge',
       (ARRAY['send', 'skip'])[1 + step % 2], '', '{"channel": "email"}', '[]', 1, '',
       pg_temp.noon(step % 2)
  FROM numbers, generate_series(1, CASE WHEN number <= 20 THEN 20 ELSE 2 END) AS step;
INSERT INTO butler_stafftask (id, key, kind, customer_id, automation_id, title, body, due_at,
       taken_by, outcome, note)
SELECT pg_temp.id_of('task', number), number, 'call', pg_temp.id_of('customer', number), 'offers',
       'Call', '',
       pg_temp.noon(0), '', '', ''
  FROM numbers;
INSERT INTO butler_topicstatus (key, status, facts, serial, changed_at)
VALUES ('ride:night-mail', 'down', '{}', 1, pg_temp.noon(0));
INSERT INTO butler_pauseswitch (id, key, engaged_at, engaged_by, reason, released_by)
SELECT pg_temp.serial(number), 'paused ' || number, pg_temp.noon(0), '', '', ''
  FROM generate_series(1, 3) AS number;
INSERT INTO butler_providerlimit (channel, rate, filled_at)
VALUES ('email', 10, pg_temp.noon(0)), ('sms', NULL, NULL);
INSERT INTO butler_heartbeat (name, asked_at) VALUES ('worker', pg_temp.noon(0))
    ON CONFLICT DO NOTHING;
DROP TABLE numbers
