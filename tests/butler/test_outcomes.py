"""The results of a delivery: the next state of the message, its budgets, and its event."""

import threading
import time
import uuid
from datetime import timedelta

import pytest
from django.db import connection, transaction

from butler.actions import dispatch_gate, outcomes
from butler.actions.outcomes import ATTEMPTS, RECONCILE, DeliveryOutcome, next_state
from butler.models import BudgetUse, Delivery, Message
from customers.models import Customer, Event
from tests.butler import arrange
from tests.butler.arrange import NOON

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _vocabulary():
    arrange.vocabulary()


def claimed_outcome(outcome="accepted", *, budget=None, **fields):
    """Claim one message; return its guest and its delivery outcome."""
    guest = arrange.guest()
    arrange.record_statement(guest, "consent.given", "offers")
    if budget:
        arrange.record_statement(guest, "preference.set", "budget", budget)
    arrange.message(guest)
    claimed = dispatch_gate.claim(
        channel="email",
        provider="sink",
        now=NOON,
        limit=1,
        lease=10.0,
        links=lambda outgoing: {},
    )
    (outgoing,) = claimed.outgoing
    delivery_outcome = DeliveryOutcome(
        outgoing.delivery_id,
        outgoing.message_id,
        outcome,
        "marketing",
        outgoing.number,
        False,
        **fields,
    )
    return guest, delivery_outcome


