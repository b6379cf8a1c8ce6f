"""The expected decisions, written by hand. The tests compare decide() with this table.

The source is the text of docs/decisions.md, not the code. The words before the first bar change
the facts of decision_scenarios.py, in which everything is allowed.
"""

# Every class against everything that could stop it. "·": allowed, for the reason of its class.
# The second column is until when what is not allowed waits; without one it is refused.
MATRIX = """
words | until | legal_duty service_critical service answer relationship marketing peer

 | | · · · · · · ·
pause_switch * | | pause_switch pause_switch pause_switch pause_switch pause_switch pause_switch pause_switch
pause_switch reminder | | pause_switch pause_switch pause_switch pause_switch pause_switch pause_switch pause_switch
pause_switch birthday | | · · · · · · ·
unknown pause_switches | | unknown_pause_switches unknown_pause_switches unknown_pause_switches unknown_pause_switches unknown_pause_switches unknown_pause_switches unknown_pause_switches
unknown version | | unknown_version unknown_version unknown_version unknown_version unknown_version unknown_version unknown_version
unknown record_status | | unknown_record_status unknown_record_status unknown_record_status unknown_record_status unknown_record_status unknown_record_status unknown_record_status
unknown consent_state | | unknown_consent_state unknown_consent_state unknown_consent_state unknown_consent_state unknown_consent_state unknown_consent_state unknown_consent_state
unknown addresses | | unknown_addresses unknown_addresses unknown_addresses unknown_addresses unknown_addresses unknown_addresses unknown_addresses
unknown relations | | unknown_relations unknown_relations unknown_relations unknown_relations unknown_relations unknown_relations unknown_relations
unknown is_of_age | | unknown_is_of_age unknown_is_of_age unknown_is_of_age unknown_is_of_age unknown_is_of_age unknown_is_of_age unknown_is_of_age
unknown used | | unknown_used unknown_used unknown_used unknown_used unknown_used unknown_used unknown_used
no customer | | unknown_customer unknown_customer unknown_customer unknown_customer unknown_customer unknown_customer unknown_customer
record_status joined | | not_live not_live not_live not_live not_live not_live not_live
record_status restricted | | not_live not_live not_live not_live not_live not_live not_live
record_status erased | | not_live not_live not_live not_live not_live not_live not_live
rules of no version | | unknown_rules unknown_rules unknown_rules unknown_rules unknown_rules unknown_rules unknown_rules
rules without topics | | unknown_rules unknown_rules unknown_rules unknown_rules unknown_rules unknown_rules unknown_rules
rules without budgets | | unknown_rules unknown_rules unknown_rules unknown_rules unknown_rules unknown_rules unknown_rules
topic weather | | unknown_topic unknown_topic unknown_topic unknown_topic unknown_topic unknown_topic unknown_topic
channel pigeon | | unknown_channel unknown_channel unknown_channel unknown_channel unknown_channel unknown_channel unknown_channel
no purpose | | · · · · unknown_purpose unknown_purpose unknown_purpose
purpose world-peace | | · · · · unknown_purpose unknown_purpose unknown_purpose
purpose combine | | · · · · unknown_purpose unknown_purpose unknown_purpose
happened 2027-04-14 12:05 | | · · · · · · ·
happened 2027-04-14 12:05:01 | | unknown_time unknown_time unknown_time unknown_time unknown_time unknown_time unknown_time
happened by a clock without a zone | | unknown_time unknown_time unknown_time unknown_time unknown_time unknown_time unknown_time
expires by a clock without a zone | | unknown_time unknown_time unknown_time unknown_time unknown_time unknown_time unknown_time
now by a clock without a zone | | unknown_time unknown_time unknown_time unknown_time unknown_time unknown_time unknown_time
expires 2027-04-14 12:00 | | expired expired expired expired expired expired expired
expires 2027-04-14 12:00:01 | | · · · · · · ·
restricted | | · restricted restricted restricted restricted restricted restricted
objected to marketing | | · · · · objected objected ·
objected to its purpose | | · · · · objected objected objected
no email | | no_address no_address no_address no_address no_address no_address no_address
no sms | | · · · · · · ·
channel inbox; no email; no sms; no phone | | · · · · · · ·
email bounced | | address_bounced address_bounced address_bounced address_bounced address_bounced address_bounced address_bounced
email complained | | · address_complained address_complained address_complained address_complained address_complained address_complained
email stopped | | address_stopped address_stopped address_stopped address_stopped address_stopped address_stopped address_stopped
email not mine since 2027-04-01 | | address_not_mine address_not_mine address_not_mine address_not_mine address_not_mine address_not_mine address_not_mine
email not mine since 2025-12-31 | | address_not_mine · · · address_not_mine address_not_mine address_not_mine
email vanished | | unknown_address unknown_address unknown_address unknown_address unknown_address unknown_address unknown_address
sms stopped | | · · · · · · ·
under age | | · · · · not_of_age not_of_age not_of_age
never asked | | · · · · no_consent no_consent no_consent
consent refused | | · · · · consent_refused consent_refused consent_refused
consent withdrawn | | · · · · consent_withdrawn consent_withdrawn consent_withdrawn
consent expired | | · · · · consent_expired consent_expired consent_expired
consent invalidated | | · · · · no_consent no_consent no_consent
consent until 2027-04-14 12:00 | | · · · · consent_expired consent_expired consent_expired
consent until 2027-04-14 12:00:01 | | · · · · · · ·
consent to no words | | · · · · consent_no_notice consent_no_notice consent_no_notice
relation gone | | · no_relation no_relation no_relation · · ·
relation until 2027-04-14 12:00 | | · relation_over relation_over relation_over · · ·
relation until 2027-04-14 12:00:01 | | · · · · · · ·
relation from 2027-04-14 12:00:01 | | · no_relation no_relation no_relation · · ·
relation from 2027-04-14 12:00 | | · · · · · · ·
relation is a visit | | · · · no_relation · · ·
relation is a order | | · · · no_relation · · ·
no relation | | · no_relation no_relation no_relation · · ·
set allow false on email | | · channel_off channel_off channel_off channel_off channel_off channel_off
set allow false on sms | | · · · · · · ·
set allow false | | · channel_off channel_off channel_off channel_off channel_off channel_off
set allow false; set allow true on email | | · · · · · · ·
set pause "2027-04-14T22:00:00+02:00" | 2027-04-14 20:00 | · · paused · paused paused paused
set pause "2027-04-15T14:00:00+02:00" | | · · stale · stale stale stale
set pause "2027-04-14T14:00:00+02:00" | | · · · · · · ·
set only_when_i_ask true | | · · · · only_when_asked only_when_asked only_when_asked
set only_when_i_ask false | | · · · · · · ·
set budget {"most": 1, "per": "day"}; used *:* 2027-04-14 1 | 2027-04-14 22:00 | · · budget_used budget_used budget_used budget_used budget_used
set budget {"most": 2, "per": "day"}; used *:* 2027-04-14 1 | | · · · · · · ·
set budget {"most": 0, "per": "day"} | 2027-04-14 22:00 | · · budget_used budget_used budget_used budget_used budget_used
quiet 12:00-18:00 | 2027-04-14 16:00 | · · quiet_hours quiet_hours quiet_hours quiet_hours quiet_hours
quiet 14:00-14:01 | 2027-04-14 12:01 | · · quiet_hours quiet_hours quiet_hours quiet_hours quiet_hours
quiet 12:00-14:00 | | · · · · · · ·
quiet 00:00-00:00 | | · · stale stale stale stale stale
quiet 12:00-18:00; nobody knows the zone | 2027-04-14 16:00 | · · zone_unknown zone_unknown zone_unknown zone_unknown zone_unknown
quiet 12:00-18:00; nobody knows the zone; no plausible zones | | · · unknown_zone unknown_zone unknown_zone unknown_zone unknown_zone
quiet 22:00-08:00; zone Mars/Base | | · · unknown_zone unknown_zone unknown_zone unknown_zone unknown_zone
set person_first true | | · · · person_first person_first · ·
set allow "perhaps" | | · unknown_preference unknown_preference unknown_preference unknown_preference unknown_preference unknown_preference
set mood "bright" | | · unknown_preference unknown_preference unknown_preference unknown_preference unknown_preference unknown_preference
company budget 1/day; used company 2027-04-14 1 | 2027-04-14 22:00 | · · company_budget company_budget company_budget company_budget company_budget
company budget 2/day; used company 2027-04-14 1 | | · · · · · · ·
company budget 1/fortnight | | · · unknown_facts unknown_facts unknown_facts unknown_facts unknown_facts
company quiet 12:00-18:00 | 2027-04-14 16:00 | · · company_quiet_hours company_quiet_hours company_quiet_hours company_quiet_hours company_quiet_hours
company quiet 14:01-18:00 | | · · · · · · ·
"""

