"""Phones that customers prove: their past, several holders, and what a removal leaves."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from customers import rebuild
from customers.actions import address_changes, refiling
from customers.identity import rebuilding
from customers.models import AddressChange, Identifier, Link, RefiledEvent, Suppression
from tests import texts
from tests.customers.graph import misplaced_identifiers
from tests.customers.identity.address_app import AddressApp, advance
from tests.customers.identity.calls import call
from tests.customers.identity.company import WireSource, are_one, email, record_of
from tests.customers.identity.signed_in import SignedIn

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("sent_texts", "unlimited_codes"),
]

BOX, OTHER_BOX = "noor@example.com", "bram@example.com"
PHONE, SECOND = "+31612345098", "+31612345101"


@pytest.fixture(autouse=True)
def _check_by_rebuild():
    """Check after each test that a rebuild would change nothing."""
    yield
    assert misplaced_identifiers() == []
    assert all(rebuild.find_differences(ids) == [] for ids in rebuild.live_ids())


@pytest.fixture
def shop():
    shop = WireSource("Shop", "site", ids="shop")
    shop.identify(1, "noor", email=BOX)
    shop.identify(1, "bram", email=OTHER_BOX)
    return shop


def phone(value: str = PHONE) -> Identifier:
    return Identifier.objects.filter(kind="phone", value=value, evidence=2).latest("period")


def calls_of(session: SignedIn) -> int:
    return session.timeline().count("Call Started")


def rebuilt():
    identifiers = dict(Identifier.objects.order_by("pk").values_list("pk", "customer_id"))
    return rebuilding.rebuild_identities(identifiers, now=timezone.now())


def test_proved_phone_is_hers_and_opens_its_past(shop):
    call("C-1", PHONE)
    noor = AddressApp(BOX)
    assert calls_of(noor) == 0

    assert noor.add(PHONE)["state"] == "current"

    assert calls_of(noor) == 1
    assert noor.states("phone") == {PHONE: "current"}
    assert are_one(("phone", PHONE), email(BOX))
    assert calls_of(SignedIn(BOX)) == 1
    assert rebuilt().changed == 0


def test_proved_phone_of_a_mailbox_without_account_is_hers():
    call("C-1", PHONE)
    noor = AddressApp(BOX)

    noor.add(PHONE)

    assert calls_of(SignedIn(BOX)) == 1
    assert are_one(("phone", PHONE), email(BOX))


def test_calls_are_filed_on_the_customer_who_proves_the_number(shop):
    call("C-1", PHONE)

    AddressApp(BOX).add(PHONE)

    refiled = RefiledEvent.objects.get()
    assert refiled.record_id == Identifier.objects.get(kind="email", value=BOX).record_id
    assert refiled.actor == "customer"


def test_stated_phone_of_another_account_goes_to_the_customer_who_proves_it(shop):
    shop.identify(2, "bram", phone=PHONE)
    call("C-1", PHONE)

    AddressApp(BOX).add(PHONE)

    assert calls_of(SignedIn(OTHER_BOX)) == 0
    assert are_one(("phone", PHONE), email(BOX))


def test_two_who_proved_a_phone_see_what_was_filed_on_each(shop):
    call("C-1", PHONE, hour=1)
    noor, bram = AddressApp(BOX), AddressApp(OTHER_BOX)
    noor.add(PHONE)
    bram.add(PHONE)
    call("C-2", PHONE, hour=2)

    assert (calls_of(SignedIn(BOX)), calls_of(SignedIn(OTHER_BOX))) == (1, 0)
    assert phone().is_shared

    event = _event_of("C-2")
    refiling.refile_events(
        events=[event], identifier=("email", OTHER_BOX), reason="Bram's", actor="staff:lin",
        now=timezone.now(),
    )  # fmt: skip

    assert (calls_of(SignedIn(BOX)), calls_of(SignedIn(OTHER_BOX))) == (1, 1)
    assert calls_of(SignedIn(PHONE)) == 0
    assert noor.states("phone") == bram.states("phone") == {PHONE: "current"}
    assert rebuilt().changed == 0


def _event_of(number: str) -> tuple[object, int]:
    from customers.models import Event

    event = Event.objects.get(about=f"call:{number}")
    return event.customer_id, event.version


def test_customers_do_not_learn_who_else_has_the_number(shop):
    noor, bram = AddressApp(BOX), AddressApp(OTHER_BOX)
    noor.add(PHONE)
    bram.add(PHONE)

    answers = [
        session.get(path).content.decode()
        for session in (noor, SignedIn(PHONE))
        for path in ("", "addresses/", "accounts/", "timeline/")
    ]

    assert not any(OTHER_BOX in answer or "bram" in answer for answer in answers)


def test_account_that_only_states_the_mailbox_gets_no_phone_of_its_customer():
    """A stranger's account that states her mailbox opens with it; it does not get her number."""
    shop = WireSource("Shop", "site", ids="shop")
    shop.identify(1, "stranger", email=BOX)
    call("C-1", PHONE)

    AddressApp(BOX).add(PHONE)

    account = Identifier.objects.get(kind="user_id")
    proofs = Link.objects.filter(second=phone(), evidence=50) | Link.objects.filter(
        first=phone(), evidence=50
    )
    assert account.pk not in {end for link in proofs for end in (link.first_id, link.second_id)}


