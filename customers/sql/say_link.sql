-- Write down that a person joined or parted two identifiers; it replaces the opposite.
--
-- left, right  bigint with left < right, kind  joined|parted

WITH taken_back AS (
    DELETE FROM customers_link
     WHERE first_id = %(left)s AND second_id = %(right)s AND kind IN ('joined', 'parted')
       AND kind <> %(kind)s
)
INSERT INTO customers_link (first_id, second_id, kind, evidence, source_id, actor)
VALUES (%(left)s, %(right)s, %(kind)s, 2, %(source_id)s, %(actor)s)
    ON CONFLICT (first_id, second_id, kind, evidence) DO UPDATE SET actor = EXCLUDED.actor
