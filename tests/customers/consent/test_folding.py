from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.consent.folding import fold
from customers.consent.state import State
from tests.customers.consent.entries import LEDGERS, A, B, C, allows, entry, prefer
from tests.factories import NOON

NIGHT = {"from": "22:00", "to": "08:00"}
EVENING = {"from": "18:00", "to": "23:00"}


def consent(entries, *members, purpose="offers"):
    current = fold(entries, members or (A,)).consents.get(purpose)
    return current and current.state


def settings(entries, *members):
    values = fold(entries, members or (A,)).settings
    return [(setting.name, setting.channel, setting.topic, setting.value) for setting in values]


class TestOneRecord:
    def test_customer_without_statements_has_no_consent(self):
        assert fold([], [A]) == State()

    def test_latest_statement_holds_in_any_order_of_arrival(self):
        grant, withdrawal = entry("consent.given", at=1), entry("consent.withdrawn", at=2)

        assert consent([grant, withdrawal]) == consent([withdrawal, grant]) == "withdrawn"

    def test_stricter_of_two_statements_with_one_time_holds(self):
        for kind in ("consent.refused", "consent.withdrawn", "consent.expired"):
            assert consent([entry(kind), entry("consent.given")]) != "given"

    def test_consent_keeps_its_notice_and_entry(self):
        end = NOON + timedelta(days=365)
        grant = entry("consent.given", valid_until=end.isoformat())

        basis = fold([grant], [A]).consents["offers"]

        assert (basis.entry, basis.notice, basis.valid_until) == (grant.id, "a" * 64, end)

    def test_refusal_keeps_the_earliest_time_to_ask_again(self):
        later = NOON + timedelta(days=183)
        refused = entry("consent.refused", reask_not_before=later.isoformat())

        assert fold([refused], [A]).consents["offers"].reask_not_before == later

    def test_an_objection_stands_until_it_is_lifted_and_no_consent_lifts_it(self):
        objection = entry("objection.made", "marketing", at=1)
        grant = entry("consent.given", at=2)
        lifted = entry("objection.lifted", "marketing", at=3)

        assert fold([objection, grant], [A]).objections == {"marketing": objection.id}
        assert fold([objection, grant, lifted], [A]).objections == {}

    def test_a_preference_is_kept_for_its_scope_and_cleared_for_it(self):
        entries = [
            prefer("allow", False, channel="email"),
            prefer("allow", True, channel="email", topic="rides"),
            prefer("quiet_hours", NIGHT),
        ]
        cleared = entry("preference.cleared", "allow", at=1, channel="email")

        assert settings(entries) == [
            ("allow", "email", "*", False),
            ("allow", "email", "rides", True),
            ("quiet_hours", "*", "*", NIGHT),
        ]
        assert ("allow", "email", "*", False) not in settings([*entries, cleared])
        assert len(settings([*entries, cleared])) == 2

    def test_signal_alone_changes_no_consent(self):
        assert fold([entry("signal.received", "gpc")], [A]) == State()

    @pytest.mark.parametrize(
        ("name", "strict", "lax"),
        [
            ("allow", False, True),
            ("data_use", False, True),
            ("only_when_i_ask", True, False),
            ("person_first", True, False),
            ("pause", "2027-01-01T23:30:00+00:00", "2027-01-02T00:00:00+01:00"),
            ("pause", "2027-01-02T00:00:00-02:00", "2027-01-02T01:00:00+00:00"),
            ("budget", {"most": 5, "per": "week"}, {"most": 1, "per": "day"}),
            ("budget", {"most": 0, "per": "day"}, {"most": 1, "per": "month"}),
            ("quiet_hours", NIGHT, EVENING),
            ("quiet_hours", NIGHT, NIGHT | {"days": [6, 7]}),
            ("quiet_hours", {"from": "08:00", "to": "08:00"}, NIGHT),
        ],
        ids=str,
    )
    def test_stricter_of_two_values_with_one_time_holds(self, name, strict, lax):
        both = [prefer(name, strict), prefer(name, lax)]

        assert [value for *_, value in settings(both)] == [strict]
        assert [value for *_, value in settings(both[::-1])] == [strict]


class TestImports:
    """keila #259, listmonk #2008: a list that is loaded again brings nobody back."""

    @pytest.mark.parametrize("before", ["consent.refused", "consent.withdrawn"])
    def test_imported_list_does_not_lift_a_refusal(self, before):
        entries = [entry(before, at=1), entry("consent.given", at=9, source_channel="import")]

        assert consent(entries) == before.partition(".")[2]

    def test_late_refusal_overrides_an_imported_list(self):
        listed = entry("consent.given", at=9, source_channel="import")

        assert consent([listed]) == "given"
        assert consent([listed, entry("consent.refused", at=5)]) == "refused"

    def test_customer_lifts_a_refusal(self):
        entries = [entry("consent.refused", at=1), entry("consent.given", at=9)]

        assert consent(entries) == "given"

    def test_imported_list_can_refuse(self):
        listed = entry("consent.withdrawn", at=1, source_channel="import")

        assert consent([entry("consent.given"), listed]) == "withdrawn"

    def test_imported_list_does_not_turn_a_channel_on(self):
        off = prefer("allow", False, channel="email")
        on = prefer("allow", True, channel="email", at=1, source_channel="import")

        assert settings([off, on]) == [("allow", "email", "*", False)]


