from datetime import UTC, datetime, timedelta, timezone

import pytest

from customers.consent.preferences import MalformedValue, MessageCap, QuietHours, parse_value


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("allow", True, True),
        ("allow", False, False),
        ("budget", {"most": 3, "per": "week"}, MessageCap(3, "week")),
        ("budget", {"per": "day", "most": 0}, MessageCap(0, "day")),
        (
            "quiet_hours",
            {"from": "22:00", "to": "08:00"},
            QuietHours("22:00", "08:00", (1, 2, 3, 4, 5, 6, 7)),
        ),
        (
            "quiet_hours",
            {"from": "00:00", "to": "23:59", "days": [6, 7]},
            QuietHours("00:00", "23:59", (6, 7)),
        ),
        ("pause", "2027-04-14T20:00:00Z", datetime(2027, 4, 14, 20, tzinfo=UTC)),
        (
            "pause",
            "2027-04-14T20:00:00+02:00",
            datetime(2027, 4, 14, 20, tzinfo=timezone(timedelta(hours=2))),
        ),
        ("only_when_i_ask", True, True),
        ("zone", "Australia/Lord_Howe", "Australia/Lord_Howe"),
        ("language", "sv", "sv"),
        ("language", "nl-BE", "nl-BE"),
        ("channel_order", ["inbox", "email"], ("inbox", "email")),
        ("person_first", False, False),
        ("data_use", False, False),
    ],
)
def test_valid_setting_is_parsed(name, value, expected):
    parsed_value = parse_value(name, value)

    assert parsed_value == expected
    assert type(parsed_value) is type(expected)


# The decision table has the decisions about invalid values.
@pytest.mark.parametrize(
    ("name", "channel", "topic"),
    [
        ("zone", "email", "*"),
        ("zone", "*", "offers"),
        ("language", "email", "offers"),
        ("only_when_i_ask", "email", "*"),
        ("person_first", "*", "offers"),
        ("channel_order", "email", "*"),
        ("data_use", "email", "*"),
        ("allow", "", "*"),
        ("allow", "*", ""),
        ("allow", None, "*"),
        ("allow", 3, "*"),
    ],
)
def test_setting_with_a_wrong_scope_is_refused(name, channel, topic):
    values = {"zone": "UTC", "language": "nl", "channel_order": ["email"]}

    with pytest.raises(MalformedValue, match="scope"):
        parse_value(name, values.get(name, True), channel, topic)


@pytest.mark.parametrize(
    ("name", "channel", "topic"),
    [("allow", "email", "offers"), ("data_use", "*", "combine"), ("zone", "*", "*")],
)
def test_setting_with_a_valid_scope_is_accepted(name, channel, topic):
    values = {"zone": "UTC"}

    assert parse_value(name, values.get(name, True), channel, topic) == values.get(name, True)


def test_cached_value_does_not_make_an_equal_value_of_another_type_valid():
    """1, True and 1.0 are one key of a cache."""
    hours = {"from": "22:00", "to": "08:00"}

    assert parse_value("quiet_hours", {**hours, "days": [1]}) == QuietHours("22:00", "08:00", (1,))
    for days in ([True], [1.0]):
        with pytest.raises(MalformedValue):
            parse_value("quiet_hours", {**hours, "days": days})


def test_unknown_setting_is_malformed():
    with pytest.raises(MalformedValue, match="this setting does not exist"):
        parse_value("mood", True)
