-- Read the events about a call that are filed on a record.
--
-- record_id  uuid
-- about      text  such as call:c1
-- returns (log, version)

SELECT customer_id, version
  FROM customers_filed_events(%(record_id)s::uuid) AS event
 WHERE event.about = %(about)s
 ORDER BY customer_id, version
