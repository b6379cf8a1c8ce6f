from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from butler.due import civil_time

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
ZONES = [
    "Europe/Amsterdam",
    "Europe/Copenhagen",
    "Europe/Stockholm",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "UTC",
]
CLOCKS = st.times().map(lambda at: f"{at:%H:%M}")


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["Europe/Amsterdam", "Europe/Copenhagen", "Europe/Stockholm"])
@pytest.mark.parametrize(
    ("day", "at", "instant"),
    [
        pytest.param(date(2027, 3, 27), "02:30", utc(2027, 3, 27, 1, 30), id="the day before"),
        pytest.param(date(2027, 3, 28), "01:59", utc(2027, 3, 28, 0, 59), id="before the gap"),
        pytest.param(date(2027, 3, 28), "02:00", utc(2027, 3, 28, 1), id="the gap begins"),
        pytest.param(date(2027, 3, 28), "02:30", utc(2027, 3, 28, 1), id="in the gap"),
        pytest.param(date(2027, 3, 28), "03:00", utc(2027, 3, 28, 1), id="after the gap"),
        pytest.param(date(2027, 3, 28), "09:00", utc(2027, 3, 28, 7), id="summer"),
        pytest.param(date(2027, 10, 31), "01:59", utc(2027, 10, 30, 23, 59), id="before the fold"),
        pytest.param(date(2027, 10, 31), "02:30", utc(2027, 10, 31, 0, 30), id="first of two"),
        pytest.param(date(2027, 10, 31), "03:00", utc(2027, 10, 31, 2), id="after the fold"),
        pytest.param(date(2027, 10, 31), "09:00", utc(2027, 10, 31, 8), id="winter"),
    ],
)
def test_local_time_is_converted_at_clock_changes(zone, day, at, instant):
    assert civil_time.local_to_instant(day, at, ZoneInfo(zone)) == instant


@pytest.mark.parametrize(
    ("day", "at", "instant"),
    [
        pytest.param(date(2027, 4, 4), "01:29", utc(2027, 4, 3, 14, 29), id="before the fold"),
        pytest.param(date(2027, 4, 4), "01:45", utc(2027, 4, 3, 14, 45), id="first of two"),
        pytest.param(date(2027, 4, 4), "02:00", utc(2027, 4, 3, 15, 30), id="after the fold"),
        pytest.param(date(2027, 10, 3), "01:59", utc(2027, 10, 2, 15, 29), id="before the gap"),
        pytest.param(date(2027, 10, 3), "02:15", utc(2027, 10, 2, 15, 30), id="in the half hour"),
        pytest.param(date(2027, 10, 3), "02:30", utc(2027, 10, 2, 15, 30), id="after the gap"),
    ],
)
def test_half_hour_clock_change_of_lord_howe_is_converted(day, at, instant):
    assert civil_time.local_to_instant(day, at, LORD_HOWE) == instant


@pytest.mark.parametrize("minute", range(60))
def test_skipped_minute_becomes_the_first_minute_after_the_gap(minute):
    assert civil_time.local_to_instant(date(2027, 3, 28), f"02:{minute:02}", AMSTERDAM) == utc(
        2027, 3, 28, 1
    )


def test_skipped_midnight_becomes_the_first_minute_of_the_day():
    """In Santiago clocks jump at midnight."""
    santiago = ZoneInfo("America/Santiago")

    assert civil_time.local_to_instant(date(2027, 9, 5), "00:00", santiago) == utc(2027, 9, 5, 4)


def test_skipped_day_becomes_the_start_of_the_next_day():
    """Samoa went from 29 to 31 December 2011."""
    apia = ZoneInfo("Pacific/Apia")

    assert civil_time.local_to_instant(date(2011, 12, 30), "09:00", apia) == utc(2011, 12, 30, 10)


@given(
    st.sampled_from(ZONES),
    st.dates(date(2026, 1, 1), date(2030, 12, 31)),
    CLOCKS,
)
def test_local_time_converts_to_itself_or_the_next_existing_time(zone, day, at):
    zone = ZoneInfo(zone)

    instant = civil_time.local_to_instant(day, at, zone)

    civil = instant.astimezone(zone)
    assert civil.date() == day
    assert f"{civil:%H:%M}" >= at
    assert civil.fold == 0
    if f"{civil:%H:%M}" > at:
        before = (instant - timedelta(seconds=1)).astimezone(zone)
        assert f"{before:%Y-%m-%d %H:%M}" < f"{day} {at}"


