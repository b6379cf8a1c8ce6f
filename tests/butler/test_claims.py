"""The gate: what may leave, leaves once; what may not, stays, and says why."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from butler import failpoints
from butler.actions import claims, wall
from butler.models import BudgetUse, Decision, Delivery, Halt, Message, Task
from customers.actions.control import Word
from customers.models import Suppression
from tests import factories
from tests.butler import arrange
from tests.butler.arrange import AUTHOR, NOON

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _words():
    arrange.vocabulary()


def claim(*, channel="email", now=NOON, most=25, lease=10.0):
    return claims.claim(
        channel=channel, provider="sink", now=now, most=most, lease=lease, links=lambda one: {}
    )


def guest_who_consented(**facts):
    guest = arrange.guest(**facts)
    arrange.says(guest, "consent.given", "offers")
    return guest


def test_what_was_consented_to_leaves_with_its_address_and_words():
    guest = guest_who_consented(email="noor@example.com")
    message = arrange.message(guest)

    claimed = claim()

    (leaving,) = claimed.leaving
    assert (leaving.message, leaving.address) == (message.id, "noor@example.com")
    assert leaving.subject == "For you"
    message.refresh_from_db()
    assert (message.state, message.attempts) == ("sending", 1)
    delivery = Delivery.objects.get()
    guest.refresh_from_db()
    assert (delivery.message_id, delivery.outcome) == (message.id, "")
    assert delivery.customer_version == guest.version
    assert Decision.objects.get(message_id=message.id).outcome == "send"


def test_what_was_never_asked_for_stays_and_says_why():
    message = arrange.message(arrange.guest())

    assert claim().leaving == []

    message.refresh_from_db()
    assert (message.state, message.reason) == ("suppressed", "no_consent")
    decision = Decision.objects.get(message_id=message.id)
    assert (decision.outcome, decision.code, decision.stage) == ("skip", "no_consent", "claim")
    assert not Delivery.objects.exists()


def test_a_withdrawal_between_judging_and_leaving_is_seen():
    guest = guest_who_consented()
    message = arrange.message(guest)
    arrange.says(guest, "consent.withdrawn", "offers", occurred_at=NOON - timedelta(minutes=5))

    assert claim().leaving == []

    message.refresh_from_db()
    assert message.reason == "consent_withdrawn"


def test_two_senders_never_get_the_same_message():
    for _ in range(8):
        arrange.message(guest_who_consented())
    got: list = []
    barrier = threading.Barrier(4)

    def take():
        barrier.wait()
        for _ in range(4):
            got.extend(one.message for one in claim(most=2).leaving)
        connection.close()

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(got) == len(set(got))
    got.extend(one.message for one in claim().leaving)
    assert len(set(got)) == 8


def test_a_message_of_somebody_who_is_held_waits_and_stands_in_nobodys_way():
    held, free = guest_who_consented(), guest_who_consented()
    first, second = arrange.message(held), arrange.message(free)
    got = []

    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM customers_customer WHERE id = %s FOR NO KEY UPDATE", [held.id]
            )

        def take():
            got.extend(one.message for one in claim().leaving)
            connection.close()

        thread = threading.Thread(target=take)
        thread.start()
        thread.join()

    assert got == [second.id]
    assert [one.message for one in claim().leaving] == [first.id]


def test_a_budget_is_taken_as_messages_leave_and_no_more_leave_than_it_allows():
    guest = guest_who_consented()
    arrange.says(guest, "preference.set", "budget", {"most": 1, "per": "day"}, channel="email")
    for _ in range(3):
        arrange.message(guest)

    assert len(claim().leaving) == 1

    assert BudgetUse.objects.get(scope="email:*").used == 1
    waiting = Message.objects.filter(state="queued")
    assert {one.reason for one in waiting} == {"budget_used"}
    assert all(one.not_before > NOON for one in waiting)


def test_an_address_that_bounced_gets_nothing():
    guest = guest_who_consented(email="gone@example.com")
    Suppression.objects.create(
        channel="email", address="gone@example.com", reason="bounced", since=NOON
    )
    message = arrange.message(guest)

    assert claim().leaving == []

    message.refresh_from_db()
    assert message.reason == "address_bounced"


def test_a_claimed_address_is_nowhere_to_write_to():
    mere = factories.customer(
        ("user_id", "somebody"),
        ("email", "victim@example.com"),
        by=factories.sender(trusted=False),
        email="victim@example.com",
    )
    message = arrange.message(mere, message_class="legal_duty", topic="orders")

    assert claim().leaving == []

    message.refresh_from_db()
    assert message.reason == "no_address"


def test_a_message_whose_time_is_over_ends_as_expired():
    message = arrange.message(guest_who_consented(), expires_at=NOON - timedelta(seconds=1))

    assert claim().leaving == []

    message.refresh_from_db()
    assert message.state == "expired"


def test_a_service_message_needs_something_live_and_not_a_word():
    guest = arrange.guest()
    relation = arrange.order(guest)
    facts = {"message_class": "service", "topic": "orders"}
    real = arrange.message(guest, relation=relation, **facts)
    made_up = arrange.message(guest, relation="order:NOT-THERE", **facts)
    none = arrange.message(guest, **facts)

    assert [one.message for one in claim().leaving] == [real.id]
    for message in (made_up, none):
        message.refresh_from_db()
        assert (message.state, message.reason) == ("suppressed", "no_relation")


@pytest.mark.parametrize("key", ["*", "visit-reminder"])
def test_a_switch_that_is_thrown_holds_from_the_next_claim_on(key):
    guest = guest_who_consented()
    Halt.objects.create(key=key, thrown_at=NOON, thrown_by="lin")
    message = arrange.message(guest, automation_id="visit-reminder")

    assert claim().leaving == []

    message.refresh_from_db()
    assert message.reason == "halted"


def test_quiet_hours_put_off_and_use_no_budget():
    guest = guest_who_consented(timezone="Europe/Amsterdam")
    arrange.says(guest, "preference.set", "quiet_hours", {"from": "11:00", "to": "13:00"})
    arrange.says(guest, "preference.set", "budget", {"most": 1, "per": "day"})
    message = arrange.message(guest)

    assert claim().leaving == []

    message.refresh_from_db()
    assert (message.state, message.reason) == ("queued", "quiet_hours")
    assert message.not_before == NOON + timedelta(hours=1)
    assert not BudgetUse.objects.exists()


def test_whoever_asked_for_a_person_meanwhile_is_left_to_one():
    guest = arrange.guest()
    arrange.says(guest, "consent.given", "birthdays")
    facts = {"message_class": "relationship", "topic": "birthdays", "purpose": "birthdays"}
    message = arrange.message(guest, **facts)
    arrange.says(guest, "preference.set", "person_first", True)

    assert claim().leaving == []

    message.refresh_from_db()
    assert (message.state, message.reason) == ("suppressed", "person_first")
    task = Task.objects.get(customer_id=guest.id)
    assert (task.title, task.body) == ("For you", "An afternoon at Larkmoor.")
    assert Decision.objects.get(message_id=message.id).outcome == "person"


def test_a_claim_costs_as_many_statements_for_one_as_for_many(count_statements):
    def counted(many):
        for _ in range(many):
            arrange.message(guest_who_consented())
        with count_statements() as statements:
            assert len(claim(most=50).leaving) == many
        # The rules are kept for a second and read through the ORM.
        return [name for name in statements if " " not in name]

    assert counted(1) == counted(20)


def test_a_crash_before_the_commit_leaves_everything_as_it_was():
    guest = guest_who_consented()
    message = arrange.message(guest)

    class Crash(BaseException):
        pass

    def crash(name):
        raise Crash

    failpoints.set_hook(crash)
    try:
        with pytest.raises(Crash):
            claim()
    finally:
        failpoints.set_hook(None)

    message.refresh_from_db()
    assert message.state == "queued"
    assert not Delivery.objects.exists()
    assert not BudgetUse.objects.exists()
    assert len(claim().leaving) == 1


def test_a_withdrawal_waits_for_what_is_in_hand_and_says_that_it_left():
    guest = guest_who_consented()
    message = arrange.message(guest)
    (leaving,) = claim(lease=0.6).leaving
    words = [Word(kind="consent.withdrawn", subject="offers", evidence={"kind": "click"})]

    heard = wall.say(customer_id=guest.id, words=words, author=AUTHOR, now=NOON)

    # Nobody said what came of it, so the wait ended with the lease.
    assert [one.message_id for one in heard.left] == [message.id]
    assert heard.left[0].state == "sending"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT lease_until <= clock_timestamp() FROM butler_delivery WHERE id = %s",
            [leaving.delivery],
        )
        assert cursor.fetchone() == (True,)
