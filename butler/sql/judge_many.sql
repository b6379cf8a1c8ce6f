-- Which of very many customers a message can never be for: the prefilter of a campaign.
-- What it refuses, butler.decisions.decide refuses; what it lets through is still decided one by one.
-- Only customers who get through all else have their addresses looked at.
--
-- ids               uuid[]  who is meant; records, or records that were joined into others
-- purpose           text    whose consent it takes; '' where a relation carries it
-- objections        text[]  objections that end it
-- obeys_settings    bool    false for what the law obliges us to say
-- obeys_pause, obeys_only_when_i_ask  bool  whether these settings concern the class
-- topic, channel    text
-- address_kind      text    what the channel needs: 'email', 'phone'; '' where it needs none
-- spares_complained bool    whether it goes to those who complained all the same
-- expires_at        timestamptz  until when it makes sense
-- returns one text: the codes in the order of the ids, a space between any two, empty where it
--         is to be decided; a row for each would take Python longer to read than to judge

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
                            AND NOT (%(spares_complained)s AND suppression.reason = 'complained')
                          LIMIT 1) IS NULL
                   END
             LIMIT 1) IS NULL
            THEN 'no_address'
       ELSE ''
       END, ' ' ORDER BY asked.place)
  FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS asked (id, place)
  LEFT JOIN customers_customer AS record ON record.id = asked.id
  LEFT JOIN customers_control AS control
    ON control.customer_id = coalesce(record.canonical_id, record.id)