class TestSeveralRecords:
    @pytest.mark.parametrize("when", [1, 5])
    def test_refusal_of_either_record_holds_in_any_order(self, when):
        """Apache Unomi: a consent of the other profile comes back to life when they merge."""
        entries = [entry("consent.given", at=3), entry("consent.refused", at=when, for_=(B,))]

        assert consent(entries, A, B) == "refused"
        assert consent(entries, A) == "given"
        assert consent(entries, B) == "refused"

    def test_record_without_an_answer_overrides_no_consent(self):
        """carpentries/amy #2597: what of a record that never answered?"""
        assert consent([entry("consent.given")], A, B) == "given"

    def test_statement_for_both_records_lifts_their_older_refusals(self):
        entries = [
            entry("consent.refused", at=1),
            entry("consent.withdrawn", at=2, for_=(B,)),
            entry("consent.given", at=3, for_=(A, B)),
        ]

        assert consent(entries, A, B) == consent(entries, A) == consent(entries, B) == "given"

    def test_statement_for_two_records_does_not_apply_to_a_third(self):
        entries = [entry("consent.refused", for_=(C,)), entry("consent.given", at=3, for_=(A, B))]

        assert consent(entries, A, B, C) == "refused"

    def test_consent_with_the_earliest_expiry_counts(self):
        soon, late = ((NOON + timedelta(days=days)).isoformat() for days in (1, 2))
        entries = [
            entry("consent.given", valid_until=late),
            entry("consent.given", at=1, for_=(B,), valid_until=soon),
            entry("consent.given", at=2, for_=(C,)),
        ]

        assert fold(entries, [A, B, C]).consents["offers"].valid_until.isoformat() == soon

    def test_objection_of_either_record_holds(self):
        entries = [entry("objection.made"), entry("objection.lifted", at=1, for_=(B,))]

        assert fold(entries, [A, B]).objections == {"offers": entries[0].id}

    def test_general_refusal_overrides_the_channel_permission_of_another_record(self):
        entries = [prefer("allow", False), prefer("allow", True, channel="email", at=1, for_=(B,))]

        assert settings(entries, A, B) == [
            ("allow", "*", "*", False),
            ("allow", "email", "*", False),
        ]

    def test_quiet_hours_and_budgets_of_both_records_hold(self):
        entries = [
            prefer("quiet_hours", NIGHT),
            prefer("quiet_hours", EVENING, channel="sms", for_=(B,)),
            prefer("budget", {"most": 1, "per": "day"}),
            prefer("budget", {"most": 2, "per": "week"}, for_=(B,)),
        ]

        assert settings(entries, A, B) == [
            ("budget", "*", "*", {"most": 1, "per": "day"}),
            ("budget", "*", "*", {"most": 2, "per": "week"}),
            ("quiet_hours", "*", "*", NIGHT),
            ("quiet_hours", "sms", "*", EVENING),
            ("quiet_hours", "sms", "*", NIGHT),
        ]

    def test_latest_zone_setting_of_any_record_holds(self):
        entries = [prefer("zone", "Europe/Paris", at=1), prefer("zone", "Asia/Tokyo", for_=(B,))]

        assert settings(entries, A, B) == [("zone", "*", "*", "Europe/Paris")]


# Laws -----------------------------------------------------------------------------------


@given(LEDGERS, st.randoms())
def test_the_order_in_which_entries_are_read_does_not_matter(entries, random):
    shuffled = random.sample(entries, len(entries))

    assert fold(shuffled, [C, A, B]) == fold(entries, [A, B, C])


@given(LEDGERS)
def test_merge_never_allows_what_one_record_forbids(entries):
    apart = [fold(entries, [record]) for record in (A, B, C)]
    joined = fold(entries, [A, B, C])

    for purpose, current in joined.consents.items():
        if current.state == "given":
            states = [each.consents[purpose].state for each in apart if purpose in each.consents]
            assert set(states) == {"given"}
    assert joined.objections.keys() == set().union(*(each.objections for each in apart))
    for channel in ("email", "sms", "inbox"):
        for topic in ("rides", "visits", "news"):
            said_apart = [allows(each, channel, topic) for each in apart]
            expected = [value for value in said_apart if value is not None]
            assert allows(joined, channel, topic) == (min(expected) if expected else None)


def test_channel_allowed_by_one_record_and_topic_by_another_are_allowed_together():
    entries = [
        prefer("allow", False, for_=(A,)),
        prefer("allow", True, for_=(A,), channel="email"),
        prefer("allow", True, for_=(B,), topic="rides"),
    ]

    joined = fold(entries, [A, B])

    assert [allows(joined, channel, "rides") for channel in ("email", "sms")] == [True, False]


@given(LEDGERS)
def test_entries_for_other_records_do_not_change_the_state(entries):
    mine = [entry for entry in entries if A in entry.speaks_for]

    assert fold(entries, [A]) == fold(mine, [A])


@given(LEDGERS, st.sampled_from(["offers", "surveys"]))
def test_last_refusal_holds_after_any_statements(entries, purpose):
    last = entry("consent.refused", purpose, at=9, for_=(A, B, C))

    assert consent([*entries, last], A, B, C, purpose=purpose) == "refused"