def is_waited_for() -> bool:
    """Tell whether somebody waits for the open transaction to end."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_locks WHERE NOT granted AND transactionid = pg_current_xact_id()::xid"
        )
        return cursor.fetchone() is not None


def test_message_sent_during_a_merge_is_on_the_log_of_the_live_record():
    guest, accepted = claimed_outcome()
    other = arrange.guest()
    before = Customer.objects.get(id=other.id).version

    def record():
        outcomes.write_outcomes([accepted], now=NOON)
        connection.close()

    thread = threading.Thread(target=record)
    with transaction.atomic():
        Customer.objects.filter(id=guest.id).update(canonical_id=other.id)
        thread.start()
        deadline = time.monotonic() + 60
        while not is_waited_for():
            assert time.monotonic() < deadline
            time.sleep(0.005)
    thread.join()

    assert Message.objects.get().state == "accepted"
    event = Event.objects.get(name="Message Sent")
    assert (event.customer_id, event.version) == (other.id, before + 1)
    assert Customer.objects.get(id=other.id).version == before + 1


# The next state of a message -------------------------------------------------------------


def outcome(delivery_result, *, of="marketing", number=1, is_idempotent=False, **fields):
    nobody = uuid.UUID(int=0)
    return DeliveryOutcome(nobody, nobody, delivery_result, of, number, is_idempotent, **fields)


WAITS = RECONCILE.total_seconds()


@pytest.mark.parametrize(
    ("delivery_outcome", "state", "reason", "pause"),
    [
        (outcome("accepted"), "accepted", "", None),
        (outcome("accepted", is_local=True), "delivered", "", None),
        (outcome("returned"), "queued", "", None),
        (outcome("rejected"), "rejected", "rejected", None),
        (outcome("rejected", code="550"), "rejected", "550", None),
        (outcome("transient", number=ATTEMPTS), "failed", "gave_up", None),
        (outcome("transient", number=ATTEMPTS, code="421"), "failed", "421", None),
        (outcome("uncertain"), "uncertain", "uncertain", None),
        (outcome("uncertain", of="relationship"), "uncertain", "uncertain", None),
        (outcome("uncertain", of="peer"), "uncertain", "uncertain", None),
        (outcome("uncertain", of="service"), "uncertain", "uncertain", WAITS),
        (outcome("uncertain", of="answer"), "uncertain", "uncertain", WAITS),
        (outcome("uncertain", of="service_critical"), "uncertain", "uncertain", WAITS),
        (outcome("uncertain", of="legal_duty"), "uncertain", "uncertain", WAITS),
        (outcome("uncertain", of="legal_duty", number=2), "uncertain", "uncertain", None),
        (outcome("uncertain", number=ATTEMPTS, is_idempotent=True), "uncertain", "uncertain", None),
    ],
)
def test_outcome_decides_the_next_state_of_the_message(delivery_outcome, state, reason, pause):
    assert next_state(delivery_outcome) == (state, reason, pause)


@pytest.mark.parametrize(
    ("delivery_outcome", "reason"),
    [
        (outcome("transient", code="421"), "421"),
        (outcome("uncertain", is_idempotent=True), "uncertain"),
    ],
)
@pytest.mark.parametrize(
    ("number", "least", "most"), [(1, 3.75, 6.25), (2, 15, 25), (3, 60, 100), (5, 960, 1600)]
)
def test_each_backoff_is_four_times_as_long_as_the_one_before(
    delivery_outcome, reason, number, least, most
):
    for _ in range(50):
        state, why, pause = next_state(delivery_outcome._replace(number=number))
        assert (state, why) == ("queued", reason)
        assert pause is not None
        assert least <= pause <= most


def test_longer_retry_after_of_a_provider_is_used():
    _, _, pause = next_state(outcome("transient", retry_after=7200.0))

    assert pause == 7200.0


def test_number_of_attempts_and_reconcile_time_are_fixed():
    assert (ATTEMPTS, timedelta(minutes=10)) == (6, RECONCILE)


# Budgets and events ----------------------------------------------------------------------


def test_unused_budget_goes_back_to_its_own_window_only():
    guest, rejected = claimed_outcome("rejected", budget={"most": 5, "per": "day"})
    other = arrange.guest()
    other_uses = [
        (guest.id, "*:*", "2027-04-20"),
        (guest.id, "email:*", "2027-04-21"),
        (other.id, "*:*", "2027-04-21"),
    ]
    for who, scope, window in other_uses:
        BudgetUse.objects.create(customer_id=who, scope=scope, window=window, used=4)
    BudgetUse.objects.filter(customer_id=guest.id, scope="*:*", window="2027-04-21").update(used=3)

    outcomes.write_outcomes([rejected], now=NOON)

    used = {
        (use.customer_id, use.scope, use.window): use.used
        for use in BudgetUse.objects.exclude(scope="company:marketing")
    }
    assert used == {**dict.fromkeys(other_uses, 4), (guest.id, "*:*", "2027-04-21"): 2}


def test_refund_never_makes_a_budget_negative():
    guest, rejected = claimed_outcome("rejected", budget={"most": 5, "per": "day"})
    BudgetUse.objects.filter(customer_id=guest.id).update(used=0)

    outcomes.write_outcomes([rejected], now=NOON)

    assert {use.used for use in BudgetUse.objects.filter(customer_id=guest.id)} == {0}


@pytest.mark.parametrize(
    ("delivery_result", "later", "state"),
    [
        ("transient", timedelta(days=7), "expired"),
        ("transient", timedelta(days=7, seconds=-1), "queued"),
        ("returned", timedelta(days=8), "expired"),
        ("accepted", timedelta(days=8), "accepted"),
    ],
)
def test_retry_after_the_expiry_expires_the_message(delivery_result, later, state):
    _, delivery_outcome = claimed_outcome(delivery_result)

    outcomes.write_outcomes([delivery_outcome], now=NOON + later)

    assert Message.objects.get().state == state


def test_late_outcome_of_an_earlier_attempt_does_not_change_the_message():
    _, first = claimed_outcome("uncertain")
    outcomes.write_outcomes([first], now=NOON)
    Message.objects.update(state="sending", attempts=2)

    outcomes.write_outcomes([first._replace(outcome="accepted")], now=NOON)

    assert Message.objects.get().state == "sending"
    assert Delivery.objects.get().outcome == "accepted"


@pytest.mark.parametrize("state", ["withdrawn", "delivered", "bounced"])
def test_ended_message_keeps_its_state(state):
    _, delivery_outcome = claimed_outcome("uncertain")
    Message.objects.update(state=state)

    outcomes.write_outcomes([delivery_outcome], now=NOON)

    assert Message.objects.get().state == state


def test_permanent_failure_appends_an_event():
    guest, delivery_outcome = claimed_outcome("rejected", code="550")

    outcomes.write_outcomes([delivery_outcome], now=NOON)

    event = Event.objects.get(name="Message Failed")
    assert (event.customer_id, event.about) == (guest.id, f"message:{delivery_outcome.message_id}")


# Expired leases --------------------------------------------------------------------------


def test_sweep_takes_expired_leases_only_oldest_first():
    for seconds in (2.0, -30.0, -60.0):
        claimed_outcome("accepted")
        open_ = Delivery.objects.filter(message_id=Message.objects.latest("id").id)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE butler_delivery SET lease_until = clock_timestamp()"
                " + make_interval(secs => %s) WHERE id = %s",
                [seconds, open_.get().id],
            )
    waits, late, latest = Delivery.objects.order_by("-lease_until")

    assert outcomes.expire_leases(now=NOON, limit=1) == 1
    assert Delivery.objects.get(outcome="uncertain") == latest
    assert outcomes.expire_leases(now=NOON) == 1
    assert outcomes.expire_leases(now=NOON) == 0

    assert Delivery.objects.get(outcome="") == waits
    assert {delivery.id for delivery in Delivery.objects.filter(outcome="uncertain")} == {
        late.id,
        latest.id,
    }


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, "queued"),
        ({"not_before": NOON}, "queued"),
        ({"not_before": NOON + timedelta(seconds=1)}, "uncertain"),
        ({"expires_at": NOON}, "uncertain"),
        ({"attempts": 2}, "uncertain"),
        ({"message_class": "marketing"}, "uncertain"),
        ({"state": "accepted"}, "accepted"),
        ({"state": "sending"}, "sending"),
    ],
)
def test_only_unexpired_uncertain_messages_are_requeued(fields, state):
    message = arrange.message(
        arrange.guest(),
        **{"message_class": "service", "state": "uncertain", "attempts": 1} | fields,
    )

    outcomes.expire_leases(now=NOON)

    message.refresh_from_db()
    assert message.state == state
