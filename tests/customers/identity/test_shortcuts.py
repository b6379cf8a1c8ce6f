"""Owners of new identifiers that need no look at the graph equal the owners by grouping."""

from datetime import timedelta
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.identity import grouping
from customers.identity.identifier_keys import identifier_keys
from customers.identity.links import IdentifierKey, IdentifierLink, IdentifierNode
from customers.identity.shortcuts import certain_owners
from customers.identity.statements import LinkStatement, StatedEvent, links_of
from customers.types import CLAIMED, NOTED, STATED, VERIFIED, Sender
from tests import factories
from tests.cost import cost_ratio
from tests.factories import NOON

APP = Sender(1, "app", "app", is_trusted=True)
CONTRACTS = Sender(1, "contracts", "app", is_trusted=True, space_id=2, has_several_ids=True)
TILL = Sender(1, "till", "till", is_trusted=True)

NOOR = IdentifierKey("user_id", "1/noor", VERIFIED)
SAM = IdentifierKey("user_id", "1/sam", VERIFIED)
MAIL = IdentifierKey("email", "noor@example.com", VERIFIED)
CARD = IdentifierKey("card", "C-1", VERIFIED)
PHONE = IdentifierKey("anonymous_id", "phone", CLAIMED)
ORDER = IdentifierKey("order", "1/A-1", VERIFIED)
NEW, OLD = uuid4(), uuid4()


def says(*pairs, evidence=STATED):
    return {
        LinkStatement(*pair, "seen", evidence): (NOON, arrival)
        for arrival, pair in enumerate(pairs)
    }


def owners_of(statements, new_records, owners, sender=APP):
    return certain_owners(statements, sender, new_records, owners).records


def test_unknown_identifiers_belong_to_the_new_record():
    owned = certain_owners(says((NOOR, MAIL), (NOOR, PHONE)), APP, {NOOR: NEW}, {})

    assert owned.records == dict.fromkeys([NOOR, MAIL, PHONE], NEW)
    assert list(owned.states.values()) == ["joined", "attached"]


def test_new_card_belongs_to_the_known_account_it_came_with():
    owned = certain_owners(says((NOOR, CARD)), APP, {}, {NOOR: OLD})

    assert owned.records == {CARD: OLD}
    assert list(owned.states.values()) == ["attached"]


def test_new_card_of_two_customers_takes_the_slow_path():
    assert owners_of(says((NOOR, CARD), (SAM, CARD)), {}, {NOOR: OLD, SAM: NEW}) == {}


def test_new_device_of_a_known_card_takes_the_slow_path():
    """The card itself is attached to a record, and could move in the same batch."""
    assert owners_of(says((CARD, PHONE)), {}, {CARD: OLD}) == {}


def test_noted_and_claimed_identifiers_get_no_owner():
    for evidence in (NOTED, CLAIMED):
        assert owners_of(says((NOOR, MAIL), (NOOR, CARD), evidence=evidence), {NOOR: NEW}, {}) == {}


def test_a_new_order_belongs_to_the_one_known_customer_it_came_with():
    assert owners_of(says((NOOR, ORDER)), {}, {NOOR: OLD}) == {ORDER: OLD}


def test_order_of_two_customers_takes_the_slow_path():
    assert owners_of(says((NOOR, ORDER), (SAM, ORDER)), {}, {NOOR: OLD, SAM: NEW}) == {}


def test_order_with_a_shared_phone_takes_the_slow_path():
    phone = IdentifierKey("phone", "+31612345678", VERIFIED)

    assert owners_of(says((phone, ORDER)), {}, {phone: None}) == {}


def test_new_address_of_a_known_customer_takes_the_slow_path():
    assert owners_of(says((NOOR, MAIL)), {}, {NOOR: OLD}) == {}


def test_new_account_with_two_addresses_takes_the_slow_path():
    """Its source replaced one of them, which the log tells."""
    other = IdentifierKey("email", "other@example.com", VERIFIED)

    assert owners_of(says((NOOR, MAIL), (NOOR, other)), {NOOR: NEW}, {}) == {}


def test_new_customers_with_one_address_take_the_slow_path():
    assert owners_of(says((NOOR, MAIL), (SAM, MAIL)), {NOOR: NEW, SAM: OLD}, {}) == {}