# One scenario a line: the message class, the words | the expected result, and its time.
SCENES = """
marketing; channel inbox | allow consent_given
service; message_class spam | deny unknown_class

# A class is a fact, not a checkbox: consents carry no service, relations no marketing
service; relation gone; purpose offers | deny no_relation
marketing; never asked; relation order:A-1001 | deny no_consent
service_critical; relation gone; relation visit:2027-04-18 | allow relation_live
service; relation visit:2027-04-18 | allow relation_live
service; relation request:R-7 | allow relation_live
answer; relation order:A-1001 | deny no_relation
service; relation is a friendship | deny no_relation
service; relation order:A-9999 | deny no_relation

# The first no is the one that is told
marketing; pause_switch *; unknown version | deny pause_switch
marketing; unknown version; record_status erased | deny unknown_version
marketing; record_status erased; rules of no version | deny not_live
marketing; rules of no version; topic weather | deny unknown_rules
marketing; topic weather; channel pigeon | deny unknown_topic
marketing; channel pigeon; purpose world-peace | deny unknown_channel
marketing; purpose world-peace; happened 2027-04-14 13:00 | deny unknown_purpose
marketing; happened 2027-04-14 13:00; expires 2027-04-14 11:00 | deny unknown_time
marketing; expires 2027-04-14 11:00; restricted | deny expired
marketing; restricted; objected to marketing | deny restricted
marketing; objected to marketing; no email | deny objected
marketing; no email; under age | deny no_address
marketing; under age; never asked | deny not_of_age
marketing; consent withdrawn; set allow false | deny consent_withdrawn
marketing; consent to no words; consent until 2027-01-01 00:00 | deny consent_no_notice
marketing; set allow 1; set allow false on email | deny unknown_preference
marketing; set allow false on email; set only_when_i_ask true | deny channel_off
marketing; set pause "2027-04-14T20:00:00Z"; set only_when_i_ask true | deny only_when_asked
marketing; relation order:A-1001; set only_when_i_ask true | deny only_when_asked
relationship; relation request:R-7; set only_when_i_ask true | deny only_when_asked
marketing; set pause "2027-04-14T20:00:00Z"; set allow false about offers | deny topic_off

# The most specific wins; both named, then the channel, then the topic, then neither
marketing; set allow false about offers | deny topic_off
marketing; set allow false about visit | allow consent_given
marketing; set allow false on email about offers | deny topic_off
marketing; set allow false on sms about offers | allow consent_given
marketing; set allow false about offers; set allow true on email | allow consent_given
marketing; set allow true about offers; set allow false on email | deny channel_off
marketing; set allow false on email; set allow true on email about offers | allow consent_given
marketing; set allow true on email; set allow false on email about offers | deny topic_off
marketing; set allow true; set allow false about offers | deny topic_off
marketing; set allow false; set allow true about offers | allow consent_given
marketing; set allow true on email; set allow false on email | deny channel_off
marketing; set allow false on email; set allow true on email | deny channel_off
service; set allow false about offers | allow relation_live
marketing; set pause "2027-04-14T20:00:00Z" on sms | allow consent_given
marketing; set pause "2027-04-14T20:00:00Z" about offers | defer paused 2027-04-14 20:00
service; set pause "2027-04-14T20:00:00Z" about offers | allow relation_live
marketing; set pause "2027-04-14T20:00:00Z"; set pause "2027-04-14T13:00:00Z" on email | defer paused 2027-04-14 13:00
marketing; set pause "2027-04-14T20:00:00Z"; set pause "2027-04-14T13:00:00Z" | defer paused 2027-04-14 20:00
marketing; set quiet_hours {"from": "12:00", "to": "18:00"} on sms | allow consent_given
marketing; quiet 12:00-18:00; set quiet_hours {"from": "12:00", "to": "15:00"} on email | defer quiet_hours 2027-04-14 13:00
marketing; quiet 12:00-15:00; quiet 14:30-18:00 | defer quiet_hours 2027-04-14 16:00
marketing; quiet 12:00-15:00; quiet 15:00-16:00 | defer quiet_hours 2027-04-14 14:00
marketing; quiet 12:00-15:00; quiet 15:30-16:00 | defer quiet_hours 2027-04-14 13:00

# Only when I ask: what was asked for still comes, a reminder of a visit was not
service; relation visit:2027-04-18; set only_when_i_ask true | deny only_when_asked
service; relation request:R-7; set only_when_i_ask true | allow relation_live
service_critical; relation visit:2027-04-18; set only_when_i_ask true | allow relation_live

# Budgets: whose calendar, which window, which scope
marketing; set budget {"most": 1, "per": "day"}; used *:* 2027-04-13 9 | allow consent_given
marketing; set budget {"most": 1, "per": "day"}; used email:* 2027-04-14 9 | allow consent_given
marketing; set budget {"most": 3, "per": "week"} on email; used email:* 2027-W15 3; expires 2027-05-20 00:00 | defer budget_used 2027-04-18 22:00
marketing; set budget {"most": 3, "per": "week"} on email; used email:* 2027-W15 3 | deny stale
marketing; set budget {"most": 3, "per": "month"}; used *:* 2027-04 3; expires 2027-05-20 00:00 | defer budget_used 2027-04-30 22:00
marketing; set budget {"most": 1, "per": "day"}; set budget {"most": 5, "per": "day"} on email; used *:* 2027-04-14 1; used email:* 2027-04-14 1 | allow consent_given
marketing; set budget {"most": 5, "per": "day"}; set budget {"most": 1, "per": "day"} on email; used *:* 2027-04-14 1; used email:* 2027-04-14 1 | defer budget_used 2027-04-14 22:00
marketing; set budget {"most": 0, "per": "day"} on sms | allow consent_given
service; set budget {"most": 0, "per": "day"} about offers | allow relation_live
marketing; set budget {"most": 2, "per": "day"} about offers; used *:offers 2027-04-14 2 | defer budget_used 2027-04-14 22:00
marketing; set budget {"most": 1, "per": "day"}; set budget {"most": 9, "per": "week"}; used *:* 2027-04-14 1; used *:* 2027-W15 1 | defer budget_used 2027-04-14 22:00
marketing; set budget {"most": 1, "per": "day"}; set budget {"most": 1, "per": "week"}; used *:* 2027-04-14 1; used *:* 2027-W15 1; expires 2027-05-20 00:00 | defer budget_used 2027-04-18 22:00
marketing; set budget {"most": 1, "per": "week"}; set budget {"most": 1, "per": "day"}; used *:* 2027-04-14 1; used *:* 2027-W15 1; expires 2027-05-20 00:00 | defer budget_used 2027-04-18 22:00
marketing; at 2027-04-14 21:59; set budget {"most": 1, "per": "day"}; used *:* 2027-04-14 1 | defer budget_used 2027-04-14 22:00
marketing; at 2027-04-14 22:00; set budget {"most": 1, "per": "day"}; used *:* 2027-04-14 1 | allow consent_given
marketing; at 2027-04-14 22:30; set budget {"most": 1, "per": "day"}; used *:* 2027-04-15 1 | defer budget_used 2027-04-15 22:00
marketing; at 2027-01-02 12:00; set budget {"most": 1, "per": "week"}; used *:* 2026-W53 1; expires 2027-01-09 00:00 | defer budget_used 2027-01-03 23:00
marketing; at 2027-12-31 12:00; set budget {"most": 1, "per": "month"}; used *:* 2027-12 1 | defer budget_used 2027-12-31 23:00
marketing; at 2027-03-27 12:00; set budget {"most": 1, "per": "day"}; used *:* 2027-03-27 1 | defer budget_used 2027-03-27 23:00
marketing; at 2027-03-28 12:00; set budget {"most": 1, "per": "day"}; used *:* 2027-03-28 1 | defer budget_used 2027-03-28 22:00
marketing; at 2027-10-30 12:00; set budget {"most": 1, "per": "day"}; used *:* 2027-10-30 1 | defer budget_used 2027-10-30 22:00
marketing; at 2027-10-31 12:00; set budget {"most": 1, "per": "day"}; used *:* 2027-10-31 1 | defer budget_used 2027-10-31 23:00
marketing; zone Asia/Tokyo; set budget {"most": 1, "per": "day"}; used *:* 2027-04-14 1 | defer budget_used 2027-04-14 15:00
marketing; set zone "Asia/Tokyo"; set budget {"most": 1, "per": "day"}; used *:* 2027-04-14 1 | defer budget_used 2027-04-14 15:00
marketing; nobody knows the zone; set budget {"most": 1, "per": "day"}; used *:* 2027-04-14 1 | defer budget_used 2027-04-14 22:00
marketing; nobody knows the zone; no plausible zones; set budget {"most": 1, "per": "day"} | deny unknown_zone
marketing; nobody knows the zone; no plausible zones | allow consent_given
marketing; company budget 1/day | allow consent_given
marketing; company budget 0/day | defer company_budget 2027-04-14 22:00
marketing; company budget 2/week; used company 2027-W15 2; expires 2027-05-20 00:00 | defer company_budget 2027-04-18 22:00
marketing; company budget 2/week; used company 2027-W14 2 | allow consent_given
marketing; company budget 1/day; used company 2027-04-14 1; set budget {"most": 1, "per": "day"}; used *:* 2027-04-14 1 | defer budget_used 2027-04-14 22:00

# The latest of several counts; the first where they are equally late
marketing; set pause "2027-04-14T20:00:00Z"; set budget {"most": 0, "per": "day"} | defer budget_used 2027-04-14 22:00
marketing; set pause "2027-04-14T23:00:00Z"; set budget {"most": 0, "per": "day"} | defer paused 2027-04-14 23:00
marketing; set pause "2027-04-14T22:00:00Z"; set budget {"most": 0, "per": "day"} | defer paused 2027-04-14 22:00
marketing; quiet 12:00-18:00; company quiet 12:00-20:00 | defer company_quiet_hours 2027-04-14 18:00
marketing; quiet 12:00-18:00; company quiet 12:00-18:00 | defer quiet_hours 2027-04-14 16:00
marketing; quiet 12:00-18:00; expires 2027-04-14 16:00 | deny stale
marketing; quiet 12:00-18:00; expires 2027-04-14 16:01 | defer quiet_hours 2027-04-14 16:00
marketing; company quiet 12:00-18:00; expires 2027-04-14 15:00 | deny stale
marketing; set person_first true; quiet 12:00-18:00 | defer quiet_hours 2027-04-14 16:00
answer; set person_first true; quiet 12:00-18:00 | defer quiet_hours 2027-04-14 16:00
answer; set person_first true; relation gone | deny no_relation
"""

