"""Quiet hours and calendars, compared with a clock that is read at each minute."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from butler.decisions import quiet_hours
from customers.consent.preferences import QuietHours

ZONES = (
    "Europe/Amsterdam",
    "Europe/Copenhagen",
    "Europe/Stockholm",
    "Australia/Lord_Howe",
    "America/New_York",
    "Asia/Kathmandu",
    "UTC",
)
CLOCKS = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from((0, 15, 30, 45)))
HOURS = st.builds(
    QuietHours,
    CLOCKS,
    CLOCKS,
    st.lists(st.integers(1, 7), min_size=1, max_size=7, unique=True).map(tuple),
)
MOMENTS = st.integers(0, 365 * 24 * 4 - 1).map(
    lambda quarter: datetime(2027, 1, 1, tzinfo=UTC) + timedelta(minutes=15 * quarter)
)


def _is_quiet_by_the_clock(hours: QuietHours, zone: ZoneInfo, moment: datetime) -> bool:
    """Tell it from what the clock shows, as a person would; right where clocks do not turn."""
    local = moment.astimezone(zone)
    shown = f"{local:%H:%M}"
    today, yesterday = local.isoweekday(), (local - timedelta(days=1)).isoweekday()
    if hours.start < hours.end:
        return today in hours.days and hours.start <= shown < hours.end
    return (today in hours.days and shown >= hours.start) or (
        yesterday in hours.days and shown < hours.end
    )


def _turns_around(zone: ZoneInfo, moment: datetime) -> bool:
    around = (moment - timedelta(days=2), moment + timedelta(days=2))
    return len({at.astimezone(zone).utcoffset() for at in around}) > 1


@pytest.mark.slow
@given(HOURS, st.sampled_from(ZONES), MOMENTS)
@settings(max_examples=500, deadline=None)
def test_quiet_hours_follow_the_local_time(hours, name, moment):
    zone = ZoneInfo(name)
    if _turns_around(zone, moment):
        return

    opens = quiet_hours.next_permitted_time(
        [hours], [zone], moment, [moment.astimezone(zone).date()]
    )

    assert (opens != moment) == _is_quiet_by_the_clock(hours, zone, moment)


@pytest.mark.slow
@given(st.lists(HOURS, min_size=1, max_size=3), st.sampled_from(ZONES), MOMENTS)
@settings(max_examples=200, deadline=None)
def test_next_permitted_time_is_outside_all_quiet_hours(hours, name, moment):
    zone = ZoneInfo(name)
    day = moment.astimezone(zone).date()

    opens = quiet_hours.next_permitted_time(hours, [zone], moment, [day])

    last = opens or moment + timedelta(days=7)
    steps = int((last - moment) / timedelta(minutes=15))
    for step in range(steps):
        at = moment + step * timedelta(minutes=15)
        assert quiet_hours.quiet_end(hours, [zone], at, [at.astimezone(zone).date()])
    if opens:
        day = opens.astimezone(zone).date()
        assert not quiet_hours.quiet_end(hours, [zone], opens, [day])


@pytest.mark.parametrize(
    ("per", "today", "key", "following"),
    [
        ("day", "2027-04-14", "2027-04-14", "2027-04-14 22:00"),
        ("day", "2027-12-31", "2027-12-31", "2027-12-31 23:00"),
        ("day", "2028-02-28", "2028-02-28", "2028-02-28 23:00"),
        ("week", "2027-04-18", "2027-W15", "2027-04-18 22:00"),
        ("week", "2027-04-19", "2027-W16", "2027-04-25 22:00"),
        ("week", "2027-01-03", "2026-W53", "2027-01-03 23:00"),
        ("month", "2027-02-28", "2027-02", "2027-02-28 23:00"),
        ("month", "2028-02-29", "2028-02", "2028-02-29 23:00"),
        ("month", "2027-12-01", "2027-12", "2027-12-31 23:00"),
        ("month", "2027-03-31", "2027-03", "2027-03-31 22:00"),
    ],
)
def test_budget_window_has_a_name_and_an_end_in_the_customers_zone(per, today, key, following):
    window = quiet_hours.budget_window(per, date.fromisoformat(today), ZoneInfo("Europe/Amsterdam"))

    assert window == (key, datetime.fromisoformat(following).replace(tzinfo=UTC))


def test_a_day_begins_with_its_first_minute_where_midnight_is_skipped():
    """In Beirut the clocks go on at midnight: that day begins at one."""
    _, following = quiet_hours.budget_window("day", date(2027, 3, 27), ZoneInfo("Asia/Beirut"))

    assert following == datetime(2027, 3, 27, 22, tzinfo=UTC)
    assert f"{following.astimezone(ZoneInfo('Asia/Beirut')):%d %H:%M}" == "28 01:00"


def test_quiet_hours_without_a_day_raise_an_error():
    with pytest.raises(ValueError, match="without a day"):
        quiet_hours.quiet_end(
            [QuietHours("22:00", "08:00", ())],
            [ZoneInfo("UTC")],
            datetime(2027, 1, 1, tzinfo=UTC),
            [date(2027, 1, 1)],
        )
