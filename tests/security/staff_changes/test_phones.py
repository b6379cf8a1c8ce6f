"""A phone that staff give a customer needs two colleagues, and waits."""

import pytest

from customers.models import AddressChange
from tests.customers.identity.address_app import advance
from tests.customers.identity.company import record_of
from tests.security.staff_changes.conftest import BOX
from tests.security.test_address_changes import stop

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("unlimited_codes"),
]

PHONE = "+31612012345"


@pytest.fixture
def proposed_phone(noor, record, lin):
    answer = lin.propose(record, adds="06 12012345")
    assert (answer.status_code, answer.json()["adds"]) == (201, PHONE), answer.content
    return answer.json()["id"]


def test_phone_beside_a_proved_address_needs_a_second_colleague(proposed_phone, record):
    advance(200)

    assert AddressChange.objects.get().state == "proposed"
    assert record_of(("phone", PHONE)) != record


def test_phone_that_two_colleagues_gave_waits_and_then_is_hers(
    proposed_phone, record, kim, mailoutbox, sent_texts
):
    mailoutbox.clear()
    kim.decide(record, proposed_phone)

    assert [mail.to for mail in mailoutbox] == [[BOX]]
    assert [number for number, _ in sent_texts] == [PHONE]
    assert record_of(("phone", PHONE)) != record
    advance(73)
    assert record_of(("phone", PHONE)) == record


def test_holder_of_the_mailbox_stops_a_phone_of_staff(proposed_phone, record, kim, mailoutbox):
    kim.decide(record, proposed_phone)
    stop(BOX)

    advance(200)

    assert AddressChange.objects.get().state == "frozen"
    assert record_of(("phone", PHONE)) != record
