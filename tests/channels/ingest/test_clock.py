import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.ingest import clock

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def corrected_time(stated, sent_at, *, is_retry=False, stamps_once=False, is_server=False):
    error = clock.estimate_error(sent_at, NOW, is_retry=is_retry, is_server=is_server)
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
        pytest.param(
            NOW - timedelta(days=700),
            NOW - timedelta(days=699),
            {"is_server": True},
            NOW - timedelta(days=700),
            id="old-batch-of-a-server",
        ),
        pytest.param(
            NOW - 4 * HOUR,
            NOW - 3 * HOUR,
            {"is_server": True},
            NOW - HOUR,
            id="slow-clock-of-a-server",
        ),
        pytest.param(
            NOW - HOUR,
            datetime(1970, 1, 1, tzinfo=UTC),
            {},
            NOW - HOUR,
            id="sent-years-before-it-happened",
        ),
        pytest.param(
            NOW + timedelta(days=3650),
            NOW + HOUR,
            {},
            NOW,
            id="ahead-and-sent-before-it-happened",
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