# Quiet hours on clocks: from the first minute on, to the last one not included.
TIMES = """
marketing; quiet 22:00-08:00; at 2027-01-10 20:59 | allow consent_given
marketing; quiet 22:00-08:00; at 2027-01-10 20:59:59 | allow consent_given
marketing; quiet 22:00-08:00; at 2027-01-10 21:00 | defer quiet_hours 2027-01-11 07:00
marketing; quiet 22:00-08:00; at 2027-01-10 23:00 | defer quiet_hours 2027-01-11 07:00
marketing; quiet 22:00-08:00; at 2027-01-11 06:59 | defer quiet_hours 2027-01-11 07:00
marketing; quiet 22:00-08:00; at 2027-01-11 06:59:59 | defer quiet_hours 2027-01-11 07:00
marketing; quiet 22:00-08:00; at 2027-01-11 07:00 | allow consent_given
marketing; quiet 22:00-08:00; at 2027-06-10 21:00 | defer quiet_hours 2027-06-11 06:00
marketing; quiet 13:00-14:00; at 2027-06-10 10:59 | allow consent_given
marketing; quiet 13:00-14:00; at 2027-06-10 11:00 | defer quiet_hours 2027-06-10 12:00
service; company quiet 22:00-07:00; at 2027-06-10 21:00 | defer company_quiet_hours 2027-06-11 05:00
service_critical; company quiet 22:00-07:00; quiet 22:00-08:00; at 2027-06-10 21:00 | allow relation_live

# The days are those on which it begins: Friday's hours end on Saturday
marketing; quiet 22:00-08:00 days 5; at 2027-04-16 05:00 | allow consent_given
marketing; quiet 22:00-08:00 days 5; at 2027-04-16 21:00 | defer quiet_hours 2027-04-17 06:00
marketing; quiet 22:00-08:00 days 5; at 2027-04-17 05:00 | defer quiet_hours 2027-04-17 06:00
marketing; quiet 22:00-08:00 days 5; at 2027-04-17 21:00 | allow consent_given
marketing; quiet 00:00-00:00 days 7; at 2027-04-18 10:00 | defer quiet_hours 2027-04-18 22:00
marketing; quiet 00:00-00:00 days 7; at 2027-04-17 10:00 | allow consent_given
marketing; quiet 00:00-00:00 days 7; at 2027-04-17 22:00; expires 2027-04-20 00:00 | defer quiet_hours 2027-04-18 22:00
marketing; quiet 00:00-00:00 days 67; at 2027-04-17 10:00; expires 2027-04-30 00:00 | defer quiet_hours 2027-04-18 22:00
marketing; quiet 00:00-00:00 days 1234567; expires 2027-05-30 00:00 | deny stale
marketing; quiet 12:00-12:00 days 3; at 2027-04-15 09:59 | defer quiet_hours 2027-04-15 10:00

# Sunday 28 March 2027, 2:00 is 3:00: the night has seven hours of nine
marketing; quiet 22:00-08:00; at 2027-03-27 22:00 | defer quiet_hours 2027-03-28 06:00
marketing; zone Europe/Copenhagen; quiet 22:00-08:00; at 2027-03-27 22:00 | defer quiet_hours 2027-03-28 06:00
marketing; zone Europe/Stockholm; quiet 22:00-08:00; at 2027-03-27 22:00 | defer quiet_hours 2027-03-28 06:00
marketing; quiet 22:00-02:30; at 2027-03-28 00:30 | defer quiet_hours 2027-03-28 01:00
marketing; quiet 22:00-02:30; at 2027-03-28 00:59 | defer quiet_hours 2027-03-28 01:00
marketing; quiet 22:00-02:30; at 2027-03-28 01:00 | allow consent_given
marketing; zone Europe/Copenhagen; quiet 22:00-02:30; at 2027-03-28 00:30 | defer quiet_hours 2027-03-28 01:00
marketing; zone Europe/Stockholm; quiet 22:00-02:30; at 2027-03-28 00:30 | defer quiet_hours 2027-03-28 01:00
marketing; quiet 02:15-02:45; at 2027-03-28 00:59 | allow consent_given
marketing; quiet 02:15-02:45; at 2027-03-28 01:00 | allow consent_given
marketing; quiet 02:15-02:45; at 2027-03-27 01:20 | defer quiet_hours 2027-03-27 01:45
marketing; quiet 02:30-05:00; at 2027-03-28 00:59 | allow consent_given
marketing; quiet 02:30-05:00; at 2027-03-28 01:00 | defer quiet_hours 2027-03-28 03:00
marketing; zone Europe/Copenhagen; quiet 02:30-05:00; at 2027-03-28 01:00 | defer quiet_hours 2027-03-28 03:00
marketing; zone Europe/Stockholm; quiet 02:30-05:00; at 2027-03-28 01:00 | defer quiet_hours 2027-03-28 03:00
marketing; quiet 00:00-00:00 days 7; at 2027-03-28 10:00 | defer quiet_hours 2027-03-28 22:00

# Sunday 31 October 2027, 3:00 is 2:00: what comes twice counts the first time
marketing; quiet 22:00-08:00; at 2027-10-30 21:00 | defer quiet_hours 2027-10-31 07:00
marketing; zone Europe/Copenhagen; quiet 22:00-08:00; at 2027-10-30 21:00 | defer quiet_hours 2027-10-31 07:00
marketing; zone Europe/Stockholm; quiet 22:00-08:00; at 2027-10-30 21:00 | defer quiet_hours 2027-10-31 07:00
marketing; quiet 22:00-02:30; at 2027-10-31 00:15 | defer quiet_hours 2027-10-31 00:30
marketing; quiet 22:00-02:30; at 2027-10-31 00:30 | allow consent_given
marketing; quiet 22:00-02:30; at 2027-10-31 01:15 | allow consent_given
marketing; zone Europe/Copenhagen; quiet 22:00-02:30; at 2027-10-31 00:15 | defer quiet_hours 2027-10-31 00:30
marketing; zone Europe/Stockholm; quiet 22:00-02:30; at 2027-10-31 00:15 | defer quiet_hours 2027-10-31 00:30
marketing; quiet 02:30-04:00; at 2027-10-31 00:29 | allow consent_given
marketing; quiet 02:30-04:00; at 2027-10-31 00:30 | defer quiet_hours 2027-10-31 03:00
marketing; quiet 02:30-04:00; at 2027-10-31 01:15 | defer quiet_hours 2027-10-31 03:00
marketing; quiet 02:30-04:00; at 2027-10-31 03:00 | allow consent_given
marketing; quiet 02:00-03:00; at 2027-10-31 01:30 | defer quiet_hours 2027-10-31 02:00
marketing; quiet 00:00-00:00 days 7; at 2027-10-31 10:00 | defer quiet_hours 2027-10-31 23:00

# Lord Howe turns its clocks by half an hour: 4 April back at 2:00, 3 October on at 2:00
marketing; zone Australia/Lord_Howe; quiet 22:00-07:00; at 2027-04-03 12:00 | defer quiet_hours 2027-04-03 20:30
marketing; zone Australia/Lord_Howe; quiet 22:00-01:45; at 2027-04-03 14:30 | defer quiet_hours 2027-04-03 14:45
marketing; zone Australia/Lord_Howe; quiet 22:00-01:45; at 2027-04-03 14:45 | allow consent_given
marketing; zone Australia/Lord_Howe; quiet 22:00-01:45; at 2027-04-03 15:05 | allow consent_given
marketing; zone Australia/Lord_Howe; quiet 01:45-03:00; at 2027-04-03 15:05 | defer quiet_hours 2027-04-03 16:30
marketing; zone Australia/Lord_Howe; quiet 22:00-07:00; at 2027-10-02 12:00 | defer quiet_hours 2027-10-02 20:00
marketing; zone Australia/Lord_Howe; quiet 22:00-02:15; at 2027-10-02 15:00 | defer quiet_hours 2027-10-02 15:30
marketing; zone Australia/Lord_Howe; quiet 22:00-02:15; at 2027-10-02 15:30 | allow consent_given
marketing; zone Australia/Lord_Howe; quiet 02:10-03:00; at 2027-10-02 15:29 | allow consent_given
marketing; zone Australia/Lord_Howe; quiet 02:10-03:00; at 2027-10-02 15:30 | defer quiet_hours 2027-10-02 16:00
marketing; zone Australia/Lord_Howe; at 2027-04-03 12:00; set budget {"most": 1, "per": "day"}; used *:* 2027-04-03 1 | defer budget_used 2027-04-03 13:00

# What the customer says of the zone is worth more than what a device says
marketing; set zone "America/New_York"; quiet 22:00-08:00 | allow consent_given
marketing; set zone "America/New_York"; quiet 22:00-09:00 | defer quiet_hours 2027-04-14 13:00
marketing; set zone "America/New_York"; nobody knows the zone; quiet 22:00-09:00 | defer quiet_hours 2027-04-14 13:00
marketing; set zone "Mars/Base"; quiet 22:00-08:00 | deny unknown_preference
marketing; set zone "Europe"; quiet 22:00-08:00 | deny unknown_preference
marketing; zone Europe; quiet 22:00-08:00 | deny unknown_zone

# Where nobody knows the zone, it has to be a good time everywhere
marketing; nobody knows the zone; quiet 22:00-08:00 | allow consent_given
marketing; nobody knows the zone; plausible Europe/Lisbon,Europe/Helsinki; quiet 22:00-08:00; at 2027-04-14 05:30 | defer zone_unknown 2027-04-14 07:00
marketing; nobody knows the zone; plausible Europe/Lisbon,Europe/Helsinki; quiet 22:00-08:00; at 2027-04-14 07:00 | allow consent_given
marketing; nobody knows the zone; plausible Europe/Lisbon,Europe/Helsinki; quiet 22:00-08:00; at 2027-04-14 18:59 | allow consent_given
marketing; nobody knows the zone; plausible Europe/Lisbon,Europe/Helsinki; quiet 22:00-08:00; at 2027-04-14 19:00 | defer zone_unknown 2027-04-15 07:00
marketing; nobody knows the zone; plausible Europe/Lisbon,Europe/Helsinki; quiet 22:00-08:00; at 2027-04-14 19:00; expires 2027-04-15 07:00 | deny stale
marketing; nobody knows the zone; plausible Europe/Lisbon,Mars/Base; quiet 22:00-08:00 | deny unknown_zone
marketing; nobody knows the zone; plausible Europe/Amsterdam,Asia/Tokyo,America/Los_Angeles; quiet 20:00-14:00; expires 2027-05-30 00:00 | deny stale
marketing; nobody knows the zone; company quiet 20:00-09:00; at 2027-04-14 06:00 | defer zone_unknown 2027-04-14 07:00
"""

