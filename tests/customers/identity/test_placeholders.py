"""Cards and contract numbers that owners state with many mailboxes identify nobody."""

from itertools import batched

import pytest
from django.core.management import call_command
from django.db.models import Q

from customers.models import Identifier, Link
from tests.customers.graph import misplaced_identifiers
from tests.customers.identity.company import WireSource, email, record_of, timeline

pytestmark = pytest.mark.django_db

CARD = "LF-7001"
YEAR = 365 * 24


def state(source, numbers, *, hours=1, has_accounts=True, size=1):
    """State the card with a mailbox for each of these numbers; return the mailboxes."""
    mailboxes = [f"m{number}@shop.nl" for number in numbers]
    events = [
        source.event(
            "identify",
            # Times in the future would count as now.
            hours * (place - 10),
            f"u-{place}" if has_accounts else "",
            traits={"email": mailbox, "card": CARD},
        )
        for place, mailbox in zip(numbers, mailboxes, strict=True)
    ]
    for batch in batched(events, size):
        source.send(*batch)
    return mailboxes


def card():
    return Identifier.objects.get(kind="card")


def links_of_card():
    return Link.objects.filter(Q(first=card()) | Q(second=card()))


@pytest.mark.parametrize("size", [1, 4, 6], ids="{} in a batch".format)
@pytest.mark.parametrize("has_accounts", [True, False])
def test_card_with_six_mailboxes_in_a_year_is_on_no_record(shop, till, has_accounts, size):
    till.track(-99, name="Purchase", traits={"card": CARD})
    mailboxes = state(shop, range(6), has_accounts=has_accounts, size=size)
    till.track(9, name="Purchase", traits={"card": CARD, "email": mailboxes[2]})

    assert card().is_placeholder
    assert set(links_of_card().values_list("state", flat=True)) == {"filed"}
    assert misplaced_identifiers() == []
    timelines = {mailbox: timeline(shop, record_of(email(mailbox))) for mailbox in mailboxes}
    assert timelines == {
        mailbox: ["identify", "Purchase"] if mailbox == mailboxes[2] else ["identify"]
        for mailbox in mailboxes
    }
    assert timeline(shop, card().customer_id) == ["Purchase"]


def test_events_of_the_card_move_to_the_next_identifier(shop, till):
    till.track(-99, name="Purchase", traits={"card": CARD, "phone": "+31612345679"})

    state(shop, range(6))

    assert card().is_placeholder
    assert timeline(shop, record_of(("phone", "+31612345679"))) == ["Purchase"]


def test_number_of_a_card_that_turns_out_to_be_a_placeholder_leaves_its_record(shop):
    contracts = WireSource("Contracts", "site", ids="contracts", per_person="several")
    shop.identify(0, "u-0", email="m0@shop.nl", card=CARD)
    contracts.identify(1, "C-1", card=CARD)
    assert record_of(contracts.account("C-1")) == card().customer_id

    state(shop, range(6))

    assert card().is_placeholder
    assert record_of(contracts.account("C-1")) != record_of(email("m0@shop.nl"))
    assert misplaced_identifiers() == []


def test_number_leaves_the_record_of_a_proved_card_that_turns_out_to_be_a_placeholder(shop):
    issuer = WireSource("Card desk", "site", ids="shop", addresses="checked")
    contracts = WireSource("Contracts", "site", ids="contracts", per_person="several")
    issuer.identify(0, "u-99", email="m99@shop.nl", card=CARD)
    contracts.track(0, "C-1")
    contracts.identify(1, "C-1", card=CARD)
    assert record_of(contracts.account("C-1")) == record_of(email("m99@shop.nl"))

    state(shop, range(6))

    assert card().customer_id == record_of(email("m99@shop.nl"))
    assert record_of(contracts.account("C-1")) != card().customer_id
    assert misplaced_identifiers() == []


def test_mailboxes_that_are_stated_after_the_card_count_too(shop):
    issuer = WireSource("Card desk", "site", ids="shop", addresses="checked")
    contracts = WireSource("Contracts", "site", ids="contracts", per_person="several")
    issuer.identify(0, "u-99", email="m99@shop.nl", card=CARD)
    for place in range(6):
        shop.identify(place - 20, f"u-{place}", card=CARD)
    contracts.track(0, "C-1")
    contracts.identify(1, "C-1", card=CARD)
    for place in range(6):
        assert not card().is_placeholder
        shop.identify(place + 1, f"u-{place}", email=f"m{place}@shop.nl")

    assert card().is_placeholder
    assert card().customer_id == record_of(email("m99@shop.nl"))
    assert record_of(contracts.account("C-1")) != card().customer_id
    assert misplaced_identifiers() == []


def test_placeholder_is_refiled_only_when_it_is_found(shop, count_statements):
    with count_statements() as first:
        state(shop, range(6))
    with count_statements() as later:
        state(shop, range(6, 8))

    assert first.count("find_next_identifiers") == 1
    assert later.count("find_next_identifiers") == 0


@pytest.mark.parametrize(
    ("count", "hours", "is_placeholder"),
    [(5, 1, False), (6, YEAR / 5, True), (6, YEAR / 5 + 1, False)],
)
def test_card_needs_six_mailboxes_within_a_year(shop, count, hours, is_placeholder):
    state(shop, range(count), hours=hours)

    assert card().is_placeholder is is_placeholder
    assert misplaced_identifiers() == []


def test_order_of_the_statements_does_not_matter(shop):
    state(shop, [3, 0, 5, 1, 4, 2], hours=YEAR / 5)

    assert card().is_placeholder
    assert misplaced_identifiers() == []


def test_proofs_of_a_card_do_not_count_and_stay(shop):
    issuer = WireSource("Card desk", "site", ids="shop", addresses="checked")
    state(issuer, range(5))
    state(shop, range(5, 10))
    assert not card().is_placeholder

    state(shop, [10])

    assert card().is_placeholder
    assert card().customer_id == record_of(email("m0@shop.nl"))
    assert misplaced_identifiers() == []


def test_accounts_of_one_mailbox_count_once(shop):
    for place in range(7):
        space = WireSource(f"Shop {place}", "site", ids=f"space-{place}")
        space.identify(place, "noor", email="noor@shop.nl", card=CARD)

    assert not card().is_placeholder


def test_accounts_without_a_mailbox_do_not_count(shop):
    for place in range(7):
        shop.identify(place, f"u-{place}", card=CARD)

    assert not card().is_placeholder


def test_contract_number_with_six_mailboxes_is_a_placeholder():
    contracts = WireSource("Contracts", "site", ids="contracts", per_person="several")
    for place in range(6):
        contracts.identify(place, "C-0", email=f"m{place}@shop.nl")

    contract = Identifier.objects.get(kind="user_id")
    assert contract.is_placeholder
    assert misplaced_identifiers() == []
    assert timeline(contracts, record_of(email("m5@shop.nl"))) == ["identify"]


def test_phone_with_six_mailboxes_is_no_placeholder(shop):
    for place in range(6):
        shop.identify(place, f"u-{place}", email=f"m{place}@shop.nl", phone="+31612345679")

    assert not Identifier.objects.filter(is_placeholder=True).exists()


def test_rebuild_finds_a_card_that_was_stored_as_an_identifier_before(shop):
    state(shop, range(6))
    Identifier.objects.filter(pk=card().pk).update(is_placeholder=False)
    links_of_card().update(state="contested")

    call_command("rebuild", "--identities")

    assert card().is_placeholder
    assert misplaced_identifiers() == []
