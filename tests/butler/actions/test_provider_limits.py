"""Provider limits: the capacity of a provider, its rate and its cooldown."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from butler.actions import dispatch_gate, provider_limits
from butler.models import Delivery, ProviderLimit
from tests.butler import arrange
from tests.butler.arrange import NOON

pytestmark = pytest.mark.django_db(transaction=True)

SECOND = timedelta(seconds=1)


def acquire(key="email", *, most=10, batches=4, now=NOON):
    return tuple(provider_limits.acquire(key, limit=most, batches=batches, now=now))


def test_each_provider_has_its_own_limit():
    for name in ("email", "sms"):
        ProviderLimit.objects.create(channel=name, rate=3.0, tokens=0.0, filled_at=NOON - SECOND)
    ProviderLimit.objects.create(channel="phone")

    assert acquire("email") == (3, False)

    assert {
        limit.channel: (limit.tokens, limit.filled_at) for limit in ProviderLimit.objects.all()
    } == {
        "email": (0.0, NOON),
        "sms": (0.0, NOON - SECOND),
        "phone": (0.0, None),
    }


def test_provider_without_rate_is_not_written_to():
    ProviderLimit.objects.create(channel="email")
    before = ProviderLimit.objects.values().get()

    assert acquire() == (10, False)

    assert ProviderLimit.objects.values().get() == before


def test_concurrent_acquires_share_the_available_tokens():
    ProviderLimit.objects.create(channel="email", rate=4.0)
    acquired = []

    def second():
        acquired.append(acquire())
        connection.close()

    thread = threading.Thread(target=second)
    with transaction.atomic():
        assert acquire() == (4, False)
        thread.start()
        thread.join(0.3)
        assert not acquired
    thread.join()

    assert acquired == [(0, False)]


def _lease_deliveries(count, *, channel="email", lease=30):
    arrange.vocabulary()
    for _ in range(count):
        guest = arrange.guest(phone="+31612345678")
        arrange.record_statement(guest, "consent.given", "offers")
        arrange.message(guest, channel=channel)
    dispatch_gate.claim(
        channel=channel, provider="x", now=NOON, limit=25, lease=lease, links=lambda outgoing: {}
    )
    assert Delivery.objects.filter(channel=channel).count() == count


def test_deliveries_claimed_at_one_moment_count_as_one_batch():
    _lease_deliveries(2)

    assert acquire(batches=2) == (10, False)
    assert acquire(batches=1) == (0, False)


def test_deliveries_of_another_channel_do_not_count():
    _lease_deliveries(1, channel="sms")

    assert acquire(batches=1) == (10, False)


def test_deliveries_with_an_expired_lease_do_not_count():
    _lease_deliveries(1, lease=0)

    assert acquire(batches=1) == (10, False)


def test_cooldown_ends_at_its_time():
    ProviderLimit.objects.create(channel="email", cooldown_until=NOON)

    assert acquire(now=NOON - SECOND) == (0, True)
    assert acquire(now=NOON) == (10, False)


def test_each_cooldown_is_twice_as_long_as_the_one_before_up_to_a_limit():
    for name in ("email", "sms"):
        ProviderLimit.objects.create(channel=name)
    rests = []
    for _ in range(13):
        provider_limits.record_outcomes("email", ["transient"] * 25, now=NOON)
        rests.append(
            (ProviderLimit.objects.get(channel="email").cooldown_until - NOON).total_seconds()
        )

    assert rests == [5, 10, 20, 40, 80, 160, *[300] * 7]
    assert (
        ProviderLimit.objects.get(channel="sms").failures,
        ProviderLimit.objects.get(channel="sms").cooldown_until,
    ) == (
        0,
        None,
    )


def test_few_failures_start_no_cooldown_and_one_success_resets_the_count():
    ProviderLimit.objects.create(channel="email")
    ProviderLimit.objects.create(channel="sms", failures=3)
    for _ in range(provider_limits.FAILURE_LIMIT - 1):
        provider_limits.record_outcomes("email", ["uncertain"], now=NOON)
    assert ProviderLimit.objects.get(channel="email").cooldown_until is None

    provider_limits.record_outcomes("email", ["returned"], now=NOON)
    assert ProviderLimit.objects.get(channel="email").failures == provider_limits.FAILURE_LIMIT - 1
    provider_limits.record_outcomes("email", ["transient", "rejected"], now=NOON)

    assert ProviderLimit.objects.get(channel="email").failures == 0
    assert ProviderLimit.objects.get(channel="sms").failures == 3
