-- Store that staff merged or separated two identifiers. The link replaces the opposite one.
--
-- first, second  bigint with first < second, kind  joined|parted

WITH replaced AS (
    DELETE FROM customers_link
     WHERE first_id = %(first)s AND second_id = %(second)s AND kind IN ('joined', 'parted')
       AND kind <> %(kind)s
)
INSERT INTO customers_link (first_id, second_id, kind, evidence, source_id, actor)
VALUES (%(first)s, %(second)s, %(kind)s, 2, %(source_id)s, %(actor)s)
    ON CONFLICT (first_id, second_id, kind, evidence) DO UPDATE SET actor = EXCLUDED.actor
