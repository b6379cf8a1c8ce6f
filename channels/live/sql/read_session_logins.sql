-- Read the current logins of these sessions. Ended or expired sessions and inactive logins give no
-- row.
--
-- session_keys  text[]
-- user_ids      bigint[]  the user of each session

SELECT session.session_key,
       session.session_data,
       login.id,
       -- The credential that opened the session (customers.models.login).
       CASE WHEN login.is_staff THEN 'staff:' || login.password ELSE login.password END AS password,
       -- Staff with view_customer may read the streams of all records, as in the REST API.
       login.is_staff AND (login.is_superuser OR EXISTS (
           SELECT
             FROM auth_permission AS permission
             JOIN django_content_type AS content_type ON content_type.id = permission.content_type_id
            WHERE content_type.app_label = 'customers'
              AND permission.codename = 'view_customer'
              AND (EXISTS (SELECT FROM customers_user_user_permissions AS own
                            WHERE own.user_id = login.id
                              AND own.permission_id = permission.id)
                OR EXISTS (SELECT FROM customers_user_groups AS member
                             JOIN auth_group_permissions AS granted USING (group_id)
                            WHERE member.user_id = login.id
                              AND granted.permission_id = permission.id))
       )) AS reads_every,
       login.record_id::text,
       CASE WHEN login.phone IS NULL THEN 'email' ELSE 'phone' END,
       COALESCE(login.phone, login.email),
       live.id::text,
       live.grouping_version,
       login.name
  FROM unnest(%(session_keys)s::text[], %(user_ids)s::bigint[])
       AS requested_session (session_key, user_id)
  JOIN django_session AS session USING (session_key)
  JOIN customers_user AS login ON login.id = requested_session.user_id
  LEFT JOIN customers_customer AS record ON record.id = login.record_id
  LEFT JOIN customers_customer AS live ON live.id = coalesce(record.canonical_id, record.id)
 WHERE session.expire_date > now()
   AND login.is_active
