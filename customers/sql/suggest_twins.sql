-- A value that one record only claims and another one proved: perhaps they are the same
-- person. A person decides; asked once per pair.
--
-- ids  bigint[]  identifiers that are new

INSERT INTO customers_review (kind, first_id, second_id, details, status, settled_by)
SELECT DISTINCT ON (verified.customer_id, claimed.customer_id)
       'suggested_merge', verified.customer_id, claimed.customer_id,
       jsonb_build_object('claimed', claimed.id, 'verified', verified.id), 'open', ''
  FROM customers_identifier AS one
  JOIN customers_identifier AS verified
    ON verified.kind = one.kind AND verified.value = one.value AND verified.evidence = 2
  JOIN customers_identifier AS claimed
    ON claimed.kind = one.kind AND claimed.value = one.value AND claimed.evidence = 1
 WHERE one.id = ANY (%(ids)s::bigint[])
   AND one.kind <> 'order'
   AND verified.customer_id <> claimed.customer_id
 ORDER BY verified.customer_id, claimed.customer_id, verified.id, claimed.id
    ON CONFLICT (kind, first_id, second_id) DO NOTHING