# Settings with an invalid shape: Butler does not apply a part of them.
MALFORMED = """
allow 1
allow "no"
allow null
allow []
budget 3
budget {"most": 3}
budget {"most": -1, "per": "day"}
budget {"most": true, "per": "day"}
budget {"most": 1.5, "per": "day"}
budget {"most": 3, "per": "year"}
budget {"most": 3, "per": ["day"]}
budget {"most": 3, "per": "day", "but": "Sunday"}
quiet_hours true
quiet_hours {}
quiet_hours {"from": "22:00"}
quiet_hours {"from": "22:00", "to": null}
quiet_hours {"from": "22:00", "to": "24:00"}
quiet_hours {"from": "9:00", "to": "10:00"}
quiet_hours {"from": "22:00", "to": "08:00", "days": []}
quiet_hours {"from": "22:00", "to": "08:00", "days": [0]}
quiet_hours {"from": "22:00", "to": "08:00", "days": [8]}
quiet_hours {"from": "22:00", "to": "08:00", "days": [true]}
quiet_hours {"from": "22:00", "to": "08:00", "days": [[1]]}
quiet_hours {"from": "22:00", "to": "08:00", "days": "1"}
quiet_hours {"from": "22:00", "to": "08:00", "zone": "UTC"}
pause "tomorrow"
pause "2027-04-13T20:00:00"
pause 1807000000
only_when_i_ask "yes"
only_when_i_ask false on email
zone ""
zone 2
zone "../../etc/passwd"
zone "Europe/Amsterdam" about offers
language "Nederlands"
language 3
channel_order []
channel_order "email"
channel_order [3]
person_first 0
data_use true on email
"""

