-- Read versions of automations, whatever their status.
--
-- ids  bigint[]

SELECT id, automation_id, document::text
  FROM butler_automationversion
 WHERE id = ANY (%(ids)s::bigint[])
