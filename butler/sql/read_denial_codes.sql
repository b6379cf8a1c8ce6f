-- For each customer of an audience, the code with which a message is denied, if one is found.
-- Each denial here is also a denial of butler.decisions.decide, which decides about the other
-- customers. The statement reads addresses only for customers without another denial.
--
-- ids               uuid[]  records, live or merged
-- purpose           text    the purpose of the consent; '' if a relation is the basis
-- objections        text[]  the objections that deny
-- obeys_settings    bool    false for a legal duty
-- obeys_pause, obeys_only_when_i_ask  bool  whether these settings apply to the message class
-- topic, channel    text
-- address_kind      text    the address of the channel: 'email', 'phone'; '' if it needs none
-- allows_noted      bool    whether an address that was noted with an order or a request may do
-- allows_complained bool    whether the message may go to an address after a complaint
-- expires_at        timestamptz  when the message expires
-- returns one text: the codes in the order of the ids, separated by spaces, empty if none was
--         found. One text, because Python needs more time to read one row per customer

SELECT string_agg(
       CASE
       WHEN record.id IS NULL THEN 'unknown_customer'
       WHEN consent_state.objected && %(objections)s::text[] THEN 'objected'
       WHEN %(purpose)s <> '' AND (%(purpose)s = ANY (consent_state.granted)) IS NOT TRUE THEN
            CASE consent_state.state #>> ARRAY['consents', %(purpose)s, 'state']
            WHEN 'refused' THEN 'consent_refused'
            WHEN 'withdrawn' THEN 'consent_withdrawn'
            WHEN 'expired' THEN 'consent_expired'
            ELSE 'no_consent'
            END
       WHEN %(obeys_settings)s AND consent_state.channels_off && ARRAY[%(channel)s, '*']
            THEN 'channel_off'
       WHEN %(obeys_settings)s AND consent_state.topics_off && ARRAY[%(topic)s, '*'] THEN 'topic_off'
       WHEN %(obeys_only_when_i_ask)s AND consent_state.only_when_i_ask THEN 'only_when_asked'
       WHEN %(obeys_pause)s AND consent_state.paused_until >= %(expires_at)s THEN 'stale'
       -- The LIMIT makes Postgres search customer by customer. Without it, Postgres would read the
       -- addresses of all customers for each batch.
       WHEN %(address_kind)s <> '' AND (
            SELECT true
              FROM customers_identifier AS identifier
             WHERE identifier.customer_id = coalesce(record.canonical_id, record.id)
               -- CASE sets the order. Without it, Postgres would search the suppressions for each
               -- identifier first, because there are few suppressions.
               AND CASE WHEN identifier.kind = %(address_kind)s
                         AND identifier.evidence = 2
                         AND NOT identifier.is_shared
                         AND identifier.erasure_id IS NULL
                   THEN (SELECT true
                           FROM customers_suppression AS suppression
                          WHERE suppression.channel = %(channel)s
                            AND suppression.address = identifier.value
                            AND suppression.lifted_at IS NULL
                            AND NOT (%(allows_complained)s AND suppression.reason = 'complained')
                          LIMIT 1) IS NULL
                   END
             LIMIT 1) IS NULL
            -- The order or request may have one. The decision reads which.
            AND NOT (%(allows_noted)s AND (
                EXISTS (SELECT FROM customers_order AS placed
                         WHERE placed.customer_id = coalesce(record.canonical_id, record.id))
                OR EXISTS (SELECT FROM customers_request AS opened
                            WHERE opened.customer_id = coalesce(record.canonical_id, record.id))))
            THEN 'no_address'
       ELSE ''
       END, ' ' ORDER BY candidate.position)
  FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS candidate (id, position)
  LEFT JOIN customers_customer AS record ON record.id = candidate.id
  LEFT JOIN customers_consentstate AS consent_state
    ON consent_state.customer_id = coalesce(record.canonical_id, record.id)