USES = """
use; | allow consent_given
use; pause_switch * | deny pause_switch
use; unknown consent_state | deny unknown_consent_state
use; record_status erased | deny not_live
use; purpose world-peace | deny unknown_purpose
use; purpose offers | deny unknown_purpose
use; no purpose | deny unknown_purpose
use; restricted | deny restricted
use; objected to combine | deny objected
use; objected to visits | allow consent_given
use; under age | deny not_of_age
use; never asked | deny no_consent
use; consent refused | deny consent_refused
use; consent withdrawn | deny consent_withdrawn
use; consent to no words | deny consent_no_notice
use; consent until 2027-04-14 12:00 | deny consent_expired
use; relation order:A-1001 | allow relation_live
use; relation order:A-1001; never asked; under age | allow relation_live
use; relation order:A-9999 | deny no_relation
use; relation order:A-1001; relation until 2027-04-14 12:00 | deny relation_over
use; set data_use false | deny data_use_off
use; set data_use false about combine | deny data_use_off
use; set data_use false about visits | allow consent_given
use; set data_use false; set data_use true about combine | allow consent_given
use; set data_use true; set data_use false about combine | deny data_use_off
use; relation order:A-1001; set data_use false | deny data_use_off
use; set data_use 0 | deny unknown_preference
use; set pause "2027-04-14T20:00:00Z"; quiet 12:00-18:00 | allow consent_given
"""
