"""A lane: how much room it gives, to whom, and for how long it rests."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from butler.actions import dispatch_gate, provider_limits
from butler.models import Delivery, Lane
from tests.butler import arrange
from tests.butler.arrange import NOON

pytestmark = pytest.mark.django_db(transaction=True)

SECOND = timedelta(seconds=1)


def enter(lane="email", *, most=10, batches=4, now=NOON):
    return tuple(provider_limits.enter(lane, most=most, batches=batches, now=now))


def test_lanes_are_counted_apart():
    for name in ("email", "sms"):
        Lane.objects.create(channel=name, rate=3.0, tokens=0.0, filled_at=NOON - SECOND)
    Lane.objects.create(channel="phone")

    assert enter("email") == (3, False)

    assert {one.channel: (one.tokens, one.filled_at) for one in Lane.objects.all()} == {
        "email": (0.0, NOON),
        "sms": (0.0, NOON - SECOND),
        "phone": (0.0, None),
    }


def test_a_lane_without_a_rate_is_not_written_to():
    Lane.objects.create(channel="email")
    before = Lane.objects.values().get()

    assert enter() == (10, False)

    assert Lane.objects.values().get() == before


def test_who_enters_at_once_shares_what_there_is():
    Lane.objects.create(channel="email", rate=4.0)
    got = []

    def second():
        got.append(enter())
        connection.close()

    thread = threading.Thread(target=second)
    with transaction.atomic():
        assert enter() == (4, False)
        thread.start()
        thread.join(0.3)
        assert not got
    thread.join()

    assert got == [(0, False)]


def _in_hand(count, *, channel="email", lease=30):
    arrange.vocabulary()
    for _ in range(count):
        guest = arrange.guest(phone="+31612345678")
        arrange.says(guest, "consent.given", "offers")
        arrange.message(guest, channel=channel)
    dispatch_gate.claim(
        channel=channel, provider="x", now=NOON, most=25, lease=lease, links=lambda one: {}
    )
    assert Delivery.objects.filter(channel=channel).count() == count


def test_what_was_claimed_at_one_moment_is_one_batch():
    _in_hand(2)

    assert enter(batches=2) == (10, False)
    assert enter(batches=1) == (0, False)


def test_what_another_way_out_has_in_hand_takes_no_room():
    _in_hand(1, channel="sms")

    assert enter(batches=1) == (10, False)


def test_what_nobody_has_in_hand_any_more_takes_no_room():
    _in_hand(1, lease=0)

    assert enter(batches=1) == (10, False)


def test_a_lane_rests_until_its_moment_and_no_longer():
    Lane.objects.create(channel="email", rests_until=NOON)

    assert enter(now=NOON - SECOND) == (0, True)
    assert enter(now=NOON) == (10, False)


def test_each_rest_is_twice_as_long_as_the_last_up_to_a_limit():
    for name in ("email", "sms"):
        Lane.objects.create(channel=name)
    rests = []
    for _ in range(13):
        provider_limits.note("email", ["transient"] * 25, now=NOON)
        rests.append((Lane.objects.get(channel="email").rests_until - NOON).total_seconds())

    assert rests == [5, 10, 20, 40, 80, 160, *[300] * 7]
    assert (
        Lane.objects.get(channel="sms").failures,
        Lane.objects.get(channel="sms").rests_until,
    ) == (
        0,
        None,
    )


def test_a_few_failures_are_no_reason_to_rest_and_one_success_forgets_them():
    Lane.objects.create(channel="email")
    Lane.objects.create(channel="sms", failures=3)
    for _ in range(provider_limits.PATIENCE - 1):
        provider_limits.note("email", ["uncertain"], now=NOON)
    assert Lane.objects.get(channel="email").rests_until is None

    provider_limits.note("email", ["returned"], now=NOON)
    assert Lane.objects.get(channel="email").failures == provider_limits.PATIENCE - 1
    provider_limits.note("email", ["transient", "rejected"], now=NOON)

    assert Lane.objects.get(channel="email").failures == 0
    assert Lane.objects.get(channel="sms").failures == 3
