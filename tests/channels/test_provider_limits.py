"""The rate limit of each provider, its cooldown, and the fallback that replaces it meanwhile."""

from datetime import timedelta

import pytest

from butler.actions import dispatch_gate
from butler.models import Delivery, Message, ProviderLimit
from channels import deliveries
from tests.butler import arrange
from tests.butler.arrange import NOON
from tests.channels.simulated_provider import Provider, offer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _vocabulary():
    arrange.vocabulary()


def test_a_provider_that_fails_again_and_again_is_left_alone_for_a_while(monkeypatch):
    for _ in range(8):
        offer()
    provider = Provider(*["transient"] * 20)
    monkeypatch.setattr(deliveries, "adapters_of", lambda channel: [provider])

    deliveries.deliver("email", clock=lambda: NOON)
    offer()
    deliveries.deliver("email", clock=lambda: NOON + timedelta(seconds=1))

    assert len(provider.handed) == 8
    rest = ProviderLimit.objects.get(channel="email").cooldown_until
    assert rest > NOON
    provider.results.clear()
    deliveries.deliver("email", clock=lambda: rest + timedelta(hours=2))
    assert ProviderLimit.objects.get(channel="email").failures == 0
    assert set(Message.objects.values_list("state", flat=True)) == {"accepted"}


def test_second_provider_replaces_one_that_cools_down(monkeypatch):
    for _ in range(8):
        offer()
    first, second = Provider(*["transient"] * 8), Provider()
    monkeypatch.setattr(deliveries, "adapters_of", lambda channel: [first, second])

    deliveries.deliver("email", clock=lambda: NOON)
    offer()
    # A failed message waits before its next attempt, and a new message does not wait.
    deliveries.deliver("email", clock=lambda: NOON + timedelta(seconds=1))
    assert (len(first.handed), len(second.handed)) == (8, 1)
    deliveries.deliver("email", clock=lambda: NOON + timedelta(minutes=1))

    assert set(Message.objects.values_list("state", flat=True)) == {"accepted"}
    assert Delivery.objects.filter(outcome="accepted").count() == 9


def test_uncertain_message_of_one_provider_never_leaves_through_another(monkeypatch):
    for _ in range(8):
        offer()
    first, second = Provider(*["uncertain"] * 8), Provider()
    monkeypatch.setattr(deliveries, "adapters_of", lambda channel: [first, second])

    for minute in range(30):
        deliveries.deliver("email", clock=lambda now=NOON + timedelta(minutes=minute): now)

    assert second.handed == []
    assert set(Message.objects.values_list("state", flat=True)) == {"uncertain"}


def test_a_provider_that_is_well_again_is_used_again(monkeypatch):
    for _ in range(8):
        offer()
    first, second = Provider(*["transient"] * 8), Provider()
    monkeypatch.setattr(deliveries, "adapters_of", lambda channel: [first, second])
    deliveries.deliver("email", clock=lambda: NOON)
    rest = ProviderLimit.objects.get(channel="email").cooldown_until

    deliveries.deliver("email", clock=lambda: rest + timedelta(hours=1))

    assert len(first.handed) == 16
    assert second.handed == []


def test_provider_at_its_limit_is_waited_for(monkeypatch):
    for _ in range(3):
        offer()
    ProviderLimit.objects.create(channel="email", rate=1.0)
    first, second = Provider(), Provider()
    monkeypatch.setattr(deliveries, "adapters_of", lambda channel: [first, second])

    deliveries.deliver("email", clock=lambda: NOON)

    assert (len(first.handed), len(second.handed)) == (1, 0)


def test_provider_gets_no_more_than_its_rate(monkeypatch):
    for _ in range(6):
        offer()
    ProviderLimit.objects.create(channel="email", rate=2.0)
    provider = Provider()
    monkeypatch.setattr(deliveries, "adapters_of", lambda channel: [provider])

    handed_counts = []
    for second in range(4):
        deliveries.deliver("email", clock=lambda now=NOON + timedelta(seconds=second): now)
        handed_counts.append(len(provider.handed))

    assert handed_counts == [2, 4, 6, 6]


def test_a_provider_that_hangs_does_not_hold_every_worker(monkeypatch, settings):
    settings.BUTLER_PROVIDER_BATCHES = 1
    provider = Provider()
    monkeypatch.setattr(deliveries, "adapters_of", lambda channel: [provider])
    for _ in range(2):
        offer()
    dispatch_gate.claim(
        channel="email", provider="x", now=NOON, limit=1, lease=30, links=deliveries.links
    )

    assert deliveries.deliver("email", clock=lambda: NOON, limit=1).claimed == 0


@pytest.mark.parametrize(("quick", "sizes"), [(60.0, [2, 4, 2]), (0.0, [2, 2, 2, 2])])
def test_a_provider_that_is_quick_takes_twice_as_many_at_a_time(quick, sizes, monkeypatch):
    batch_sizes = []

    class Counting(Provider):
        def send(self, parcels, is_open):
            batch_sizes.append(len(parcels))
            return super().send(parcels, is_open)

    provider = Counting()
    monkeypatch.setattr(deliveries, "adapters_of", lambda channel: [provider])
    monkeypatch.setattr(deliveries, "_FAST_BATCH_SECONDS", quick)
    for _ in range(8):
        offer()

    totals = deliveries.deliver("email", clock=lambda: NOON, limit=2)

    assert (totals.accepted, batch_sizes) == (8, sizes)
