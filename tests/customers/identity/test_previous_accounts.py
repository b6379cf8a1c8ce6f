"""The `previousId` of an alias: an account of the source, or else a browser."""

import msgspec
import pytest

from customers.identity.identifier_keys import identifier_keys
from customers.identity.links import IdentifierKey
from customers.identity.previous_accounts import alias_warnings, previous_accounts, read_aliases
from customers.types import CLAIMED, VERIFIED, Sender
from tests.factories import incoming_event

SHOP = Sender(7, "Shop", "server", is_trusted=True, is_secret=True)
SHARED = msgspec.structs.replace(SHOP, is_shared=True, addresses="checked")
TILL = msgspec.structs.replace(SHOP, channel="till")
PAGE = Sender(7, "Shop", "site")
NEW = IdentifierKey("user_id", "7/new", VERIFIED)
OLD = IdentifierKey("user_id", "7/old", VERIFIED)
BROWSER = IdentifierKey("anonymous_id", "old", CLAIMED)


def alias(previous="old", kind="alias"):
    return incoming_event(("user_id", "new"), ("anonymous_id", previous), kind=kind)


def read(event, sender, stored=(OLD,)):
    """Return the identifiers of an event, and whether the source reads `alias_refused`."""
    accounts = previous_accounts([event], sender)
    aliases = read_aliases([identifier_keys(event, sender)], accounts, stored, sender)
    [keys] = aliases.keys_by_event
    return keys, [warning.code for warning in alias_warnings(aliases.refused, [event])]


def test_number_that_the_source_sent_before_is_its_account():
    assert read(alias(), SHOP) == ((NEW, OLD), [])


def test_number_that_the_source_never_sent_is_a_browser():
    assert read(alias(), SHOP, stored=()) == ((NEW, BROWSER), [])


def test_number_of_a_kiosk_is_read_without_its_day():
    assert read(alias(), SHARED) == ((NEW, OLD), [])


def test_alias_of_a_till_joins_nothing_and_the_sender_reads_so():
    assert read(alias(), TILL) == ((NEW, BROWSER), ["alias_refused"])


def test_alias_of_a_till_that_names_no_account_has_no_warning():
    assert read(alias(), TILL, stored=()) == ((NEW, BROWSER), [])


def test_alias_with_a_publishable_key_names_no_account():
    assert previous_accounts([alias()], PAGE) == {}


@pytest.mark.parametrize("kind", ["identify", "track"])
def test_browser_of_another_event_is_no_previous_account(kind):
    assert previous_accounts([alias(kind=kind)], SHOP) == {}


def test_previous_id_that_is_spelled_like_a_mailbox_is_no_account():
    assert previous_accounts([alias("noor@larkmoor.nl")], SHOP) == {}


def test_warning_counts_the_aliases_and_has_the_first_as_its_example():
    events = [alias(), alias(), alias()]

    [warning] = alias_warnings([2, 1], events)

    assert (warning.count, warning.example) == (2, events[1].message_id)
