"""The dispatcher records each sent message, even if a provider or a process fails."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection

from butler.actions import outcomes, withdrawal
from butler.models import BudgetUse, Delivery, Message, ProviderLimit
from channels import deliveries
from customers.consent.statements import ConsentStatement
from customers.models import AddressChange, Event, Identifier, Suppression
from tests import factories
from tests.butler import arrange
from tests.butler.arrange import AUTHOR, NOON
from tests.channels.simulated_provider import Provider, offer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _vocabulary():
    arrange.vocabulary()


def round_(provider, *, now=NOON, most=25):
    return deliveries.deliver_batch(provider, clock=lambda: now, limit=most)


def service(**facts):
    guest = arrange.guest()
    relation = arrange.order(guest)
    return arrange.message(
        guest, message_class="service", topic="orders", relation=relation, **facts
    )


def test_accepted_message_is_on_the_customers_log():
    message = offer()

    assert round_(Provider()) == (1, 1, 0)

    message.refresh_from_db()
    assert (message.state, message.handed_over_at) == ("accepted", NOON)
    event = Event.objects.get(name="Message Sent")
    assert event.customer_id == message.customer_id
    assert event.about == f"message:{message.id}"


def test_rejected_message_gives_its_budget_back():
    message = offer()

    round_(Provider({"outcome": "rejected", "code": "550", "suppress": "bounced"}))

    message.refresh_from_db()
    assert (message.state, message.reason) == ("rejected", "550")
    assert BudgetUse.objects.get(scope="company:marketing").used == 0
    assert Suppression.objects.get().address == message.address


def test_transient_failure_is_retried_later_and_fails_after_the_last_attempt():
    message = offer()
    provider = Provider(*["transient"] * 10)
    now, waits = NOON, []

    for _ in range(outcomes.ATTEMPTS):
        round_(provider, now=now)
        message.refresh_from_db()
        waits.append(message.not_before - now)
        now = max(now, message.not_before) + timedelta(seconds=1)

    assert message.state == "failed"
    assert len(provider.handed) == outcomes.ATTEMPTS
    assert waits[:3] == sorted(waits[:3])


def test_a_provider_says_when_to_come_back():
    message = offer()

    round_(Provider({"outcome": "transient", "retry_after": 900.0}))

    message.refresh_from_db()
    assert message.not_before >= NOON + timedelta(seconds=900)


def test_uncertain_offer_is_never_sent_again():
    message = offer()

    round_(Provider("uncertain"))
    outcomes.expire_leases(now=NOON + timedelta(days=1))

    message.refresh_from_db()
    assert message.state == "uncertain"
    assert Event.objects.filter(name="Message Uncertain").count() == 1
    provider = Provider()
    round_(provider, now=NOON + timedelta(days=1))
    assert provider.handed == []


def test_a_service_message_that_may_have_left_is_sent_once_more_and_no_more():
    message = service()
    provider = Provider("uncertain", "uncertain", "accepted")

    round_(provider)
    outcomes.expire_leases(now=NOON + timedelta(minutes=1))
    round_(provider, now=NOON + timedelta(minutes=1))
    assert len(provider.handed) == 1, "a receipt may still tell"
    later = NOON + outcomes.RECONCILE + timedelta(minutes=1)
    outcomes.expire_leases(now=later)
    round_(provider, now=later)
    outcomes.expire_leases(now=later + timedelta(hours=1))
    round_(provider, now=later + timedelta(hours=1))

    assert provider.handed == [message.id] * 2
    message.refresh_from_db()
    assert message.state == "uncertain"


def test_a_sender_that_fell_silent_leaves_what_is_uncertain():
    message = offer()

    class Dead(BaseException):
        pass

    class Frozen(Provider):
        def send(self, parcels, is_open):
            raise Dead
            yield

    with pytest.raises(Dead):
        round_(Frozen())
    message.refresh_from_db()
    assert message.state == "sending"
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE butler_delivery SET lease_until = clock_timestamp() - interval '2 seconds'"
        )

    assert outcomes.expire_leases(now=NOON) == 1

    message.refresh_from_db()
    assert message.state == "uncertain"
    assert Delivery.objects.get().code == "lease_over"


def test_worker_that_returns_after_its_lease_can_still_record_outcomes():
    message = offer()
    provider = Provider()
    original = outcomes.write_outcomes
    calls = []

    def late(late_outcomes, *, now):
        calls.append((list(late_outcomes), now))

    outcomes.write_outcomes = late
    try:
        round_(provider)
    finally:
        outcomes.write_outcomes = original
    with connection.cursor() as cursor:
        cursor.execute("UPDATE butler_delivery SET lease_until = '2000-01-01'")
    outcomes.expire_leases(now=NOON)

    ((late_outcomes, now),) = calls
    assert outcomes.write_outcomes(late_outcomes, now=now) == 1

    message.refresh_from_db()
    assert message.state == "accepted"


def test_messages_too_late_for_the_round_are_requeued_without_using_budget(monkeypatch):
    monkeypatch.setattr(deliveries, "SEND_WINDOW", 0.15)
    messages = [offer() for _ in range(5)]
    provider = Provider(pause=0.1)

    round_(provider)

    states = [Message.objects.get(id=message.id).state for message in messages]
    assert states.count("accepted") == len(provider.handed) < 5
    assert states.count("queued") == 5 - len(provider.handed)
    assert BudgetUse.objects.filter(used__gt=0).count() == len(provider.handed)
    # Each round sends some messages, even on a slow machine.
    monkeypatch.setattr(deliveries, "SEND_WINDOW", 5.0)
    round_(provider)
    assert len(set(provider.handed)) == len(provider.handed) == 5


def test_an_adapter_that_breaks_leaves_one_uncertain_and_the_rest_untouched():
    for _ in range(3):
        offer()

    round_(Provider(fails_at=1))

    assert sorted(Message.objects.values_list("state", flat=True)) == [
        "accepted",
        "queued",
        "uncertain",
    ]


def test_a_withdrawal_is_not_answered_while_its_message_is_on_its_way():
    message = offer()
    words = [
        ConsentStatement(kind="consent.withdrawn", subject="offers", evidence={"kind": "click"})
    ]
    order = []

    class Watching(Provider):
        def send(self, parcels, is_open):
            def withdraw():
                withdrawal.record_statements(
                    customer_id=message.customer_id, statements=words, author=AUTHOR, now=NOON
                )
                order.append("acknowledged")
                connection.close()

            self.thread = threading.Thread(target=withdraw)
            self.thread.start()
            time.sleep(0.3)
            order.append("handed over")
            yield from super().send(parcels, is_open)

    provider = Watching()
    round_(provider)
    provider.thread.join()

    assert order == ["handed over", "acknowledged"]


def test_briefly_locked_customer_is_still_delivered_in_this_round(monkeypatch):
    message = offer()
    other = connection.copy()
    other.inc_thread_sharing()

    def unlock(seconds):
        other.rollback()

    monkeypatch.setattr(deliveries.time, "sleep", unlock)
    other.set_autocommit(False)
    with other.cursor() as cursor:
        lock = "SELECT FROM customers_customer WHERE id = %s FOR NO KEY UPDATE"
        cursor.execute(lock, [message.customer_id])

    assert round_(Provider()) == (1, 1, 0)
    other.close()


def test_a_lease_lasts_as_long_as_a_call_that_began_at_the_last_moment():
    """Otherwise a withdrawal could be acknowledged while its message is still being sent."""
    offer()
    remaining = []

    class Slow(Provider):
        timeout = 30.0

        def send(self, parcels, is_open):
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT extract(epoch FROM lease_until - clock_timestamp())::float8"
                    " FROM butler_delivery"
                )
                remaining.extend(row[0] for row in cursor.fetchall())
            return super().send(parcels, is_open)

    round_(Slow(), most=1)

    (seconds,) = remaining
    assert deliveries.SEND_WINDOW + 30 - 1 < seconds < deliveries.SEND_WINDOW + 31


def test_each_call_is_timed_alone():
    offer(), offer()

    round_(Provider(pause=0.1), most=2)

    for took in Delivery.objects.values_list("latency_ms", flat=True):
        assert 100 <= took < 190


def test_round_returns_its_counts():
    for _ in range(3):
        offer()

    totals = round_(Provider("accepted", "rejected", "accepted"))

    assert totals == (3, 2, 1)


def test_how_a_stand_in_did_is_told_of_the_stand_in():
    offer()
    ProviderLimit.objects.create(channel="email")
    ProviderLimit.objects.create(channel="email:2")

    deliveries.deliver_batch(
        Provider("transient"), clock=lambda: NOON, limit=1, provider_key="email:2"
    )

    assert dict(ProviderLimit.objects.values_list("channel", "failures")) == {
        "email": 0,
        "email:2": 1,
    }


class RecordingProvider(Provider):
    """A provider that keeps the messages that it got."""

    def send(self, messages, is_lease_open):
        self.messages = list(messages)
        yield from super().send(self.messages, is_lease_open)


def changes_address(message, state="pending"):
    """Store that a customer confirmed a new address, and that the change waits."""
    mailbox = Identifier.objects.get(kind="email", customer=message.customer_id)
    factories.customer(("email", "new@example.com"))
    added = Identifier.objects.get(kind="email", value="new@example.com")
    Identifier.objects.filter(pk=added.pk).update(proved_at=NOON)
    AddressChange.objects.create(
        holder_ids=[mailbox.pk], added=added, state=state, actor="customer", requested_at=NOON
    )


def test_service_message_goes_to_both_addresses_while_a_change_waits():
    changes_address(message := service())
    provider = RecordingProvider()

    round_(provider)

    [sent] = provider.messages
    message.refresh_from_db()
    assert (sent.to, sent.copies) == (message.address, ("new@example.com",))


@pytest.mark.parametrize("state", ["frozen", "applied", "cancelled"])
def test_new_address_gets_no_copy_unless_the_change_waits(state):
    changes_address(service(), state)
    provider = RecordingProvider()

    round_(provider)

    assert provider.messages[0].copies == ()


def test_offer_goes_to_one_address_while_a_change_waits():
    changes_address(offer())
    provider = RecordingProvider()

    round_(provider)

    assert provider.messages[0].copies == ()
