-- Rows for every table that a statement reads: :rows customers, and for each a row or a few of
-- everything else. The same number gives the same rows. Timestamps repeat on purpose: what has
-- no total order comes in another order under another plan. Ids that a sequence would give begin
-- at ten billion, so that no sequence reaches them.

CREATE FUNCTION pg_temp.id_of(kind text, number bigint) RETURNS uuid
    LANGUAGE sql IMMUTABLE AS $$ SELECT md5(kind || ':' || number)::uuid $$;
CREATE FUNCTION pg_temp.serial(number bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE AS $$ SELECT 10000000000 + number $$;
-- Each tenth record was joined into the one before it.
CREATE FUNCTION pg_temp.live(number bigint) RETURNS uuid
    LANGUAGE sql IMMUTABLE AS
    $$ SELECT md5('customer:' || number - (number % 10 = 0)::int)::uuid $$;
CREATE FUNCTION pg_temp.noon(minutes bigint) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE AS
    $$ SELECT timestamptz '2026-11-21 12:00:00Z' + minutes * interval '1 minute' $$;
CREATE TEMPORARY TABLE number AS SELECT n::bigint FROM generate_series(1, :rows) AS n;

INSERT INTO customers_source (id, name, channel, is_shared, default_region, webhook_secrets)
SELECT 1000 + n, 'plans ' || n, 'app', false, 'NL', '{}' FROM generate_series(1, 4) AS n;
INSERT INTO customers_sourcekey (id, source_id, prefix, digest, is_secret, scopes)
SELECT pg_temp.serial(n), 1001 + n % 4, 'plans', decode(md5('key:' || n), 'hex'), true,
       '{ingest,read}'
  FROM number;
INSERT INTO customers_customer (id, version, grouping_version, created_at, last_seen_at)
SELECT pg_temp.id_of('customer', n), CASE WHEN n <= 20 THEN 60 ELSE 2 END, 0,
       pg_temp.noon(-10000), pg_temp.noon(n % 7)
  FROM number;
UPDATE customers_customer AS customer
   SET canonical_id = pg_temp.live(n)
  FROM number
 WHERE customer.id = pg_temp.id_of('customer', n) AND n % 10 = 0;
INSERT INTO customers_user (id, password, is_superuser, email, name, language, is_active,
       is_staff, record_id)
SELECT pg_temp.serial(n), 'plans', n % 50 = 0, 'user' || n || '@example.com', '', '', true,
       n % 5 = 0, pg_temp.id_of('customer', n)
  FROM number;
INSERT INTO django_session (session_key, session_data, expire_date)
SELECT 'plans' || n, 'data', '2999-01-01Z' FROM number;
INSERT INTO channels_streamticket (digest, session_key, expires_at)
SELECT decode(md5('ticket:' || n), 'hex'), 'plans' || n, '2999-01-01Z' FROM number;

-- What is proved by one, the next one claims.
INSERT INTO customers_identifier (id, kind, value, evidence, is_shared, first_seen_at, customer_id,
       record_id)
SELECT pg_temp.serial(2 * n + claim),
       (ARRAY['email', 'phone', 'user_id', 'card'])[1 + n % 4],
       CASE n % 4 WHEN 0 THEN 'guest' || n || '@example.com'
                  WHEN 1 THEN '+316' || lpad(n::text, 8, '0')
                  ELSE 'guest-' || n END,
       2 - claim, n % 13 = 0, pg_temp.noon(0), pg_temp.live(n + claim),
       CASE WHEN n % 6 < 5 THEN pg_temp.id_of('customer', n + claim) END
  FROM number, generate_series(0, 1) AS claim
 WHERE n + claim <= :rows;
INSERT INTO customers_link (id, first_id, second_id, kind, evidence, source_id, actor)
SELECT pg_temp.serial(n), pg_temp.serial(2 * n), pg_temp.serial(2 * n + 1),
       CASE WHEN n % 50 = 0 THEN 'joined' ELSE 'seen' END, 1, 1001, ''
  FROM number WHERE n < :rows;
INSERT INTO customers_merge (id, reason, links, actor, merged_at, undone_at, undone_reason,
       record_id, merged_into_id)
SELECT pg_temp.serial(n), 'proof', '[]', '', pg_temp.noon(n % 3),
       CASE WHEN n % 10 = 5 THEN pg_temp.noon(9) END, '', pg_temp.id_of('customer', n),
       pg_temp.id_of('customer', n - 1)
  FROM number WHERE n % 5 = 0;
INSERT INTO customers_review (id, kind, details, status, settled_by, first_id, second_id)
SELECT pg_temp.serial(n), 'suggested_merge', '{}', 'open', '', pg_temp.id_of('customer', n),
       pg_temp.id_of('customer', n + 1)
  FROM number WHERE n % 20 = 1 AND n < :rows;
INSERT INTO customers_blockedvalue (id, kind, value, reason)
SELECT pg_temp.serial(n), 'user_id', 'guest-' || n, 'too common' FROM number WHERE n % 97 = 2;

INSERT INTO customers_event (customer_id, version, origin_id, source_id, message_id, message_key,
       body_hash, kind, name, about, evidence, actor, identifier_ids, occurred_at, received_at,
       recorded_at, body)
SELECT pg_temp.id_of('customer', n), version,
       CASE WHEN n % 10 = 9 AND version % 3 = 0 THEN pg_temp.id_of('customer', n + 1) END,
       1001 + n % 4, n || '-' || version, pg_temp.id_of('event', n * 100 + version),
       pg_temp.id_of('body', n * 100 + version), (ARRAY['identify', 'track'])[1 + version % 2],
       (ARRAY['Order Completed', 'Checkout Started', ''])[1 + version % 3],
       CASE WHEN version % 3 < 2 THEN 'order:A-1' ELSE '' END, 1 + n % 2, '',
       ARRAY[pg_temp.serial(2 * n)], pg_temp.noon(version % 5), pg_temp.noon(version % 5),
       pg_temp.noon(version % 5),
       '{"traits": {"city": "Odense", "name": "Noor"}, "properties": {"total": "1.00"}}'
  FROM number, generate_series(1, CASE WHEN n <= 20 THEN 60 ELSE 2 END) AS version;
-- One name in six thousand is like what is searched, so that no search compares its limit.
INSERT INTO customers_trait (customer_id, name, value, evidence, source_id, occurred_at,
       message_key)
SELECT pg_temp.live(n), said.name, said.value, 2, 1001, pg_temp.noon(n % 5),
       pg_temp.id_of('trait', n)
  FROM number,
       LATERAL (VALUES ('name', to_jsonb(CASE WHEN n % 6000 < 30 THEN 'Noor de Wit'
                                              ELSE 'Guest ' || md5(n::text) END)),
                       ('language', '"nl"'), ('timezone', '"Europe/Amsterdam"'),
                       ('birth_date', to_jsonb(date '1980-01-01' + (n % 366)::int)))
            AS said (name, value)
 WHERE n % 10 <> 0;
INSERT INTO customers_order (customer_id, number, status, channel, currency, total, visit_date,
       visit_time, party, lines, details, evidence, placed_at, changed_at, changed_by, version)
SELECT pg_temp.live(n), 'A-' || n * 100 + place, 'placed', 'app', 'EUR', 80,
       date '2026-11-20' + (place % 4), NULL, '[]', '[]', '{"name": "Day ticket"}',
       1 + (n % 3 > 0)::int, pg_temp.noon(place % 3), pg_temp.noon(place % 3), '', 1
  FROM number AS customer (n), generate_series(1, CASE WHEN n <= 20 THEN 60 ELSE 1 END) AS place;
INSERT INTO customers_partymember (customer_id, reference, name, role, birth_date, guardian,
       details, version)
SELECT pg_temp.live(n), 'm' || n || '-' || member, 'Sam', 'child',
       date '2016-01-01' + (n % 366)::int, '', '{}', 1
  FROM number, generate_series(1, 2) AS member;
INSERT INTO customers_interaction (customer_id, reference, kind, channel, direction, status,
       staff, started_at, details, version)
SELECT pg_temp.id_of('customer', n), 'call-' || call, 'call', 'phone', 'in', 'ringing', '',
       pg_temp.noon(n % 3), '{"from": "+31612345678"}', 1
  FROM number, generate_series(1, CASE WHEN n <= 20 THEN 30 ELSE 1 END) AS call;
INSERT INTO customers_request (customer_id, reference, kind, status, subject, channel, opened_at,
       details, version)
SELECT pg_temp.id_of('customer', n), 'r-' || request, 'question', 'open', 'Lost', 'app',
       pg_temp.noon(request % 2), '{}', 1
  FROM number, generate_series(1, 2) AS request;
INSERT INTO customers_control (customer_id, entries, state, granted, objected, channels_off,
       topics_off)
SELECT pg_temp.id_of('customer', n), 1,
       '{"settings": [{"name": "zone", "value": "Europe/Amsterdam"}], "consents": {}}',
       CASE WHEN n % 2 = 0 THEN '{offers}' ELSE '{}' END::text[], '{}', '{}', '{}'
  FROM number WHERE n % 10 <> 0;
INSERT INTO customers_controlentry (record_id, seq, entry_id, speaks_for, kind, subject, version,
       occurred_at, recorded_at, document, previous, digest)
SELECT pg_temp.id_of('customer', n), seq, pg_temp.id_of('entry', n * 10 + seq),
       ARRAY[pg_temp.id_of('customer', n), pg_temp.id_of('customer', n + 1)], 'consent', 'offers',
       seq, pg_temp.noon(0), pg_temp.noon(0), '{}', '', ''
  FROM number, generate_series(1, 2) AS seq;
INSERT INTO customers_suppression (id, channel, address, reason, evidence, since)
SELECT pg_temp.serial(n), 'email', 'guest' || n || '@example.com', 'bounced', '', pg_temp.noon(0)
  FROM number WHERE n % 12 = 0;

INSERT INTO butler_automation (key) VALUES ('offers'), ('gathering');
INSERT INTO butler_automationversion (id, number, status, document, digest, trigger, event_names,
       awaited_names, approved_by, live_at, automation_id, loaded_by)
SELECT pg_temp.serial(n + CASE key WHEN 'offers' THEN 0 ELSE 100 END), n,
       CASE WHEN n = 1 THEN 'live' ELSE 'retired' END,
       '{"class": "service", "topic": "orders", "name": {"en": "An offer"}}', n, 'event',
       '{Order Completed}', '{Checkout Started}', '', pg_temp.noon(-10000), key, ''
  FROM butler_automation, generate_series(1, 40) AS number (n)
 WHERE key = 'offers' OR n = 1;
INSERT INTO butler_run (id, customer_id, occasion, cause, occurred_at, status, step, awaited,
       awaited_about, reason, created_at, automation_id, version_id)
SELECT pg_temp.id_of('run', n), pg_temp.id_of('customer', n), n,
       CASE WHEN n % 5 = 0 THEN '{"gathered": [], "count": 0}'
            ELSE '{"topic": "ride:night-mail"}' END::jsonb,
       pg_temp.noon(-n % 3), CASE WHEN n % 4 = 3 THEN 'done' ELSE 'waiting' END,
       CASE WHEN n % 5 = 0 THEN '' ELSE '0' END,
       CASE WHEN n % 2 = 0 THEN 'Checkout Started' ELSE '' END, '', '', pg_temp.noon(0),
       CASE WHEN n % 5 = 0 THEN 'gathering' ELSE 'offers' END, pg_temp.serial(1)
  FROM number;
INSERT INTO butler_due (id, job, customer_id, key, facts, due_at, claimed_until, failed_reason)
SELECT pg_temp.serial(n), 'run', pg_temp.id_of('customer', n), pg_temp.id_of('run', n), '{}',
       pg_temp.noon(n % 4), CASE WHEN n % 8 = 1 THEN pg_temp.noon(60) END, ''
  FROM number;
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
SELECT pg_temp.id_of('message', n), n, pg_temp.id_of('customer', n), pg_temp.id_of('run', n),
       'offers', pg_temp.serial(1), '0', (ARRAY['email', 'inbox', 'sms'])[1 + n % 3],
       'marketing', 'offers', 'offers', '', 5 + n % 2, pg_temp.noon(0), pg_temp.noon(n % 4),
       pg_temp.noon(600), pg_temp.noon(n % 2),
       (ARRAY['queued', 'sending', 'accepted', 'uncertain'])[1 + n / 3 % 4], pg_temp.noon(0), '',
       1, '{}', 'nl', 'guest' || n || '@example.com', 'Hello', 'Hello',
       CASE WHEN n / 3 % 4 > 1 THEN pg_temp.noon(1) END
  FROM number;
-- Two attempts have the same id of the provider.
INSERT INTO butler_delivery (id, number, customer_id, channel, provider, customer_version,
       claimed_at, lease_until, outcome, provider_id, code, detail, takes, message_id)
SELECT pg_temp.id_of('delivery', n), 1, pg_temp.id_of('customer', n), 'email', 'smtp', 1,
       pg_temp.noon(n % 3), timestamptz '2000-01-01Z' + (n % 2) * interval '999 years',
       CASE WHEN n % 3 = 0 THEN '' WHEN n % 3 = 1 THEN 'uncertain' ELSE 'accepted' END,
       'p' || n / 2, '', '', '[["company:marketing", "2026-W47"]]', pg_temp.id_of('message', n)
  FROM number;
INSERT INTO butler_deliveryreceipt (id, provider, event_id, provider_id, message_id, kind, detail,
       occurred_at, received_at)
SELECT pg_temp.serial(n), 'smtp', n, 'p' || n / 2,
       CASE WHEN n % 2 = 0 THEN pg_temp.id_of('message', n % 100) END, 'delivered', '',
       pg_temp.noon(0), pg_temp.noon(0)
  FROM number;
INSERT INTO butler_budgetuse (customer_id, scope, "window", used)
SELECT pg_temp.id_of('customer', n), scope, '2026-W47', 1
  FROM number, unnest(ARRAY['company:marketing', 'topic:offers']) AS scope;
INSERT INTO butler_decision (id, customer_id, run_id, message_id, automation_id, stage, outcome,
       code, act, gates, customer_version, rules_version, decided_at)
SELECT pg_temp.id_of('decision', n * 100 + step), pg_temp.id_of('customer', n),
       CASE WHEN step % 3 > 0 THEN pg_temp.id_of('run', step) END,
       CASE WHEN step % 3 > 1 THEN pg_temp.id_of('message', n) END, 'offers', 'judge',
       (ARRAY['send', 'skip'])[1 + step % 2], '', '{"channel": "email"}', '[]', 1, '',
       pg_temp.noon(step % 2)
  FROM number, generate_series(1, CASE WHEN n <= 20 THEN 20 ELSE 2 END) AS step;
INSERT INTO butler_stafftask (id, key, kind, customer_id, automation_id, title, body, due_at, taken_by,
       outcome, note)
SELECT pg_temp.id_of('task', n), n, 'call', pg_temp.id_of('customer', n), 'offers', 'Call', '',
       pg_temp.noon(0), '', '', ''
  FROM number;
INSERT INTO butler_topicstatus (key, status, facts, serial, changed_at)
VALUES ('ride:night-mail', 'down', '{}', 1, pg_temp.noon(0));
INSERT INTO butler_pauseswitch (id, key, engaged_at, engaged_by, reason, released_by)
SELECT pg_temp.serial(n), 'halted ' || n, pg_temp.noon(0), '', '', ''
  FROM generate_series(1, 3) AS n;
INSERT INTO butler_providerlimit (channel, rate, filled_at)
VALUES ('email', 10, pg_temp.noon(0)), ('sms', NULL, NULL);
INSERT INTO butler_heartbeat (name, asked_at) VALUES ('worker', pg_temp.noon(0))
    ON CONFLICT DO NOTHING;
DROP TABLE number
