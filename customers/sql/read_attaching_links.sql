-- Read the links that may attach each of these cards, phones, devices and numbers to a record, the
-- strongest first.
--
-- ids            bigint[]
-- limit          int     for each identifier
-- desk_channels  text[]  channels of sources that own no space
-- returns the identifier, the link as read_links does, the other end as read_graph begins
-- (without its evidence, with is_placeholder and erasure_id), and the live record of the other end

SELECT attached.id, attaching.*,
       other.id, other.kind, other.value,
       COALESCE(space.id, 0), COALESCE(space.id <> 1, false),
       COALESCE(space.ids_per_person = 'several', false),
       COALESCE((source.is_shared OR source.channel = ANY (%(desk_channels)s::text[]))
                AND source.addresses <> 'checked'
                AND (source.channel <> 'import' OR source.addresses <> 'stated'), false),
       other.is_placeholder, COALESCE(other.erasure_id, 0), other.customer_id
  FROM unnest(%(ids)s::bigint[]) AS attached (id)
 CROSS JOIN LATERAL (
       SELECT link.id, link.first_id, link.second_id, link.evidence, link.kind, link.occurred_at,
              link.arrival, link.source_id, link.state,
              COALESCE(link.last_proved_at, link.occurred_at)
         FROM (SELECT * FROM customers_link WHERE first_id = attached.id
                UNION ALL
               SELECT * FROM customers_link WHERE second_id = attached.id) AS link
        WHERE link.evidence >= 30 AND link.kind <> 'placed'
        ORDER BY link.evidence DESC, link.occurred_at, link.arrival
        LIMIT %(limit)s
       ) AS attaching
  JOIN customers_identifier AS other
    ON other.id = CASE WHEN attaching.first_id = attached.id THEN attaching.second_id
                       ELSE attaching.first_id END
  LEFT JOIN customers_source AS source
    ON source.id = CASE WHEN other.kind = 'user_id' OR other.kind LIKE 'external:%%'
                        THEN split_part(other.value, '/', 1)::bigint END
  LEFT JOIN customers_space AS space ON space.id = source.space_id
 WHERE other.kind <> 'order'
