-- One session that has not run out; what it says is signed and read by the caller.
--
-- session  text  session key

SELECT session_data
  FROM django_session
 WHERE session_key = %(session)s
   AND expire_date > now()
