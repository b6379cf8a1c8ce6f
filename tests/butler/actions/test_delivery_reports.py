"""Reports of providers: every order of arrival comes to the same end."""

import uuid
from datetime import timedelta
from itertools import permutations

import pytest

from butler.actions import delivery_reports
from butler.messages.delivery_reports import DeliveryReport
from butler.models import Delivery, DeliveryReceipt, Message
from customers.models import Control, Event, Suppression
from tests.butler.arrange import NOON, guest, message, vocabulary

pytestmark = pytest.mark.django_db


def sent(outcome: str = "accepted", **facts) -> Message:
    """A message that was handed over, with what came of it."""
    vocabulary()
    state = outcome or "sending"
    one = message(guest(), state=state, address="noor@example.com", attempts=1, **facts)
    attempt(one, outcome, number=1)
    return one


def attempt(one: Message, outcome: str, number: int, provider_id: str = "") -> Delivery:
    return Delivery.objects.create(
        message=one,
        number=number,
        customer_id=one.customer_id,
        channel=one.channel,
        provider="relay",
        customer_version=1,
        claimed_at=NOON,
        lease_until=NOON,
        outcome=outcome,
        provider_id=provider_id,
    )


def said(one: Message, kind: str, **facts) -> DeliveryReport:
    known = {"event_id": f"{one.pk}:{kind}", "message_id": str(one.pk), "occurred_at": NOON}
    return DeliveryReport(**{**known, "kind": kind, **facts})


def take_in(*reports: DeliveryReport) -> int:
    return delivery_reports.record(
        provider="relay", channel="email", reports=reports, now=NOON + timedelta(minutes=1)
    )


def events(one: Message) -> list[str]:
    return sorted(
        Event.objects.filter(customer_id=one.customer_id, kind="message").values_list(
            "name", flat=True
        )
    )


def end(one: Message) -> tuple:
    """Everything that reports can change, without what differs from one guest to another."""
    one.refresh_from_db()
    return (
        one.state,
        one.reason,
        list(Delivery.objects.filter(message=one).values_list("outcome", flat=True)),
        sorted(Suppression.objects.values_list("channel", "reason")),
        events(one),
        list(Control.objects.filter(customer=one.customer_id).values_list("objected", flat=True)),
    )


def test_a_report_moves_the_message_it_is_about():
    one = sent()

    assert take_in(said(one, "delivered")) == 1

    one.refresh_from_db()
    assert one.state == "delivered"


def test_the_same_report_twice_is_one():
    one = sent()

    take_in(said(one, "bounced", detail="5.1.1"))
    before = end(one)
    take_in(said(one, "bounced", detail="5.1.1"))

    assert DeliveryReceipt.objects.count() == 1
    assert end(one) == before
    assert events(one) == ["Message Bounced"]


def test_a_report_proves_what_nobody_knew():
    one = sent("uncertain")

    take_in(said(one, "accepted", provider_id="SM1"))

    assert end(one)[0] == "accepted"
    assert list(Delivery.objects.values_list("outcome", "provider_id")) == [("accepted", "SM1")]


def test_a_dead_address_gets_nothing_any_more():
    one = sent()

    take_in(said(one, "bounced", detail="5.1.1"))

    found = Suppression.objects.get()
    assert (found.channel, found.address, found.reason) == ("email", "noor@example.com", "bounced")
    assert end(one)[:2] == ("bounced", "5.1.1")


def test_what_failed_once_does_not_close_the_address():
    one = sent()

    take_in(said(one, "failed", detail="30003"))

    assert end(one)[0] == "failed"
    assert not Suppression.objects.exists()


def test_a_complaint_is_an_objection_to_all_marketing():
    one = sent()

    take_in(said(one, "complained"))

    assert Control.objects.get(customer=one.customer_id).objected == ["marketing"]
    assert Suppression.objects.get().reason == "complained"
    assert events(one) == ["Message Complained"]


def test_a_report_that_comes_early_waits_for_the_outcome():
    one = sent("")

    assert take_in(said(one, "delivered")) == 0
    assert end(one)[0] == "sending"

    Delivery.objects.update(outcome="accepted")
    Message.objects.update(state="accepted")
    deliveries = list(Delivery.objects.values_list("pk", flat=True))
    assert delivery_reports.apply_waiting(deliveries, now=NOON) == 1
    assert end(one)[0] == "delivered"
    assert delivery_reports.apply_waiting(deliveries, now=NOON) == 0


def test_a_report_that_names_it_as_the_provider_does_waits_for_the_name():
    one = sent("")
    told = DeliveryReport("e1", "delivered", NOON, provider_id="SM7")

    assert take_in(told) == 0

    Delivery.objects.update(outcome="accepted", provider_id="SM7")
    assert delivery_reports.apply_waiting([Delivery.objects.get().pk], now=NOON) == 1
    assert end(one)[0] == "delivered"


def test_what_was_left_waiting_is_found_later():
    one = sent("")
    take_in(DeliveryReport("e1", "delivered", NOON, provider_id="SM7"))
    Delivery.objects.update(outcome="accepted", provider_id="SM7")

    assert delivery_reports.sweep(now=NOON) == 1
    assert end(one)[0] == "delivered"


def test_a_report_about_nothing_of_ours_changes_nothing():
    one = sent()
    before = end(one)

    assert take_in(DeliveryReport("e1", "bounced", NOON, message_id=str(uuid.uuid4()))) == 0
    assert take_in(DeliveryReport("e2", "bounced", NOON, provider_id="nobody's")) == 0
    assert take_in(said(one, "something-new")) == 0
    assert take_in() == 0
    assert end(one) == before


@pytest.mark.slow
@pytest.mark.parametrize(
    "kinds",
    [
        ("accepted", "delivered", "bounced"),
        ("delivered", "complained", "deferred"),
        ("failed", "stopped", "accepted"),
        ("bounced", "complained", "failed"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("outcome", ["accepted", "uncertain"])
def test_every_order_doubled_and_early_comes_to_the_same_end(kinds, outcome):
    ends = []
    for order in permutations((*kinds, "outcome")):
        Suppression.objects.all().delete()
        one = sent("")
        for step in order:
            if step == "outcome":
                Delivery.objects.filter(message=one).update(outcome=outcome)
                Message.objects.filter(pk=one.pk).update(state=outcome)
                mine = Delivery.objects.filter(message=one).values_list("pk", flat=True)
                delivery_reports.apply_waiting(list(mine), now=NOON)
            else:
                take_in(said(one, step))
                take_in(said(one, step), said(one, step))
        ends.append(end(one))

    assert len(ends) == 24
    assert all(one == ends[0] for one in ends)
