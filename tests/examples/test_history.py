from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from examples.themepark import history, load
from examples.themepark.families import families, noor
from examples.themepark.messages import to_incoming_event
from examples.themepark.rides import rides, zone

TODAY = date(2026, 11, 21)
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOUSEHOLDS = load.household_messages(since=NOW)


def test_household_messages_are_the_same_each_time():
    assert load.household_messages(since=NOW) == HOUSEHOLDS


def test_no_message_is_from_the_future():
    latest = max(message.occurred_at for messages in HOUSEHOLDS for message in messages)

    assert latest <= NOW


def test_household_messages_are_ordered_and_span_a_year():
    for messages in HOUSEHOLDS:
        times = [message.occurred_at for message in messages]
        assert times == sorted(times)
        assert times[0] > NOW - timedelta(days=366)


def test_message_ids_are_unique_per_source():
    ids = Counter(
        (message.source, message.message_id) for messages in HOUSEHOLDS for message in messages
    )

    assert ids.most_common(1)[0][1] == 1


def test_message_has_the_same_body_hash_each_time():
    first = [to_incoming_event(message) for message in HOUSEHOLDS[0]]
    second = [to_incoming_event(message) for message in load.household_messages(since=NOW)[0]]

    assert [event.body_hash for event in first] == [event.body_hash for event in second]


def test_batches_keep_the_order_of_every_household():
    loaded = [message for batch in load.batches(HOUSEHOLDS) for message in batch.messages]
    index_by_message = {
        (message.source, message.message_id): number for number, message in enumerate(loaded)
    }

    assert len(loaded) == sum(map(len, HOUSEHOLDS))
    for messages in HOUSEHOLDS:
        indexes = [index_by_message[message.source, message.message_id] for message in messages]
        assert indexes == sorted(indexes)


def test_batch_has_one_source_and_a_limit():
    for batch in load.batches(HOUSEHOLDS):
        assert {message.source for message in batch.messages} == {batch.source}
        assert len(batch.messages) <= load.BATCH


def test_households_have_messages_of_every_source():
    sources = {message.source for messages in HOUSEHOLDS for message in messages}

    assert sources == {history.APP, history.SITE, history.DESK, history.TILL}


def test_last_messages_of_noor_order_a_visit_and_move_it():
    names = [message.name for message in history.noors_year(noor(TODAY), today=TODAY, until=NOW)]

    assert names[-2:] == ["Call Ended", "Order Amended"]


@pytest.mark.parametrize(
    ("hour", "is_open"), [(9, False), (10, True), (18, True), (19, False), (23, False)]
)
def test_wait_is_posted_while_the_park_is_open(hour, is_open):
    at = datetime(2026, 11, 21, hour, 30, tzinfo=zone())

    assert all((ride.posted_wait(at) is not None) == is_open for ride in rides())


def test_family_year_depends_on_the_family_and_the_seed():
    family = next(families(seed=1, today=TODAY, count=1))

    assert history.family_year(family, seed=1, today=TODAY, until=NOW) == history.family_year(
        family, seed=1, today=TODAY, until=NOW
    )
