-- Read versions of automations, with any status.
--
-- ids  bigint[]

SELECT id, automation_id, document::text
  FROM butler_automationversion
 WHERE id = ANY (%(ids)s::bigint[])
