"""A crash at each step of a delivery, once and twice, with a check of all outcomes.

The tests run in one process on real Postgres. A crash is an exception that no code catches, which
leaves the same rows as `kill -9`. Then the leases expire, and expire_leases and the dispatcher run
again. Each message must end in exactly one state. A provider may get it at most once, unless the
message is marked as uncertain.
"""

import contextlib
import itertools
import random
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection

from butler import failpoints
from butler.actions import outcomes, withdrawal
from butler.models import BudgetUse, Delivery, Message
from channels import deliveries
from channels.protocol import DeliveryResult
from customers.consent.statements import ConsentStatement
from tests.butler import arrange
from tests.butler.arrange import AUTHOR, NOON

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

POINTS = (
    "before claim",
    "in claim",
    "after claim",
    "before provider",
    "after provider",
    "before outcome",
    "in outcome",
    "after outcome",
)
OPERATIONS = ("offer", "service", "withdrawn", "budget", "refused", "lost")
SEEDS = 6
RUNS = itertools.count()
ENDS = {"accepted", "delivered", "suppressed", "expired", "rejected", "failed", "uncertain"}


class Crash(BaseException):
    """The simulated end of a process."""


class CrashAtFailpoint:
    """A hook that crashes at a named point, `times` times."""

    def __init__(self, point, times, chance):
        self.point = point
        self.remaining = times
        # Sometimes crash at the second pass, because later batches have more messages in flight.
        self.passes = chance.randrange(2)

    def __call__(self, name):
        if name != self.point or not self.remaining:
            return
        if self.passes:
            self.passes -= 1
            return
        self.remaining -= 1
        raise Crash


class Provider:
    channel = "email"
    provider = "sink"
    address_kind = "email"
    is_idempotent = False
    timeout = 0.5

    def __init__(self, operation):
        self.operation = operation
        self.handed = Counter()

    def send(self, parcels, is_open):
        for parcel in parcels:
            if not is_open():
                return
            failpoints.failpoint("before provider")
            if self.operation == "refused":
                yield DeliveryResult(parcel.delivery_id, "rejected", code="550")
                continue
            self.handed[parcel.id] += 1
            lost = self.operation == "lost" and self.handed[parcel.id] == 1
            yield DeliveryResult(parcel.delivery_id, "uncertain" if lost else "accepted")


def people(operation):
    """Create three customers for the operation, and return them with their relations."""
    guests = []
    for _ in range(3):
        guest = arrange.guest()
        needs_order = operation in ("service", "lost")
        guests.append((guest, arrange.order(guest) if needs_order else ""))
        if operation == "budget":
            arrange.record_statement(guest, "preference.set", "budget", {"most": 1, "per": "day"})
    return guests


def prepare(operation, guests, moment):
    messages = []
    for guest, relation in guests:
        facts = {}
        if relation:
            facts = {"message_class": "service", "topic": "orders", "relation": relation}
        elif operation == "withdrawn" or not hasattr(guest, "consent_state"):
            arrange.record_statement(guest, "consent.given", "offers", occurred_at=moment)
        if operation == "budget":
            arrange.message(guest, expires_at=NOON + timedelta(hours=8))
        messages.append(arrange.message(guest, **facts))
    return messages


def step(provider, now):
    """Expire leases and send batches once, as restarted processes would."""
    outcomes.expire_leases(now=now)
    for _ in range(4):
        if not deliveries.deliver_batch(provider, clock=lambda: now, limit=2).claimed:
            break


def lapse():
    """Expire the leases of crashed processes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE butler_delivery SET lease_until = clock_timestamp() - interval '2 s'"
            " WHERE outcome = ''"
        )


def withdraw(messages, moment):
    words = [
        ConsentStatement(kind="consent.withdrawn", subject="offers", evidence={"kind": "click"})
    ]
    for message in messages:
        withdrawal.record_statements(
            customer_id=message.customer_id, statements=words, author=AUTHOR, now=moment, timeout=0
        )


def simulate_crash(operation, guests, point, times, seed):
    """Run one operation with its crashes to the end; return the provider and its messages."""
    chance = random.Random(f"{operation} {point} {times} {seed}")
    # The statements of a run are later than those of all earlier runs.
    moment = NOON - timedelta(hours=2) + timedelta(seconds=10 * next(RUNS))
    messages = prepare(operation, guests, moment)
    provider = Provider(operation)
    failpoints.set_hook(CrashAtFailpoint(point, times, chance))
    now = NOON
    handed_at_withdrawal = None
    try:
        # Two rounds more than it can crash, and one after the end of all waiting times.
        for round_ in range(5):
            with contextlib.suppress(Crash):
                step(provider, now)
            lapse()
            if operation == "withdrawn" and round_ == 0:
                withdraw(messages, moment + timedelta(seconds=5))
                handed_at_withdrawal = dict(provider.handed)
            now += outcomes.RECONCILE + timedelta(minutes=1)
        step(provider, NOON + timedelta(days=8))
    finally:
        failpoints.set_hook(None)
    return provider, handed_at_withdrawal


def check(provider, handed_at_withdrawal):
    """Check C7: each message ends in one state, and is sent once unless it is uncertain."""
    unsure = set(Delivery.objects.filter(outcome="uncertain").values_list("message_id", flat=True))
    for message in Message.objects.all():
        assert message.state in ENDS, (message.state, message.reason)
        assert provider.handed[message.id] <= 1 or message.id in unsure
        if message.state in ("accepted", "delivered"):
            assert provider.handed[message.id] >= 1, "lost"
        if message.state in ("suppressed", "expired"):
            assert provider.handed[message.id] == 0
    assert not Delivery.objects.filter(outcome="").exists()
    if handed_at_withdrawal is not None:
        assert dict(provider.handed) == handed_at_withdrawal, "handed over after a withdrawal"
    used = sum(BudgetUse.objects.filter(scope="company:marketing").values_list("used", flat=True))
    counted = Delivery.objects.filter(
        outcome__in=("accepted", "uncertain"), message__message_class="marketing"
    ).count()
    assert used == counted


@pytest.mark.parametrize(("operation", "point"), list(itertools.product(OPERATIONS, POINTS)))
def test_crash_at_any_point_sends_no_message_twice_and_keeps_the_counts(operation, point):
    arrange.vocabulary()
    guests = people(operation)
    for times, seed in itertools.product((1, 2), range(SEEDS)):
        Delivery.objects.all().delete()
        Message.objects.all().delete()
        BudgetUse.objects.all().delete()
        provider, before = simulate_crash(operation, guests, point, times, seed)
        check(provider, before)


def test_number_of_crash_runs_is_sufficient():
    assert len(OPERATIONS) * len(POINTS) * 2 * SEEDS >= 500
