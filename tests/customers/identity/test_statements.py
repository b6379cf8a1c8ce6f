"""The links that one event states between its identifiers."""

from datetime import timedelta

import msgspec
import pytest

from customers.identity.links import IdentifierKey, LinkKind
from customers.identity.statements import StatedEvent, links_of
from customers.types import (
    ACCOUNT_OPENED,
    ADDRESS_CONFIRMED,
    BUTLER_SOURCE_ID,
    CLAIMED,
    CONFIRMED,
    NOTED,
    OPENED,
    STATED,
    VERIFIED,
    Sender,
)
from tests.factories import NOON, identify, incoming_event, order

SHOP = Sender(7, "Shop", "server", is_trusted=True, is_secret=True)
ISSUER = msgspec.structs.replace(SHOP, addresses="checked")
CONTRACTS = msgspec.structs.replace(SHOP, has_several_ids=True)
BUTLER = msgspec.structs.replace(SHOP, source_id=BUTLER_SOURCE_ID)
PAGE = Sender(7, "Shop", "site")
KIOSK = msgspec.structs.replace(PAGE, is_shared=True)
ACCOUNT = IdentifierKey("user_id", "7/noor", VERIFIED)
EARLIER = IdentifierKey("user_id", "7/earlier", VERIFIED)
CRM = IdentifierKey("external:crm", "7/9", VERIFIED)
MAILBOX = IdentifierKey("email", "noor@larkmoor.nl", VERIFIED)
CARD = IdentifierKey("card", "C-1", VERIFIED)
PHONE = IdentifierKey("phone", "+31612345679", VERIFIED)
DEVICE = IdentifierKey("device", "phone", CLAIMED)
PLACED = IdentifierKey("order", "7/A-1", VERIFIED)
FOREIGN = IdentifierKey("order", "8/A-1", VERIFIED)
CLAIM = MAILBOX._replace(evidence=CLAIMED)

VISIT = incoming_event(name="Ride Entered")
ALIAS = incoming_event(kind="alias")


def linked(event, keys, sender=SHOP):
    """Return the links of an event: (first, second, kind, evidence)."""
    return {tuple(link) for link in links_of([StatedEvent(event, tuple(keys), 1)], sender)}


@pytest.mark.parametrize(
    ("event", "evidence"),
    [
        pytest.param(identify(), STATED, id="an identify states"),
        pytest.param(
            identify(email_verified=True), CONFIRMED, id="a verified address is confirmed"
        ),
        pytest.param(VISIT, NOTED, id="an event only notes"),
        pytest.param(order("A-1"), NOTED, id="an order only notes"),
    ],
)
def test_address_of_an_event_has_the_evidence_of_its_kind(event, evidence):
    assert linked(event, [ACCOUNT, MAILBOX]) == {(ACCOUNT, MAILBOX, LinkKind.TOGETHER, evidence)}


def test_verified_address_of_an_order_is_still_only_noted():
    event = msgspec.structs.replace(order("A-1"), traits={"email_verified": True})

    assert linked(event, [ACCOUNT, MAILBOX], ISSUER) == {
        (ACCOUNT, MAILBOX, LinkKind.TOGETHER, NOTED)
    }


@pytest.mark.parametrize(("sender", "evidence"), [(BUTLER, OPENED), (SHOP, NOTED)])
def test_only_butler_says_that_a_code_opened_an_account(sender, evidence):
    event = incoming_event(name=ACCOUNT_OPENED)

    assert linked(event, [ACCOUNT, MAILBOX], sender) == {
        (ACCOUNT, MAILBOX, LinkKind.TOGETHER, evidence)
    }


@pytest.mark.parametrize(
    ("event", "kind"), [(ALIAS, LinkKind.ALIAS), (identify(), LinkKind.TOGETHER)]
)
def test_only_an_alias_says_that_two_user_ids_are_one_account(event, kind):
    assert linked(event, [ACCOUNT, EARLIER]) == {(ACCOUNT, EARLIER, kind, STATED)}


def test_external_number_in_an_alias_is_beside_the_user_id():
    assert linked(ALIAS, [ACCOUNT, CRM]) == {(ACCOUNT, CRM, LinkKind.TOGETHER, STATED)}