NAMES = [
    ("user_id", "noor"),
    ("user_id", "sam"),
    ("external:crm", "7"),
    ("email", "noor@example.com"),
    ("email", "sam@example.com"),
    ("card", "C-1"),
    ("phone", "+31612345678"),
    ("anonymous_id", "laptop"),
    ("order", "A-1"),
    ("order", "A-2"),
]
EVENTS = st.builds(
    lambda names, kind, days: factories.incoming_event(
        *names, kind=kind, at=NOON + timedelta(days=days)
    ),
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True),
    st.sampled_from(["identify", "track", "alias"]),
    st.integers(0, 2),
)
# These are on a record of their own before the batch.
STORED = st.sets(st.sampled_from(NAMES[:5]), max_size=2)


@given(st.lists(EVENTS, min_size=1, max_size=4), STORED, st.sampled_from([APP, CONTRACTS, TILL]))
def test_certain_owners_equal_the_owners_by_grouping(events, known_names, sender):
    """Certain means that the grouping of all identifiers gives the same owner."""
    stated = [
        StatedEvent(event, identifier_keys(event, sender), arrival)
        for arrival, event in enumerate(events)
    ]
    stored = identifier_keys(factories.incoming_event(*known_names), sender) if known_names else ()
    owners = {key: UUID(int=number) for number, key in enumerate(stored)}
    primary = {event.keys[0] for event in stated} - owners.keys()
    records = {key: UUID(int=100 + number) for number, key in enumerate(sorted(primary))}
    statements = links_of(stated, sender)

    owned = certain_owners(statements, sender, records, owners)

    keys = sorted({key for event in stated for key in event.keys} | owners.keys())
    drawn, numbers = group_all(keys, statements, sender)
    homes = records | owners
    group_of = {id_: members for members in drawn.groups for id_ in members}
    for key, record in owned.records.items():
        firsts = [link.first for link in statements if link.second == key]
        for holder in firsts if key.kind == "order" else [key]:
            members = group_of[numbers[holder]]
            assert record in {home for other, home in homes.items() if numbers[other] in members}
    for link, state in owned.states.items():
        assert group_of[numbers[link.first]] == group_of[numbers[link.second]]
        kinds = {"joined": {"user_id", "external:crm", "email"}, "attached": set(dict(NAMES))}
        assert {link.first.kind, link.second.kind} <= kinds[state]


def group_all(keys, statements, sender):
    """Group the identifiers by all links of a batch; also return their numbers."""
    numbers = {key: number for number, key in enumerate(keys)}
    nodes = [
        IdentifierNode(
            number,
            *key[:2],
            space_id=sender.space_id,
            has_named_space=sender.space_id != 1,
            has_several_ids=sender.has_several_ids,
        )
        for key, number in numbers.items()
    ]
    links = [
        IdentifierLink(numbers[link.first], numbers[link.second], link.evidence, link.kind, *moment)
        for link, moment in statements.items()
    ]
    return grouping.group(nodes, links), numbers


@pytest.mark.parametrize("shape", ["a star", "pairs", "a chain", "a kind each", "a known star"])
def test_batch_of_one_component_takes_linear_time(shape):
    """If each link compared all links before it, ten times the links would cost a hundred times."""
    large, small = one_component(shape, 30_000), one_component(shape, 3_000)

    assert cost_ratio(large, small) < 40
    is_one_component = shape in ("a star", "a kind each")
    assert len(large().records) >= (30_000 if is_one_component or shape == "a known star" else 0)


def one_component(shape, count):
    """Return a function that finds the owners of a batch with this number of identifiers."""
    phones = [IdentifierKey("anonymous_id", str(n), CLAIMED) for n in range(count)]
    pairs = {
        "a star": [(NOOR, phone) for phone in phones],
        "a known star": [(SAM, phone) for phone in phones],
        "pairs": list(zip(phones[::2], phones[1::2], strict=True)),
        "a chain": list(pairwise(phones)),
        "a kind each": [
            (NOOR, IdentifierKey(f"external:{n}", "1/1", VERIFIED)) for n in range(count)
        ],
    }[shape]
    records = {first: NEW for first, _ in pairs if first != SAM}
    statements = says(*pairs)
    return lambda: certain_owners(statements, APP, records, {SAM: OLD})