@given(
    st.sampled_from(ZONES),
    st.dates(date(2026, 1, 1), date(2030, 12, 31)),
    CLOCKS,
    CLOCKS,
)
def test_later_local_time_is_never_an_earlier_instant(zone, day, first, second):
    zone = ZoneInfo(zone)
    early, late = sorted((first, second))

    assert civil_time.local_to_instant(day, early, zone) <= civil_time.local_to_instant(
        day, late, zone
    )
    assert civil_time.local_to_instant(day, late, zone) < civil_time.local_to_instant(
        day + timedelta(days=1), early, zone
    )


@given(
    st.sampled_from(ZONES),
    st.integers(1767225600, 1893456000).map(lambda s: datetime.fromtimestamp(s, UTC)),
    CLOCKS,
)
def test_the_next_time_is_within_a_day_and_an_hour(zone, now, at):
    instant = civil_time.next_local(now, at, ZoneInfo(zone))

    assert now <= instant <= now + timedelta(hours=25)


def test_repeated_midnight_is_returned_once():
    # At one minute past midnight it was 23:01 once more; midnight itself had been.
    st_johns, again = ZoneInfo("America/St_Johns"), utc(2010, 11, 7, 3)
    assert civil_time.local_day(again, st_johns) == date(2010, 11, 6)

    assert civil_time.next_local(again, "00:00", st_johns) == utc(2010, 11, 8, 3, 30)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("90m", utc(2027, 3, 27, 18, 30)),
        ("1d", utc(2027, 3, 28, 17)),
        ("18:00", utc(2027, 3, 27, 17)),
        ("17:59", utc(2027, 3, 28, 15, 59)),
    ],
)
def test_end_is_a_length_from_now_or_the_next_time_of_day(text, end):
    civil_time.check_end(text)

    assert civil_time.end_of(text, utc(2027, 3, 27, 17), AMSTERDAM) == end


@pytest.mark.parametrize("text", ["", "soon", "0h", "25:00", "9:00", "1:h"])
def test_invalid_ends_are_refused(text):
    with pytest.raises(civil_time.BadTime):
        civil_time.check_end(text)


def test_next_local_time_includes_now():
    nine = utc(2027, 3, 28, 7)

    assert civil_time.next_local(nine, "09:00", AMSTERDAM) == nine
    later = civil_time.next_local(nine + timedelta(seconds=1), "09:00", AMSTERDAM)
    assert later == utc(2027, 3, 29, 7)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90m", timedelta(minutes=90)),
        ("2h", timedelta(hours=2)),
        ("3d", timedelta(days=3)),
    ],
)
def test_valid_lengths_are_parsed(text, length):
    assert civil_time.parse_duration(text) == length


@pytest.mark.parametrize(
    "text", ["", "0h", "2", "h", "-2h", "2 h", "1w", "2H", "2h\n", "1000000m", "１h"]
)
def test_invalid_durations_are_refused(text):
    with pytest.raises(civil_time.BadTime):
        civil_time.parse_duration(text)


@pytest.mark.parametrize("text", ["", "9:00", "24:00", "09:60", "09:00:00", "09:00\n", "٠9:00"])
def test_invalid_times_of_day_are_refused(text):
    with pytest.raises(civil_time.BadTime):
        civil_time.parse_clock(text)


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "Europe", "../etc/passwd", "/etc/localtime", "a\x00b", "x" * 5000]
)
def test_unknown_zone_is_none(name):
    assert civil_time.find_zone(name) is None


def test_zone_is_found_by_name():
    assert civil_time.find_zone("Europe/Copenhagen") == ZoneInfo("Europe/Copenhagen")


@pytest.mark.parametrize(
    ("year", "day"),
    [
        (2027, date(2027, 2, 28)),
        (2028, date(2028, 2, 29)),
        (2100, date(2100, 2, 28)),
    ],
)
def test_birthday_on_29_february_has_an_anniversary_each_year(year, day):
    assert civil_time.anniversary(date(2020, 2, 29), year) == day


@given(st.dates(date(1920, 1, 1), date(2026, 12, 31)), st.integers(2027, 2060))
def test_anniversary_stays_in_its_month(born, year):
    returned = civil_time.anniversary(born, year)

    assert (returned.year, returned.month) == (year, born.month)
    assert returned.day == born.day or (born.day, returned.day) == (29, 28)


def test_first_moment_of_the_calendar_has_a_day_in_every_zone():
    first = datetime.min.replace(tzinfo=UTC)

    assert civil_time.local_day(first, ZoneInfo("America/New_York")) == date(1, 1, 1)
