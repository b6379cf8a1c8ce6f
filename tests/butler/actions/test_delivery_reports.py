"""Reports of providers: every order of arrival comes to the same end."""

import uuid
from datetime import timedelta
from itertools import permutations

import pytest

from butler.actions import delivery_reports
from butler.messages.delivery_reports import DeliveryReport
from butler.models import Delivery, DeliveryReceipt, Message
from customers.models import ConsentState, Event, Suppression
from tests.butler.arrange import NOON, guest, message, vocabulary

pytestmark = pytest.mark.django_db


def sent(outcome: str = "accepted", **fields) -> Message:
    """A message that was handed over, with what came of it."""
    vocabulary()
    state = outcome or "sending"
    sent_message = message(guest(), state=state, address="noor@example.com", attempts=1, **fields)
    attempt(sent_message, outcome, number=1)
    return sent_message


def attempt(message: Message, outcome: str, number: int, provider_id: str = "") -> Delivery:
    return Delivery.objects.create(
        message=message,
        number=number,
        customer_id=message.customer_id,
        channel=message.channel,
        provider="relay",
        customer_version=1,
        claimed_at=NOON,
        lease_until=NOON,
        outcome=outcome,
        provider_id=provider_id,
    )


def report(message: Message, kind: str, **fields) -> DeliveryReport:
    defaults = {
        "event_id": f"{message.pk}:{kind}",
        "message_id": str(message.pk),
        "occurred_at": NOON,
    }
    return DeliveryReport(**{**defaults, "kind": kind, **fields})


def take_in(*reports: DeliveryReport) -> int:
    return delivery_reports.store_reports(
        provider="relay", channel="email", reports=reports, now=NOON + timedelta(minutes=1)
    )


def events(message: Message) -> list[str]:
    return sorted(
        Event.objects.filter(customer_id=message.customer_id, kind="message").values_list(
            "name", flat=True
        )
    )


def observable_state(message: Message) -> tuple:
    """Return all that reports can change, without the values that differ between guests."""
    message.refresh_from_db()
    return (
        message.state,
        message.reason,
        list(Delivery.objects.filter(message=message).values_list("outcome", flat=True)),
        sorted(Suppression.objects.values_list("channel", "reason")),
        events(message),
        list(
            ConsentState.objects.filter(customer=message.customer_id).values_list(
                "objected", flat=True
            )
        ),
    )


def test_report_changes_the_state_of_its_message():
    message = sent()

    assert take_in(report(message, "delivered")) == 1

    message.refresh_from_db()
    assert message.state == "delivered"


def test_repeated_report_has_no_effect():
    message = sent()

    take_in(report(message, "bounced", detail="5.1.1"))
    before = observable_state(message)
    take_in(report(message, "bounced", detail="5.1.1"))

    assert DeliveryReceipt.objects.count() == 1
    assert observable_state(message) == before
    assert events(message) == ["Message Bounced"]


def test_report_resolves_an_uncertain_delivery():
    message = sent("uncertain")

    take_in(report(message, "accepted", provider_id="SM1"))

    assert observable_state(message)[0] == "accepted"
    assert list(Delivery.objects.values_list("outcome", "provider_id")) == [("accepted", "SM1")]


def test_bounced_address_gets_no_further_message():
    message = sent()

    take_in(report(message, "bounced", detail="5.1.1"))

    suppression = Suppression.objects.get()
    assert (suppression.channel, suppression.address, suppression.reason) == (
        "email",
        "noor@example.com",
        "bounced",
    )
    assert observable_state(message)[:2] == ("bounced", "5.1.1")


def test_single_failure_does_not_suppress_the_address():
    message = sent()

    take_in(report(message, "failed", detail="30003"))

    assert observable_state(message)[0] == "failed"
    assert not Suppression.objects.exists()


def test_complaint_records_an_objection_to_all_marketing():
    message = sent()

    take_in(report(message, "complained"))

    assert ConsentState.objects.get(customer=message.customer_id).objected == ["marketing"]
    assert Suppression.objects.get().reason == "complained"
    assert events(message) == ["Message Complained"]


def test_early_report_waits_for_the_outcome_of_its_delivery():
    message = sent("")

    assert take_in(report(message, "delivered")) == 0
    assert observable_state(message)[0] == "sending"

    Delivery.objects.update(outcome="accepted")
    Message.objects.update(state="accepted")
    deliveries = list(Delivery.objects.values_list("pk", flat=True))
    assert delivery_reports.apply_reports_of_deliveries(deliveries, now=NOON) == 1
    assert observable_state(message)[0] == "delivered"
    assert delivery_reports.apply_reports_of_deliveries(deliveries, now=NOON) == 0


def test_report_by_provider_id_waits_until_that_id_is_stored():
    message = sent("")
    report_by_provider_id = DeliveryReport("e1", "delivered", NOON, provider_id="SM7")

    assert take_in(report_by_provider_id) == 0

    Delivery.objects.update(outcome="accepted", provider_id="SM7")
    assert delivery_reports.apply_reports_of_deliveries([Delivery.objects.get().pk], now=NOON) == 1
    assert observable_state(message)[0] == "delivered"


def test_sweep_applies_waiting_reports():
    message = sent("")
    take_in(DeliveryReport("e1", "delivered", NOON, provider_id="SM7"))
    Delivery.objects.update(outcome="accepted", provider_id="SM7")

    assert delivery_reports.apply_waiting_reports(now=NOON) == 1
    assert observable_state(message)[0] == "delivered"


def test_report_about_an_unknown_message_changes_no_message():
    message = sent()
    before = observable_state(message)

    assert take_in(DeliveryReport("e1", "bounced", NOON, message_id=str(uuid.uuid4()))) == 0
    assert take_in(DeliveryReport("e2", "bounced", NOON, provider_id="nobody's")) == 0
    assert take_in(report(message, "something-new")) == 0
    assert take_in() == 0
    assert observable_state(message) == before


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
def test_reordered_repeated_or_early_reports_lead_to_the_same_state(kinds, outcome):
    final_states = []
    for order in permutations((*kinds, "outcome")):
        Suppression.objects.all().delete()
        message = sent("")
        for step in order:
            if step == "outcome":
                Delivery.objects.filter(message=message).update(outcome=outcome)
                Message.objects.filter(pk=message.pk).update(state=outcome)
                mine = Delivery.objects.filter(message=message).values_list("pk", flat=True)
                delivery_reports.apply_reports_of_deliveries(list(mine), now=NOON)
            else:
                take_in(report(message, step))
                take_in(report(message, step), report(message, step))
        final_states.append(observable_state(message))

    assert len(final_states) == 24
    assert all(state == final_states[0] for state in final_states)
