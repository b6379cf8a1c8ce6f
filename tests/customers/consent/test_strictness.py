from itertools import pairwise

import pytest

from customers.consent.strictness import quiet_minutes, strictness

# The statements of each kind, from the least strict to the strictest.
LADDERS = {
    "consent": [
        ("consent.given", "offers", None),
        ("consent.expired", "offers", None),
        ("consent.invalidated", "offers", None),
        ("consent.withdrawn", "offers", None),
        ("consent.refused", "offers", None),
        ("consent.unheard_of", "offers", None),
    ],
    "objection": [("objection.lifted", "marketing", None), ("objection.made", "marketing", None)],
    "allow": [
        ("preference.set", "allow", True),
        ("preference.cleared", "allow", None),
        ("preference.set", "allow", False),
    ],
    "data use": [
        ("preference.set", "data_use", True),
        ("preference.cleared", "data_use", None),
        ("preference.set", "data_use", False),
    ],
    "pause": [
        ("preference.cleared", "pause", None),
        ("preference.set", "pause", "2027-04-16T09:00:00+00:00"),
        ("preference.set", "pause", "2027-04-16T09:00:01+00:00"),
    ],
    "budget": [
        ("preference.cleared", "budget", None),
        ("preference.set", "budget", {"most": 1, "per": "day"}),
        ("preference.set", "budget", {"most": 6, "per": "week"}),
        ("preference.set", "budget", {"most": 25, "per": "month"}),
        ("preference.set", "budget", {"most": 5, "per": "week"}),
        ("preference.set", "budget", {"most": 0, "per": "month"}),
    ],
    "quiet hours": [
        ("preference.cleared", "quiet_hours", None),
        ("preference.set", "quiet_hours", {"from": "22:00", "to": "07:00", "days": [1, 2]}),
        ("preference.set", "quiet_hours", {"from": "23:00", "to": "07:00"}),
        ("preference.set", "quiet_hours", {"from": "22:00", "to": "07:00"}),
        ("preference.set", "quiet_hours", {"from": "07:00", "to": "07:00"}),
    ],
    "only when I ask": [
        ("preference.set", "only_when_i_ask", False),
        ("preference.set", "only_when_i_ask", True),
    ],
    "a person first": [
        ("preference.set", "person_first", False),
        ("preference.set", "person_first", True),
    ],
    "language": [
        ("preference.cleared", "language", None),
        ("preference.set", "language", "sv"),
    ],
}


@pytest.mark.parametrize("ladder", LADDERS.values(), ids=LADDERS)
def test_statements_are_ordered_by_strictness(ladder):
    for looser, stricter in pairwise(ladder):
        assert strictness(*looser) < strictness(*stricter), (looser, stricter)


def test_setting_without_effect_has_no_strictness():
    for preference in (
        ("consent.given", "offers", None),
        ("objection.lifted", "marketing", None),
        ("preference.cleared", "language", None),
        ("preference.set", "allow", True),
        ("preference.set", "person_first", False),
        ("signal.cleared", "allow", None),
        ("signal.received", "gpc", None),
    ):
        assert strictness(*preference) == (0, 0), preference


@pytest.mark.parametrize(
    ("start", "end", "minutes"),
    [
        ("22:00", "07:00", 540),
        ("07:00", "22:00", 900),
        ("09:10", "09:25", 15),
        ("09:25", "09:10", 1425),
        ("00:00", "00:00", 1440),
        ("10:15", "10:15", 1440),
    ],
)
def test_strictness_of_quiet_hours_counts_over_midnight(start, end, minutes):
    assert quiet_minutes(start, end) == minutes
