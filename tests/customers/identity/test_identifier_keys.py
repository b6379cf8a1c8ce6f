"""Identifiers that were read before are read again from a cache, which must never be wrong."""

from datetime import timedelta

import msgspec
import pytest

from customers.identity import normalize
from customers.identity.identifier_keys import identifier_keys
from customers.identity.links import IdentifierKey
from customers.identity.non_identifiers import DEFAULT_FILE, NonIdentifiers
from customers.identity.short_text_cache import ShortTextCache
from customers.identity.statements import LinkStatement, StatedEvent, links_of
from customers.types import CLAIMED, CONFIRMED, NOTED, STATED, VERIFIED, Sender
from tests import factories
from tests.factories import NOON

SHOP = Sender(7, "Shop", "server", is_trusted=True, is_secret=True)
TILL = msgspec.structs.replace(SHOP, is_shared=True)
PAGE = Sender(7, "Shop", "site")
DESK = msgspec.structs.replace(SHOP, channel="store")
MAILBOX = ("email", "noor@larkmoor.example")
NOOR = IdentifierKey("user_id", "7/noor", VERIFIED)


def test_same_identifiers_are_read_anew_for_another_source():
    event = factories.incoming_event(("user_id", "noor"))

    assert identifier_keys(event, SHOP) == (NOOR,)
    assert identifier_keys(event, msgspec.structs.replace(SHOP, source_id=8)) == (
        NOOR._replace(value="8/noor"),
    )


def test_same_device_of_a_kiosk_is_another_identifier_on_another_day():
    days = [NOON, NOON + timedelta(days=1)]
    events = [factories.incoming_event(("device", "tablet"), at=day) for day in days]

    keys = [identifier_keys(event, TILL)[0].value for event in events]

    assert keys == [f"tablet@7/{day:%Y-%m-%d}" for day in days]


def test_device_of_a_page_is_filed_on_the_customer_of_each_token():
    event = factories.incoming_event(("device", "phone"))
    named = [
        msgspec.structs.replace(event, proved_identifier=proved)
        for proved in (None, ("user_id", "7/noor"), ("user_id", "7/sam"))
    ]

    primary = [identifier_keys(event, PAGE)[0] for event in named]

    device = IdentifierKey("device", "phone", CLAIMED)
    assert primary == [device, NOOR, NOOR._replace(value="7/sam")]


def test_address_that_becomes_one_of_the_company_identifies_nobody_any_more(monkeypatch):
    event = factories.incoming_event(MAILBOX)
    assert identifier_keys(event, DESK) == (IdentifierKey(*MAILBOX, VERIFIED),)
    rules = NonIdentifiers(allows_reserved_domains=True, own_addresses=["larkmoor.example"])

    monkeypatch.setattr(normalize, "_non_identifiers", rules.add(DEFAULT_FILE))

    assert identifier_keys(event, DESK) == ()


@pytest.mark.parametrize(
    ("kind", "traits", "evidence"),
    [
        ("identify", {}, STATED),
        ("identify", {"email_verified": True}, CONFIRMED),
        # JSON has numbers, too: 1 equals True in Python.
        ("identify", {"email_verified": 1}, STATED),
        ("identify", {"email_verified": [True]}, STATED),
        ("identify", {"email_verified": False}, NOTED),
        ("track", None, NOTED),
    ],
)
def test_same_identifiers_are_linked_by_what_each_event_says(kind, traits, evidence):
    event = factories.incoming_event(("user_id", "noor"), MAILBOX)
    event = msgspec.structs.replace(event, kind=kind, traits=traits)
    keys = identifier_keys(event, SHOP)

    links = links_of([StatedEvent(event, keys, 1)], SHOP)

    assert list(links) == [LinkStatement(NOOR, IdentifierKey(*MAILBOX, VERIFIED), "seen", evidence)]


def test_long_texts_are_not_cached():
    cache = ShortTextCache()

    assert cache.store("short", 1, length=200) == 1
    assert cache.store("long", 2, length=201) == 2

    assert cache == {"short": 1}


def test_full_cache_starts_again():
    cache = ShortTextCache()
    for number in range(10_000):
        cache.store(number, number, length=5)
    assert len(cache) == 10_000

    cache.store(10_000, 10_000, length=5)

    assert cache == {10_000: 10_000}
