-- Suggest a merge if one record claims a value that is verified for another record. Staff decide.
-- Each pair of records gets one review.
--
-- ids  bigint[]  new identifiers

INSERT INTO customers_review (kind, first_id, second_id, details, status, settled_by)
SELECT DISTINCT ON (verified.customer_id, claimed.customer_id)
       'suggested_merge', verified.customer_id, claimed.customer_id,
       jsonb_build_object('claimed', claimed.id, 'verified', verified.id), 'open', ''
  FROM customers_identifier AS new
  JOIN customers_identifier AS verified
    ON verified.kind = new.kind AND verified.value = new.value AND verified.evidence = 2
  JOIN customers_identifier AS claimed
    ON claimed.kind = new.kind AND claimed.value = new.value AND claimed.evidence = 1
 WHERE new.id = ANY (%(ids)s::bigint[])
   AND new.kind <> 'order'
   AND verified.customer_id <> claimed.customer_id
 ORDER BY verified.customer_id, claimed.customer_id, verified.id, claimed.id
    ON CONFLICT (kind, first_id, second_id) DO NOTHING
