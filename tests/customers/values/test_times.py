from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.values.readings import Reading
from customers.values.times import (
    UNREADABLE_DATE,
    UNREADABLE_TIME_OF_DAY,
    read_date,
    read_instant,
    read_time_of_day,
)

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
AMSTERDAM = ZoneInfo("Europe/Amsterdam")


@pytest.mark.parametrize(
    "stated",
    [
        "2026-11-21T12:00:00Z",
        "2026-11-21T12:00:00.000Z",
        "2026-11-21t12:00:00z",
        "2026-11-21 12:00:00Z",
        "2026-11-21T13:00:00+01:00",
        "2026-11-21T06:30:00.0-05:30",
        "2026-11-21T12:00:00-00:00",
        "2026-11-21T12:00:00.000000000000000001Z",
        1795262400,
        1795262400.0,
        1795262400000,
        "1795262400",
        "1795262400000",
        "1795262400.000",
    ],
    ids=repr,
)
def test_each_spelling_of_an_instant_is_the_same_instant(stated):
    assert read_instant(stated) == NOON


@pytest.mark.parametrize(
    "stated",
    [
        "2016-12-31T23:59:60Z",
        "2016-12-31T23:59:60.5Z",
        "2016-12-31T15:59:60-08:00",
        "2017-01-01T00:59:60+01:00",
    ],
    ids=repr,
)
def test_leap_second_is_the_second_after_it(stated):
    assert read_instant(stated).replace(microsecond=0) == datetime(2017, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "stated",
    [
        pytest.param("2026-11-21T12:00:00", id="no-offset"),
        pytest.param("2026-11-21", id="a-date"),
        pytest.param("20261121T120000Z", id="basic-format-of-iso-8601"),
        pytest.param("2026-W47-6T12:00:00.000Z", id="week-date"),
        pytest.param("2026-325T12:00:00Z", id="day-of-the-year"),
        pytest.param("2026-11-21T12:00Z", id="no-seconds"),
        pytest.param("2026-11-21T12:00:00,000Z", id="comma"),
        pytest.param("2026-11-21T12:00:00+0100", id="offset-without-colon"),
        pytest.param("2026-11-21T12:00:00+01:75", id="offset-of-75-minutes"),
        pytest.param("2026-11-21T24:00:00Z", id="hour-24"),
        pytest.param("2026-11-21T24:00:00.000Z", id="hour-24-in-the-common-spelling"),
        pytest.param("2026-11-21T12:00:60Z", id="second-60-at-noon"),
        pytest.param("2026-11-21T12:00:61Z", id="second-61"),
        pytest.param("2026-02-30T00:00:00Z", id="no-such-day"),
        pytest.param("２026-11-21T12:00:00Z", id="wide-digit"),
        pytest.param("0001-01-01T00:00:00Z", id="first-year"),
        pytest.param("9999-12-31T23:59:59-14:00", id="after-the-last-year"),
        pytest.param("-0001-11-30T00:00:00+0000", id="zero-date-of-php"),
        pytest.param("21/11/2026 12:00", id="day-month-year"),
        pytest.param("Sat, 21 Nov 2026 12:00:00 GMT", id="rfc-2822"),
        pytest.param("invalid timestamp format", id="words"),
        pytest.param("yesterday", id="a-word"),
        pytest.param("", id="empty"),
        pytest.param(0, id="zero"),
        pytest.param("0", id="zero-as-text"),
        pytest.param(2026, id="a-year"),
        pytest.param(20261121, id="a-date-as-number"),
        pytest.param("20261121120000", id="a-time-as-digits"),
        pytest.param(1795262400000000, id="microseconds"),
        pytest.param(1795262400000000000, id="nanoseconds"),
        pytest.param(-1795262400, id="negative"),
        pytest.param(float("nan"), id="nan"),
        pytest.param(float("inf"), id="infinity"),
        pytest.param(10**400, id="very-large"),
        pytest.param(True, id="true"),
        pytest.param(None, id="nothing"),
        pytest.param([], id="list"),
        pytest.param({"seconds": 1795262400}, id="object"),
    ],
)
def test_anything_else_is_no_instant(stated):
    assert read_instant(stated) is None


@given(
    st.timedeltas(timedelta(days=-365 * 1000), timedelta(days=365 * 7000)),
    st.integers(-1439, 1439),
)
def test_written_instant_is_read_again(distance, minutes):
    instant = NOON + distance
    offset = timezone(timedelta(minutes=minutes))

    assert read_instant(instant.astimezone(offset).isoformat(timespec="microseconds")) == instant


@given(
    st.text()
    | st.floats()
    | st.integers()
    | st.from_regex(r"[0-9TtZz:. +-]{10,30}", fullmatch=True)
)
def test_no_value_is_an_error(stated):
    instant = read_instant(stated)

    assert instant is None or instant.tzinfo is UTC


def test_local_time_is_read_in_its_zone():
    assert read_instant("2026-11-21T13:00:00", AMSTERDAM) == NOON
    assert read_instant("2026-11-21T12:00:00Z", AMSTERDAM) == NOON


@pytest.mark.parametrize(
    "stated",
    [
        "2027-05-01",
        " 2027-05-01 ",
        "2027-05-01T10:00",
        "2027-05-01 10:00:00",
        "2027-04-30T22:30:00Z",
        "2027-05-01T23:30:00+02:00",
        1809125999,
    ],
    ids=repr,
)
def test_date_is_that_of_the_zone(stated):
    assert read_date(stated, AMSTERDAM) == Reading(date(2027, 5, 1))


@pytest.mark.parametrize(
    "stated",
    ["01-05-2027", "5/1/2027", "2027-02-30", "20270501", "0001-01-01", "May 1", 1, [], True],
    ids=repr,
)
def test_unreadable_date_is_a_doubt(stated):
    assert read_date(stated, AMSTERDAM) == Reading(doubt=UNREADABLE_DATE)


@pytest.mark.parametrize(
    ("stated", "time_of_day"),
    [
        ("10:00", time(10)),
        ("9:30", time(9, 30)),
        ("10.30", time(10, 30)),
        (" 10:30 ", time(10, 30)),
        ("10:30:15", time(10, 30, 15)),
        ("10:30:15.250", time(10, 30, 15)),
        ("2027-05-01T10:30", time(10, 30)),
        ("2027-05-01T08:30:00Z", time(10, 30)),
    ],
    ids=repr,
)
def test_time_of_day_is_read(stated, time_of_day):
    assert read_time_of_day(stated, AMSTERDAM) == Reading(time_of_day)


@pytest.mark.parametrize(
    "stated", ["24:00", "10:60", "10", "half ten", "10:30Z", "10-11", 1030, True, []], ids=repr
)
def test_unreadable_time_of_day_is_a_doubt(stated):
    assert read_time_of_day(stated, AMSTERDAM) == Reading(doubt=UNREADABLE_TIME_OF_DAY)


@pytest.mark.parametrize("stated", [None, ""], ids=repr)
def test_missing_date_and_time_are_no_doubt(stated):
    assert read_date(stated, AMSTERDAM) == read_time_of_day(stated, AMSTERDAM) == Reading()
