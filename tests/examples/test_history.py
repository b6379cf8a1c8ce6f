from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from examples.themepark import history, load
from examples.themepark.families import families, noor
from examples.themepark.messages import item
from examples.themepark.rides import rides, zone

TODAY = date(2026, 11, 21)
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOUSEHOLDS = load.told(since=NOW)


def test_telling_it_twice_says_the_same():
    assert load.told(since=NOW) == HOUSEHOLDS


def test_nothing_is_told_before_it_happened():
    latest = max(message.occurred_at for messages in HOUSEHOLDS for message in messages)

    assert latest <= NOW


def test_a_year_is_told_in_order_and_is_a_year():
    for messages in HOUSEHOLDS:
        times = [message.occurred_at for message in messages]
        assert times == sorted(times)
        assert times[0] > NOW - timedelta(days=366)


def test_message_ids_are_unique_per_source():
    ids = Counter(
        (message.source, message.message_id) for messages in HOUSEHOLDS for message in messages
    )

    assert ids.most_common(1)[0][1] == 1


def test_a_message_is_told_in_the_same_words_each_time():
    first = [item(message) for message in HOUSEHOLDS[0]]
    again = [item(message) for message in load.told(since=NOW)[0]]

    assert [one.body_hash for one in first] == [one.body_hash for one in again]


def test_batches_keep_every_household_in_order():
    told = [message for batch in load.batches(HOUSEHOLDS) for message in batch.messages]
    place = {(m.source, m.message_id): number for number, m in enumerate(told)}

    assert len(told) == sum(map(len, HOUSEHOLDS))
    for messages in HOUSEHOLDS:
        places = [place[m.source, m.message_id] for m in messages]
        assert places == sorted(places)


def test_a_batch_is_of_one_source_and_bounded():
    for batch in load.batches(HOUSEHOLDS):
        assert {message.source for message in batch.messages} == {batch.source}
        assert len(batch.messages) <= load.BATCH


def test_all_channels_have_their_say():
    sources = {message.source for messages in HOUSEHOLDS for message in messages}

    assert sources == {history.APP, history.SITE, history.DESK, history.TILL}


def test_noor_has_a_visit_ahead_whose_arrival_she_moved():
    names = [message.name for message in history.noors_year(noor(TODAY), today=TODAY, until=NOW)]

    assert names[-2:] == ["Call Ended", "Order Amended"]


@pytest.mark.parametrize(
    ("hour", "is_open"), [(9, False), (10, True), (18, True), (19, False), (23, False)]
)
def test_a_wait_is_posted_while_the_park_is_open(hour, is_open):
    at = datetime(2026, 11, 21, hour, 30, tzinfo=zone())

    assert all((ride.posted_wait(at) is not None) == is_open for ride in rides())


def test_a_history_depends_on_its_family_alone():
    one = next(families(seed=1, today=TODAY, count=1))

    assert history.year(one, seed=1, today=TODAY, until=NOW) == history.year(
        one, seed=1, today=TODAY, until=NOW
    )