def test_session_that_proved_both_by_turns_opens_both(shop):
    """Signing in by phone and adding the mailbox is the same proof."""
    call("C-1", PHONE)
    session = AddressApp(PHONE)

    added = session.add(BOX)
    assert added["state"] == "separate"
    session.request("post", f"{added['id']}/join/", {})

    assert are_one(("phone", PHONE), email(BOX))
    assert calls_of(SignedIn(BOX)) == 1


def test_phone_session_adds_a_mailbox_before_another_phone():
    session = AddressApp(PHONE)

    answer = session.enter(*session.ask(SECOND))
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (
        409,
        "mailbox-required",
    )

    session.add("new@example.com")
    assert session.add(SECOND)["state"] == "current"


def test_phone_session_keeps_its_only_phone():
    session = AddressApp(PHONE)

    assert session.remove(PHONE).json()["type"].rpartition(":")[2] == "last-address"


def test_old_session_waits_three_days_to_add_a_phone(shop):
    noor = AddressApp(BOX)
    noor.add("noor.two@example.com")
    noor.age()

    added = noor.add(PHONE)

    assert added["state"] == "pending"
    assert {sent.to[0] for sent in mail.outbox[-2:]} == {BOX, "noor.two@example.com"}
    assert [text.number for text in texts.sent if "days" in text.body] == [PHONE]
    assert not are_one(("phone", PHONE), email(BOX))
    advance(73)
    assert are_one(("phone", PHONE), email(BOX))


def test_removed_phone_waits_unless_the_session_proved_it(shop):
    noor = AddressApp(BOX)
    noor.add(PHONE)

    assert AddressApp(BOX).remove(PHONE).status_code == 202
    AddressChange.objects.all().delete()
    assert noor.remove(PHONE).status_code == 204
    assert noor.states("phone") == {PHONE: "removed"}
    assert not are_one(("phone", PHONE), email(BOX))


def test_next_holder_of_a_removed_phone_gets_an_empty_past(shop):
    call("C-1", PHONE, hour=1)
    noor = AddressApp(BOX)
    noor.add(PHONE)
    call("C-2", PHONE, hour=2)
    session = AddressApp(PHONE)
    noor.remove(PHONE)

    assert not session.is_open()
    assert calls_of(SignedIn(PHONE)) == 0
    bram = AddressApp(OTHER_BOX)
    bram.add(PHONE)
    assert calls_of(bram) == calls_of(SignedIn(OTHER_BOX)) == 0
    assert calls_of(SignedIn(BOX)) == 1
    assert record_of(("phone", PHONE)) == record_of(email(OTHER_BOX))
    assert rebuilt().changed == 0


def test_replaced_phone_is_removed(shop):
    noor = AddressApp(BOX)
    noor.add(PHONE)

    noor.add(SECOND, replaces=PHONE)

    assert noor.states("phone") == {PHONE: "removed", SECOND: "current"}
    assert calls_of(SignedIn(PHONE)) == 0


def test_mailbox_does_not_replace_a_phone(shop):
    noor = AddressApp(BOX)
    noor.add(PHONE)

    noor.add("noor.two@example.com", replaces=PHONE)

    assert noor.states("phone") == {PHONE: "current"}


def test_phone_that_nobody_proved_keeps_its_past_when_it_is_removed(shop):
    """A stranger who states a number and takes it off does not close the past of its holder."""
    shop.identify(2, "bram", phone=PHONE)
    call("C-1", PHONE)
    bram = AddressApp(OTHER_BOX)

    bram.remove(PHONE)

    assert calls_of(SignedIn(PHONE)) == 1


def test_holder_who_proves_the_number_again_gets_her_calls_back(shop):
    noor = AddressApp(BOX)
    noor.add(PHONE)
    call("C-2", PHONE, hour=2)
    noor.remove(PHONE)

    noor.add(PHONE)

    assert calls_of(SignedIn(BOX)) == 1
    assert rebuilt().changed == 0


def test_code_lifts_a_bounce_of_the_phone(shop):
    Suppression.objects.create(channel="sms", address=PHONE, reason="bounced", since=timezone.now())

    AddressApp(BOX).add(PHONE)

    assert Suppression.objects.get().lifted_at is not None


def test_phone_session_changes_no_address_of_a_closed_account(shop):
    noor = AddressApp(BOX)
    noor.add(PHONE)
    session = AddressApp(PHONE)

    session.add(OTHER_BOX)

    assert noor.states() == {BOX: "current"}
    assert SignedIn(PHONE).identifiers() <= {f"phone {PHONE}"}


def test_change_of_a_phone_stops_by_its_link(shop):
    noor = AddressApp(BOX)
    noor.age()
    noor.add(PHONE)
    change = AddressChange.objects.get()

    address_changes.freeze(change.pk, phone().pk, now=timezone.now())
    advance(100)

    assert not are_one(("phone", PHONE), email(BOX))


def test_year_old_call_of_an_unproved_number_opens_to_its_first_proof(shop):
    call("C-1", PHONE, hour=-24 * 300)

    AddressApp(BOX).add(PHONE)

    assert calls_of(SignedIn(BOX)) == 1
    assert timezone.now() - timedelta(days=1) < RefiledEvent.objects.get().refiled_at
