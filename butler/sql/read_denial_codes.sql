-- For each customer of an audience the code by which a message is denied, if any is found.
-- Every denial here is one of butler.decisions.decide, which decides all others. Addresses are
-- read only for customers whom nothing else denies.
--
-- ids               uuid[]  records, or records that were merged into others
-- purpose           text    the purpose of the consent; '' where a relation is the basis
-- objections        text[]  the objections that deny
-- obeys_settings    bool    false for a legal duty
-- obeys_pause, obeys_only_when_i_ask  bool  whether these settings apply to the message class
-- topic, channel    text
-- address_kind      text    the address of the channel: 'email', 'phone'; '' where it needs none
-- allows_complained bool    whether the message may go to an address after a complaint
-- expires_at        timestamptz  when the message expires
-- returns one text: the codes in the order of the ids, separated by a space, empty where none
--         was found; Python would take longer to read a row for each

SELECT string_agg(
       CASE
       WHEN record.id IS NULL THEN 'unknown_customer'
       WHEN control.objected && %(objections)s::text[] THEN 'objected'
       WHEN %(purpose)s <> '' AND (%(purpose)s = ANY (control.granted)) IS NOT TRUE THEN
            CASE control.state #>> ARRAY['consents', %(purpose)s, 'state']
            WHEN 'refused' THEN 'consent_refused'
            WHEN 'withdrawn' THEN 'consent_withdrawn'
            WHEN 'expired' THEN 'consent_expired'
            ELSE 'no_consent'
            END
       WHEN %(obeys_settings)s AND control.channels_off && ARRAY[%(channel)s, '*']
            THEN 'channel_off'
       WHEN %(obeys_settings)s AND control.topics_off && ARRAY[%(topic)s, '*'] THEN 'topic_off'
       WHEN %(obeys_only_when_i_ask)s AND control.only_when_i_ask THEN 'only_when_asked'
       WHEN %(obeys_pause)s AND control.paused_until >= %(expires_at)s THEN 'stale'
       -- With a LIMIT it is looked up customer by customer; without one Postgres would read the
       -- addresses of all customers for each batch.
       WHEN %(address_kind)s <> '' AND (
            SELECT true
              FROM customers_identifier AS identifier
             WHERE identifier.customer_id = coalesce(record.canonical_id, record.id)
               -- In this order: left to itself, Postgres looks for the suppressions of every
               -- device first, because they are few.
               AND CASE WHEN identifier.kind = %(address_kind)s
                         AND identifier.evidence = 2
                         AND NOT identifier.is_shared
                   THEN (SELECT true
                           FROM customers_suppression AS suppression
                          WHERE suppression.channel = %(channel)s
                            AND suppression.address = identifier.value
                            AND suppression.lifted_at IS NULL
                            AND NOT (%(allows_complained)s AND suppression.reason = 'complained')
                          LIMIT 1) IS NULL
                   END
             LIMIT 1) IS NULL
            THEN 'no_address'
       ELSE ''
       END, ' ' ORDER BY candidate.position)
  FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS candidate (id, position)
  LEFT JOIN customers_customer AS record ON record.id = candidate.id
  LEFT JOIN customers_control AS control
    ON control.customer_id = coalesce(record.canonical_id, record.id)
