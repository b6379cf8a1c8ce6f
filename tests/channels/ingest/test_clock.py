import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.ingest import clock

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def corrected_time(stated, sent_at, *, is_retry=False, stamps_once=False):
    error = clock.estimate_error(sent_at, NOW, is_retry=is_retry)
    return clock.corrected_time(stated, NOW, error, is_stamped_once=stamps_once)


@pytest.mark.parametrize(
    ("stated", "sent_at", "how", "seen_at"),
    [
        pytest.param(NOW - HOUR, NOW, {}, NOW - HOUR, id="a-good-clock"),
        pytest.param(NOW - HOUR, None, {}, NOW - HOUR, id="nothing-said-about-sending"),
        pytest.param(None, NOW, {}, NOW, id="nothing-said-at-all"),
        pytest.param(NOW + HOUR, None, {}, NOW, id="never-in-the-future"),
        pytest.param(NOW + 2 * HOUR, NOW + 3 * HOUR, {}, NOW - HOUR, id="clock-ahead"),
        pytest.param(
            NOW + 2 * HOUR, NOW + 3 * HOUR, {"is_retry": True}, NOW - HOUR, id="clock-ahead-retried"
        ),
        pytest.param(NOW - 4 * HOUR, NOW - 3 * HOUR, {}, NOW - HOUR, id="clock-behind"),
        pytest.param(
            NOW - 4 * HOUR, NOW - 3 * HOUR, {"is_retry": True}, NOW - 4 * HOUR, id="it-only-waited"
        ),
        pytest.param(
            NOW - 504 * HOUR,
            NOW - 503 * HOUR,
            {"stamps_once": True},
            NOW - 504 * HOUR,
            id="a-phone-offline-for-three-weeks",
        ),
        pytest.param(
            NOW + 2 * HOUR, NOW + 3 * HOUR, {"stamps_once": True}, NOW - HOUR, id="a-phone-ahead"
        ),
        pytest.param(
            NOW - timedelta(seconds=9),
            NOW - timedelta(seconds=8),
            {},
            NOW - timedelta(seconds=9),
            id="a-slow-network-is-no-wrong-clock",
        ),
        pytest.param(
            NOW - timedelta(days=3651),
            NOW - timedelta(days=3650),
            {},
            NOW - timedelta(days=1),
            id="ten-years-behind",
        ),
        pytest.param(
            NOW + timedelta(days=3649),
            NOW + timedelta(days=3650),
            {},
            NOW - timedelta(days=1),
            id="ten-years-ahead",
        ),
    ],
)
def test_the_sender_s_clock_is_corrected(stated, sent_at, how, seen_at):
    assert corrected_time(stated, sent_at, **how) == seen_at


MOMENTS = st.none() | st.datetimes(timezones=st.just(UTC))


@given(MOMENTS, MOMENTS, st.booleans(), st.booleans())
def test_no_clock_puts_an_event_into_the_future_or_fails(stated, sent_at, is_retry, stamps_once):
    assert corrected_time(stated, sent_at, is_retry=is_retry, stamps_once=stamps_once) <= NOW


@given(
    st.timedeltas(min_value=timedelta(days=-3650), max_value=timedelta(days=3650)),
    st.lists(
        st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=1)), min_size=2, max_size=5
    ),
)
def test_a_wrong_clock_keeps_the_order_of_its_own_events(skew, ages):
    moments = [NOW + skew - age for age in ages]

    corrected = [corrected_time(moment, NOW + skew) for moment in moments]

    by_device = sorted(range(len(ages)), key=lambda i: moments[i])
    assert all(
        corrected[index] <= corrected[next_index]
        for index, next_index in itertools.pairwise(by_device)
    )


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        pytest.param("2026-11-21T12:00:00.000Z", NOW, id="zulu"),
        pytest.param("2026-11-21T13:00:00+01:00", NOW, id="zone"),
        pytest.param("2026-11-21T12:00:00", NOW, id="no-zone-is-utc"),
        pytest.param("20261121T120000Z", NOW, id="basic-format"),
        pytest.param("0001-01-01T00:00:00+14:00", None, id="before-the-first-year"),
        pytest.param("9999-12-31T23:59:59-14:00", None, id="after-the-last-year"),
        pytest.param("2026-02-30T00:00:00Z", None, id="no-such-day"),
        pytest.param("yesterday", None, id="a-word"),
        pytest.param(1763726400, None, id="a-number"),
        pytest.param(None, None, id="nothing"),
    ],
)
def test_times_are_read_or_left_alone(text, moment):
    assert clock.parse_time(text) == moment
