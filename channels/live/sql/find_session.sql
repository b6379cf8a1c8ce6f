-- One session that has not expired; the caller verifies and decodes its data.
--
-- session_key  text

SELECT session_data
  FROM django_session
 WHERE session_key = %(session_key)s
   AND expire_date > now()
