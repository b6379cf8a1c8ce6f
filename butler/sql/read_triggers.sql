-- The versions that events concern: live versions, which start runs, and versions whose runs may
-- be waiting. Paused and retired versions start no runs, but their open runs continue.
--
-- returns (id, automation_id, document as text, names that start a run, names awaited)

SELECT id, automation_id, document::text,
       CASE WHEN status = 'live' THEN event_names ELSE '{}' END,
       awaited_names
  FROM butler_automationversion
 WHERE status IN ('live', 'paused', 'retired')
   AND (event_names <> '{}' OR awaited_names <> '{}')
 ORDER BY id
