"""Which identifiers of an event count, and which one it is filed on."""

from datetime import timedelta

import msgspec
import pytest

from customers.identity import normalize
from customers.identity.identifier_keys import identifier_keys, stored_account
from customers.identity.identifier_warnings import find_warnings
from customers.identity.links import IdentifierKey
from customers.identity.non_identifiers import DEFAULT_FILE, NonIdentifiers
from customers.types import CLAIMED, VERIFIED, Sender
from tests.factories import NOON, incoming_event

SHOP = Sender(7, "Shop", "server", is_trusted=True, is_secret=True)
DESK = msgspec.structs.replace(SHOP, channel="store")
CONTRACTS = msgspec.structs.replace(SHOP, has_several_ids=True)
PAGE = Sender(7, "Shop", "site")
KIOSK = msgspec.structs.replace(PAGE, is_shared=True)
ALL = [
    ("device", "tablet"),
    ("order", "A-1"),
    ("phone", "+31612345679"),
    ("card", "C1"),
    ("email", "noor@larkmoor.nl"),
    ("external:crm", "9"),
    ("user_id", "noor"),
]


def keys(*named, by=SHOP, proved=None, at=NOON):
    event = msgspec.structs.replace(incoming_event(*named, at=at), proved_identifier=proved)
    return identifier_keys(event, by)


def kinds(*named, **fields):
    return [key.kind for key in keys(*named, **fields)]


def test_event_is_filed_on_account_mailbox_card_phone_order_device_in_this_order():
    assert kinds(*ALL) == [
        "user_id",
        "external:crm",
        "email",
        "card",
        "phone",
        "order",
        "device",
    ]


def test_contract_number_comes_between_card_and_phone():
    assert kinds(*ALL, by=CONTRACTS) == [
        "email",
        "card",
        "external:crm",
        "user_id",
        "phone",
        "order",
        "device",
    ]


def test_claim_is_filed_on_its_device_and_names_no_order():
    assert kinds(("user_id", "noor"), ("order", "A-1"), ("device", "tablet"), by=PAGE) == [
        "device",
        "user_id",
    ]
    assert {key.evidence for key in keys(("user_id", "noor"), by=PAGE)} == {CLAIMED}


def test_claim_of_an_order_alone_is_filed_on_the_claim():
    assert keys(("order", "A-1"), by=PAGE) == (IdentifierKey("order", "7/A-1", CLAIMED),)


def test_token_speaks_for_its_account_and_not_for_another_one():
    proved = ("user_id", "7/noor")

    assert keys(("user_id", "noor"), ("email", "sam@larkmoor.nl"), by=PAGE, proved=proved) == (
        IdentifierKey(*proved, VERIFIED),
        IdentifierKey("email", "sam@larkmoor.nl", CLAIMED),
    )


def test_secret_key_needs_no_token():
    assert keys(("user_id", "noor"), proved=("user_id", "7/sam")) == (
        IdentifierKey("user_id", "7/noor", VERIFIED),
    )


@pytest.mark.parametrize(
    ("value", "kind", "stored"),
    [
        ("Noor@larkmoor.nl", "email", "noor@larkmoor.nl"),
        ("+31 612345679", "phone", "+31612345679"),
        ("noor@nowhere@", "user_id", "7/noor@nowhere@"),
        ("+31noor", "user_id", "7/+31noor"),
        ("0612345679", "user_id", "7/0612345679"),
    ],
)
def test_user_id_that_is_spelled_like_an_address_is_that_address(value, kind, stored):
    assert keys(("user_id", value)) == (IdentifierKey(kind, stored, VERIFIED),)
    assert stored_account(value, SHOP) == (kind, stored)


@pytest.mark.parametrize("kind", ["external:crm", "card"])
def test_other_number_that_is_spelled_like_an_address_is_no_address(kind):
    assert kinds((kind, "noor1@larkmoor.nl")) == [kind]


def test_number_belongs_to_the_source_that_it_names():
    assert keys(("user_id:8", "noor"), ("order:9", "A-1"), ("external:crm:5", "7")) == (
        IdentifierKey("user_id", "8/noor", VERIFIED),
        IdentifierKey("external:crm", "5/7", VERIFIED),
        IdentifierKey("order", "9/A-1", VERIFIED),
    )


def test_device_of_a_kiosk_holds_for_one_day_and_no_page_can_name_it():
    [device] = keys(("device", "tablet"), by=KIOSK)

    assert device.value == "tablet@7/2026-11-21"
    assert keys(("device", "tablet"), by=KIOSK, at=NOON + timedelta(days=1)) != (device,)
    assert keys(("device", device.value), by=PAGE) == ()
    assert keys(("device", device.value)) == (device,)


@pytest.fixture
def _company_addresses(monkeypatch):
    rules = NonIdentifiers(own_addresses=["Larkmoor.nl"]).add(DEFAULT_FILE)
    monkeypatch.setattr(normalize, "_non_identifiers", rules)
    normalize.normalize.cache_clear()


def test_new_values_that_identify_nobody_hold_at_once():
    rules = normalize.current_rules()
    assert stored_account("nobody-1", SHOP)
    try:
        normalize.set_non_identifiers(NonIdentifiers(own_addresses=[]).add(DEFAULT_FILE))
        assert normalize.current_rules() is not rules
    finally:
        normalize.set_non_identifiers(rules)


def test_words_of_external_numbers_hold_for_all_systems(tmp_path):
    file = tmp_path / "rules.toml"
    file.write_text('[external]\nwords = ["nobody"]', encoding="utf-8")

    assert NonIdentifiers().add(file).matches("external:crm", "nobody")


def test_card_with_letters_before_a_row_of_digits_is_a_card():
    assert kinds(("card", "LF1234567")) == ["card"]
    assert kinds(("card", "1234567")) == []


@pytest.mark.usefixtures("_company_addresses")
@pytest.mark.parametrize(("sender", "codes"), [(DESK, ["non_identifier"]), (SHOP, [])])
def test_source_reads_about_the_address_of_the_company_that_its_desk_typed(sender, codes):
    event = incoming_event(("email", "info@larkmoor.nl"))

    assert [warning.code for warning in find_warnings([event], sender)] == codes


@pytest.mark.usefixtures("_company_addresses")
def test_address_of_the_company_from_a_desk_identifies_nobody():
    address = "info@larkmoor.nl"

    assert keys(("email", address), ("card", "C1"), by=DESK) == (
        IdentifierKey("card", "C1", VERIFIED),
    )
    assert stored_account(address, DESK) is None
    assert keys(("email", address)) == (IdentifierKey("email", address, VERIFIED),)
    assert stored_account(address, SHOP) == ("email", address)


@pytest.mark.parametrize("number", ["guest", "", "{{ user.id }}"])
def test_number_that_stands_for_nobody_is_no_account(number):
    assert stored_account(number, SHOP) is None
