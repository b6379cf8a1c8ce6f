-- The logins behind these sessions, as they are now. A session that was ended or ran out, and
-- a login that was closed, give no row.
--
-- sessions  text[]    session keys
-- users     bigint[]  whose login each session is

SELECT session.session_key,
       session.session_data,
       login.id,
       login.password,
       login.is_staff,
       coalesce(record.canonical_id, record.id)::text AS customer_id
  FROM unnest(%(sessions)s::text[], %(users)s::bigint[]) AS asked (session_key, user_id)
  JOIN django_session AS session USING (session_key)
  JOIN customers_user AS login ON login.id = asked.user_id
  LEFT JOIN customers_customer AS record ON record.id = login.record_id
 WHERE session.expire_date > now()
   AND login.is_active
