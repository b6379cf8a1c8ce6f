"""Withdrawal is a wall: who says no hears what had left, and waits for what is in hand."""

import time
from datetime import timedelta

import pytest
from django.db import connection

from butler.actions import dispatch_gate, withdrawal
from butler.models import Delivery, Message
from customers.actions.consent import ConsentStatement
from customers.models import Customer
from tests.butler import arrange
from tests.butler.arrange import AUTHOR, NOON

pytestmark = pytest.mark.django_db(transaction=True)
NO = ConsentStatement(kind="consent.withdrawn", subject="offers", evidence={"kind": "click"})


@pytest.fixture(autouse=True)
def _words():
    arrange.vocabulary()


def left(guest, *words):
    return withdrawal.say(
        customer_id=guest.id, words=words or (NO,), author=AUTHOR, now=NOON, patience=0.0
    ).left


def gone(guest, ago, **facts):
    at = NOON - timedelta(minutes=ago)
    facts = {"state": "accepted", "handed_over_at": at, "state_at": at} | facts
    return arrange.message(guest, **facts)


def test_it_says_what_left_within_the_hour_and_what_may_have_the_newest_first():
    guest = arrange.guest()
    first, last = gone(guest, 50), gone(guest, 10)
    maybe = gone(guest, 30, state="uncertain", handed_over_at=None)
    gone(guest, 61)
    arrange.message(guest)
    gone(arrange.guest(), 5)

    heard = left(guest)

    assert [one.message_id for one in heard] == [last.id, maybe.id, first.id]
    assert heard[1].at == NOON - timedelta(minutes=30)
    assert heard[0].subject == last.subject


def test_it_says_what_left_for_a_record_that_was_joined_since():
    guest, other = arrange.guest(), arrange.guest()
    message = gone(guest, 5)
    Customer.objects.filter(id=guest.id).update(canonical_id=other.id)

    assert [one.message_id for one in left(other)] == [message.id]


def test_it_says_twenty_at_most():
    guest = arrange.guest()
    for ago in range(21):
        gone(guest, ago)

    assert len(left(guest)) == 20


@pytest.mark.parametrize(
    ("word", "told"),
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
def test_it_says_what_is_of_the_kind_that_is_not_wanted(word, told):
    guest = arrange.guest()
    for purpose in ("offers", "birthdays"):
        gone(guest, 5, purpose=purpose, topic=purpose)
    gone(guest, 5, purpose="", topic="orders", channel="sms")

    assert {one.purpose or "none" for one in left(guest, word)} == told


@pytest.mark.parametrize("is_joined", [False, True])
def test_it_waits_for_what_is_in_hand_and_for_nothing_else(is_joined):
    guest, other = arrange.guest(), arrange.guest()
    arrange.says(guest, "consent.given", "offers")
    arrange.message(guest)
    dispatch_gate.claim(
        channel="email", provider="sink", now=NOON, limit=1, lease=0.4, links=lambda one: {}
    )
    began = time.monotonic()
    withdrawal.wait(other.id)
    assert time.monotonic() - began < 0.2
    if is_joined:
        Customer.objects.filter(id=guest.id).update(canonical_id=other.id)

    withdrawal.wait(other.id if is_joined else guest.id)

    with connection.cursor() as cursor:
        cursor.execute("SELECT lease_until <= clock_timestamp() FROM butler_delivery")
        assert cursor.fetchone() == (True,)


def test_it_does_not_wait_for_what_was_settled():
    guest = arrange.guest()
    arrange.says(guest, "consent.given", "offers")
    message = arrange.message(guest)
    dispatch_gate.claim(
        channel="email", provider="x", now=NOON, limit=1, lease=30, links=lambda one: {}
    )
    Delivery.objects.update(outcome="accepted")
    Message.objects.filter(id=message.id).update(state="accepted")

    began = time.monotonic()
    withdrawal.wait(guest.id)

    assert time.monotonic() - began < 5