@pytest.mark.parametrize(
    ("event", "sender", "evidence"),
    [
        pytest.param(identify(), SHOP, STATED, id="an identify states it"),
        pytest.param(order("A-1"), SHOP, NOTED, id="an order may name a friend's"),
        pytest.param(
            msgspec.structs.replace(identify(), name=ADDRESS_CONFIRMED),
            BUTLER,
            CONFIRMED,
            id="she proved both in one session",
        ),
    ],
)
def test_phone_of_an_event_has_the_evidence_of_its_kind(event, sender, evidence):
    assert linked(event, [ACCOUNT, PHONE], sender) == {
        (ACCOUNT, PHONE, LinkKind.TOGETHER, evidence)
    }


@pytest.mark.parametrize(("sender", "evidence"), [(SHOP, STATED), (ISSUER, CONFIRMED)])
def test_source_that_checks_addresses_confirms_the_cards_that_it_issued(sender, evidence):
    assert linked(VISIT, [ACCOUNT, CARD], sender) == {(ACCOUNT, CARD, LinkKind.TOGETHER, evidence)}


def test_card_and_device_hang_on_the_account_of_the_event():
    assert linked(identify(), [ACCOUNT, MAILBOX, CARD, DEVICE]) == {
        (ACCOUNT, MAILBOX, LinkKind.TOGETHER, STATED),
        (ACCOUNT, CARD, LinkKind.TOGETHER, STATED),
        (ACCOUNT, DEVICE, LinkKind.TOGETHER, STATED),
    }


def test_contract_number_hangs_on_the_mailbox_of_the_event():
    assert linked(identify(), [MAILBOX, ACCOUNT], CONTRACTS) == {
        (MAILBOX, ACCOUNT, LinkKind.TOGETHER, STATED)
    }


def test_card_hangs_on_a_mailbox_and_a_phone_on_a_card():
    assert linked(identify(), [MAILBOX, CARD]) == {(MAILBOX, CARD, LinkKind.TOGETHER, STATED)}
    assert linked(identify(), [CARD, PHONE]) == {(CARD, PHONE, LinkKind.TOGETHER, STATED)}


@pytest.mark.parametrize(
    ("event", "kind"), [(order("A-1"), LinkKind.PLACED), (VISIT, LinkKind.TOGETHER)]
)
def test_order_is_linked_with_the_strongest_person_alone(event, kind):
    order_links = {link for link in linked(event, [ACCOUNT, CARD, PLACED]) if PLACED in link}

    assert order_links == {(ACCOUNT, PLACED, kind, NOTED)}


def test_order_of_another_source_is_linked_with_nobody():
    assert linked(order("A-1"), [ACCOUNT, FOREIGN]) == set()


def test_event_with_a_publishable_key_only_claims():
    assert linked(identify(), [DEVICE, CLAIM], PAGE) == {
        (DEVICE, CLAIM, LinkKind.TOGETHER, CLAIMED)
    }


def test_claim_of_two_devices_states_none_of_them():
    browser = DEVICE._replace(kind="anonymous_id")

    assert linked(VISIT, [browser, DEVICE], PAGE) == {(browser, DEVICE, LinkKind.TOGETHER, CLAIMED)}


@pytest.mark.parametrize(("sender", "evidence"), [(PAGE, STATED), (KIOSK, NOTED)])
def test_signed_in_customer_has_the_device_and_only_claims_the_rest(sender, evidence):
    assert linked(VISIT, [ACCOUNT, DEVICE, CLAIM], sender) == {
        (ACCOUNT, DEVICE, LinkKind.TOGETHER, evidence),
        (ACCOUNT, CLAIM, LinkKind.TOGETHER, CLAIMED),
    }


def test_device_before_the_account_of_a_token_is_no_reason_to_doubt_the_account():
    assert linked(VISIT, [DEVICE, ACCOUNT], PAGE) == {(ACCOUNT, DEVICE, LinkKind.TOGETHER, STATED)}


def test_link_has_the_earliest_time_and_that_of_its_last_statement():
    days = [NOON + timedelta(days=number) for number in (2, 0, 1)]
    stated = [
        StatedEvent(identify(at=day), (ACCOUNT, MAILBOX), arrival)
        for arrival, day in enumerate(days, 1)
    ]

    [time] = links_of(stated, SHOP).values()

    assert time == (NOON, 2, days[0])


def test_event_that_stands_for_several_has_the_time_of_the_last_one():
    last = NOON + timedelta(days=9)
    stated = StatedEvent(identify(at=NOON), (ACCOUNT, MAILBOX), 1, repeated_at=last)

    [time] = links_of([stated], SHOP).values()

    assert time == (NOON, 1, last)


def test_event_with_one_identifier_links_nothing():
    assert linked(identify(), [ACCOUNT]) == set()
