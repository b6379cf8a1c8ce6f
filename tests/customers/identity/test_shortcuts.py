import time
from itertools import pairwise
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.identity import grouping
from customers.identity.grouping import IdentifierKey
from customers.identity.shortcuts import certain_owners
from customers.types import CLAIMED, VERIFIED

NOOR = IdentifierKey("user_id", "noor", VERIFIED)
MAIL = IdentifierKey("email", "noor@example.com", VERIFIED)
PHONE = IdentifierKey("anonymous_id", "phone", CLAIMED)
ORDER = IdentifierKey("order", "A-1", VERIFIED)
SAM = IdentifierKey("user_id", "sam", VERIFIED)
NEW, OLD = uuid4(), uuid4()


def test_unknown_identifiers_belong_to_the_new_record():
    owned = certain_owners({(NOOR, MAIL), (NOOR, PHONE)}, VERIFIED, {NOOR: NEW}, {})

    assert owned == dict.fromkeys([NOOR, MAIL, PHONE], NEW)


def test_a_new_order_belongs_to_the_one_known_customer_it_came_with():
    assert certain_owners({(NOOR, ORDER)}, VERIFIED, {}, {NOOR: OLD}) == {ORDER: OLD}


def test_order_of_two_customers_takes_the_slow_path():
    assert certain_owners({(NOOR, ORDER), (SAM, ORDER)}, VERIFIED, {}, {NOOR: OLD, SAM: NEW}) == {}


def test_order_with_a_shared_address_takes_the_slow_path():
    assert certain_owners({(MAIL, ORDER)}, VERIFIED, {}, {MAIL: None}) == {}


def test_new_address_of_a_known_customer_takes_the_slow_path():
    assert certain_owners({(NOOR, MAIL)}, VERIFIED, {}, {NOOR: OLD}) == {}


def test_new_customers_with_a_shared_address_take_the_slow_path():
    assert certain_owners({(NOOR, MAIL), (SAM, MAIL)}, VERIFIED, {NOOR: NEW, SAM: OLD}, {}) == {}


ATOMS = [NOOR, SAM, MAIL, PHONE, ORDER, IdentifierKey("order", "A-2", VERIFIED)]
PAIRS = st.tuples(st.sampled_from(ATOMS), st.sampled_from(ATOMS)).filter(lambda p: p[0] != p[1])


@given(st.frozensets(PAIRS, max_size=6), st.booleans())
def test_certain_owners_equal_the_owners_by_grouping(links, is_noor_known):
    """Certain means certain: drawing the groups around all of it comes to the same."""
    owners = {NOOR: OLD} if is_noor_known else {}
    records = {first: uuid4() for first, _ in links if first not in owners}

    owned = certain_owners(links, VERIFIED, records, owners)

    numbers = {atom: number for number, atom in enumerate(ATOMS)}
    drawn = grouping.group(
        [grouping.IdentifierNode(number, *atom) for atom, number in numbers.items()],
        [grouping.IdentifierLink(numbers[a], numbers[b], VERIFIED) for a, b in links],
    )
    homes = records | owners

    def homes_of(number):
        group = next(members for members in drawn.groups if number in members)
        return {home for other, home in homes.items() if numbers[other] in group}

    for atom, record in owned.items():
        if atom[0] != grouping.ORDER:
            assert record in homes_of(numbers[atom])
        else:
            firsts = {first for first, other in links if other == atom}
            assert all(record in homes_of(numbers[first]) for first in firsts)


@pytest.mark.parametrize("shape", ["a star", "pairs", "a chain", "a kind each"])
def test_batch_of_one_component_takes_linear_time(shape):
    """Where each link looked at all before it, these took from ten seconds to minutes."""
    phones = [IdentifierKey("anonymous_id", str(n), CLAIMED) for n in range(30_000)]
    links = {
        "a star": {(PHONE, phone) for phone in phones},
        "pairs": set(zip(phones[::2], phones[1::2], strict=True)),
        "a chain": set(pairwise(phones)),
        "a kind each": {
            (PHONE, IdentifierKey(f"external:{n}", "1", CLAIMED)) for n in range(30_000)
        },
    }[shape]
    records = {first: NEW for first, _ in links}
    began = time.process_time()

    certain_owners(links, CLAIMED, records, {})

    assert time.process_time() - began < 3
