"""Claims that come at once, and others who hold what they want: nobody waits, nothing goes twice."""

import threading

import pytest
from django.db import connection, transaction

from butler import failpoints
from butler.actions import dispatch_gate
from butler.models import Message
from customers.models import Customer
from tests.butler import arrange
from tests.butler.arrange import claim, guest_who_consented

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _vocabulary():
    arrange.vocabulary()


def test_concurrent_claims_never_return_the_same_message():
    for _ in range(8):
        arrange.message(guest_who_consented())
    claimed_ids: list = []
    barrier = threading.Barrier(4)

    def take():
        barrier.wait()
        for _ in range(4):
            claimed_ids.extend(outgoing.message_id for outgoing in claim(limit=2).outgoing)
        connection.close()

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(claimed_ids) == len(set(claimed_ids))
    claimed_ids.extend(outgoing.message_id for outgoing in claim().outgoing)
    assert len(set(claimed_ids)) == 8


def test_message_of_a_locked_customer_waits_and_blocks_no_other():
    locked_guest, free_guest = guest_who_consented(), guest_who_consented()
    first, second = arrange.message(locked_guest), arrange.message(free_guest)
    claimed_ids = []

    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT 1 FROM customers_customer WHERE id = %s FOR NO KEY UPDATE",
                [locked_guest.id],
            )

        def take():
            claimed_ids.extend(outgoing.message_id for outgoing in claim().outgoing)
            connection.close()

        thread = threading.Thread(target=take)
        thread.start()
        thread.join()

    assert claimed_ids == [second.id]
    assert [outgoing.message_id for outgoing in claim().outgoing] == [first.id]


def test_message_locked_by_another_sender_is_skipped():
    message = arrange.message(guest_who_consented())
    took: list = []

    def take():
        took.append(claim())
        connection.close()

    thread = threading.Thread(target=take)
    with transaction.atomic():
        Message.objects.select_for_update().get(id=message.id)
        thread.start()
        thread.join()

    assert (took[0].claimed_count, took[0].outgoing) == (0, ())


def test_claim_locks_only_the_customers_of_its_messages():
    arrange.message(guest_who_consented())
    other = guest_who_consented()
    free: list = []

    def look():
        with transaction.atomic():
            unlocked_customers = Customer.objects.select_for_update(skip_locked=True)
            free.extend(unlocked_customers.values_list("id", flat=True))
        connection.close()

    def hook(name):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()

    failpoints.set_hook(hook)
    try:
        claim()
    finally:
        failpoints.set_hook(None)

    assert free == [other.id]


def test_customer_merged_between_read_and_lock_waits_for_the_next_claim(monkeypatch):
    guest, other = guest_who_consented(), guest_who_consented()
    message = arrange.message(guest)
    hold = dispatch_gate._lock_customers

    def join_first(ids):
        Customer.objects.filter(id=guest.id).update(canonical_id=other.id)
        return hold(ids)

    monkeypatch.setattr(dispatch_gate, "_lock_customers", join_first)
    assert claim().skipped_count == 1
    monkeypatch.undo()

    assert [(outgoing.message_id, outgoing.customer_id) for outgoing in claim().outgoing] == [
        (message.id, other.id)
    ]
