"""Withdrawal: the answer names what was sent before, and waits for a delivery in flight."""

import time
from datetime import timedelta

import pytest
from django.db import connection

from butler.actions import dispatch_gate, withdrawal
from butler.models import Delivery, Message
from customers.consent.statements import ConsentStatement
from customers.models import Customer
from tests.butler import arrange
from tests.butler.arrange import AUTHOR, NOON

pytestmark = pytest.mark.django_db(transaction=True)
NO = ConsentStatement(kind="consent.withdrawn", subject="offers", evidence={"kind": "click"})


@pytest.fixture(autouse=True)
def _vocabulary():
    arrange.vocabulary()


def already_sent(guest, *words):
    return withdrawal.record_statements(
        customer_id=guest.id, statements=words or (NO,), author=AUTHOR, now=NOON, timeout=0.0
    ).sent_messages


def handed_over(guest, ago, **fields):
    at = NOON - timedelta(minutes=ago)
    fields = {"state": "accepted", "handed_over_at": at, "state_at": at} | fields
    return arrange.message(guest, **fields)


def test_lists_messages_of_the_last_hour_sent_or_uncertain_newest_first():
    guest = arrange.guest()
    first, last = handed_over(guest, 50), handed_over(guest, 10)
    maybe = handed_over(guest, 30, state="uncertain", handed_over_at=None)
    handed_over(guest, 61)
    arrange.message(guest)
    handed_over(arrange.guest(), 5)

    listed = already_sent(guest)

    assert [sent_message.message_id for sent_message in listed] == [last.id, maybe.id, first.id]
    assert listed[1].at == NOON - timedelta(minutes=30)
    assert listed[0].subject == last.subject


def test_lists_messages_of_a_record_that_was_merged_later():
    guest, other = arrange.guest(), arrange.guest()
    message = handed_over(guest, 5)
    Customer.objects.filter(id=guest.id).update(canonical_id=other.id)

    assert [sent_message.message_id for sent_message in already_sent(other)] == [message.id]


def test_lists_at_most_twenty_messages():
    guest = arrange.guest()
    for ago in range(21):
        handed_over(guest, ago)

    assert len(already_sent(guest)) == 20


@pytest.mark.parametrize(
    ("word", "purposes"),
    [
        (NO, {"offers"}),
        (
            ConsentStatement(kind="objection.made", subject="marketing", evidence={}),
            {"offers", "birthdays"},
        ),
        (
            ConsentStatement(kind="preference.set", subject="allow", value=False, channel="sms"),
            {"none"},
        ),
        (
            ConsentStatement(kind="preference.set", subject="allow", value=False, topic="offers"),
            {"offers"},
        ),
        (
            ConsentStatement(kind="preference.set", subject="allow", value=False),
            {"offers", "birthdays", "none"},
        ),
    ],
)
def test_lists_only_messages_that_the_statement_concerns(word, purposes):
    guest = arrange.guest()
    for purpose in ("offers", "birthdays"):
        handed_over(guest, 5, purpose=purpose, topic=purpose)
    handed_over(guest, 5, purpose="", topic="orders", channel="sms")

    assert {
        sent_message.purpose or "none" for sent_message in already_sent(guest, word)
    } == purposes


@pytest.fixture
def pauses(monkeypatch):
    """Return the list of the pauses of the withdrawal, in seconds. Each pause still takes place."""
    pauses = []
    sleep = time.sleep

    def pause(seconds):
        pauses.append(seconds)
        sleep(seconds)

    monkeypatch.setattr(withdrawal.time, "sleep", pause)
    return pauses


@pytest.mark.parametrize("is_joined", [False, True])
def test_waits_for_leased_deliveries_of_the_customer_only(pauses, is_joined):
    guest, other = arrange.guest(), arrange.guest()
    arrange.record_statement(guest, "consent.given", "offers")
    arrange.message(guest)
    dispatch_gate.claim(
        channel="email", provider="sink", now=NOON, limit=1, lease=0.4, links=lambda outgoing: {}
    )
    withdrawal.wait_for_deliveries(other.id)
    assert pauses == []
    if is_joined:
        Customer.objects.filter(id=guest.id).update(canonical_id=other.id)

    withdrawal.wait_for_deliveries(other.id if is_joined else guest.id)

    with connection.cursor() as cursor:
        cursor.execute("SELECT lease_until <= clock_timestamp() FROM butler_delivery")
        assert cursor.fetchone() == (True,)


def test_does_not_wait_for_deliveries_with_an_outcome(pauses):
    guest = arrange.guest()
    arrange.record_statement(guest, "consent.given", "offers")
    message = arrange.message(guest)
    dispatch_gate.claim(
        channel="email", provider="x", now=NOON, limit=1, lease=30, links=lambda outgoing: {}
    )
    Delivery.objects.update(outcome="accepted")
    Message.objects.filter(id=message.id).update(state="accepted")

    withdrawal.wait_for_deliveries(guest.id)

    assert pauses == []
