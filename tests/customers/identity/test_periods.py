"""Which period an event belongs to, and what a tombstone refuses."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from customers.events.internal_sources import BUTLER
from customers.identity import erasure_rules
from customers.identity.erasure_rules import (
    ErasedIdentifier,
    ErasedIdentifiers,
    accept_events,
    number_of_space,
)
from customers.identity.links import IdentifierKey
from customers.identity.periods import Period, period_at
from customers.types import MAIN_SPACE_ID, VERIFIED, Sender
from tests.factories import NOON, identify, incoming_event, order

APP = Sender(source_id=7, name="app", channel="app", is_trusted=True)
HOUR = timedelta(hours=1)
ACCOUNT = IdentifierKey("user_id", "7/noor", VERIFIED)
OTHER = IdentifierKey("user_id", "7/sam", VERIFIED)
MAILBOX = IdentifierKey("email", "noor@example.com", VERIFIED)
CARD = IdentifierKey("card", "C10077", VERIFIED)
PLACED = IdentifierKey("order", "7/A-1", VERIFIED)
LATER, BEFORE = NOON + HOUR, NOON - HOUR


def erased(*keys, begun=(), proved=()):
    """Tombstones of one erasure at noon."""
    tombstones = {key: ErasedIdentifier(1, 1, NOON) for key in keys}
    return ErasedIdentifiers(tombstones, frozenset(begun), frozenset(proved))


def accept(event, keys, state, sender=APP):
    [accepted] = accept_events([event], [tuple(keys)], state, sender)
    return accepted


@pytest.mark.parametrize(
    ("moment", "number"),
    [(NOON - HOUR, 0), (NOON, 1), (NOON + HOUR, 1), (NOON + 2 * HOUR, 2), (NOON + 9 * HOUR, 2)],
)
def test_event_belongs_to_the_last_period_that_had_begun(moment, number):
    periods = [Period(NOON + 2 * HOUR, 2), Period(NOON, 1)]

    assert period_at(periods, moment) == number


@given(st.lists(st.integers(0, 50), unique=True), st.integers(-5, 60))
def test_periods_are_counted_by_the_ends_before_the_moment(hours, moment):
    starts = sorted(NOON + hour * HOUR for hour in hours)
    periods = [Period(start, number) for number, start in enumerate(starts, 1)]

    at = NOON + moment * HOUR
    assert period_at(reversed(periods), at) == sum(start <= at for start in starts)


@pytest.mark.parametrize(
    ("event", "keys", "expected"),
    [
        (identify(at=LATER), [ACCOUNT, MAILBOX], None),
        (incoming_event(at=LATER), [ACCOUNT], None),
        (incoming_event(at=LATER), [CARD], None),
        (order("A-2", at=LATER), [ACCOUNT, MAILBOX], (ACCOUNT, MAILBOX)),
        (order("A-2", at=LATER), [CARD], (CARD,)),
        (order("A-2", at=BEFORE), [ACCOUNT], None),
        (order("A-1", at=LATER), [ACCOUNT, PLACED], None),
        (order("A-1", at=LATER), [OTHER, PLACED], (OTHER, PLACED)),
        (order("A-1", name="Order Refunded", at=LATER), [PLACED], None),
        (incoming_event(at=LATER), [MAILBOX], (MAILBOX,)),
        (incoming_event(at=BEFORE), [MAILBOX], None),
        (identify(at=LATER), [OTHER, MAILBOX], (OTHER, MAILBOX)),
        (identify(at=BEFORE), [OTHER, MAILBOX], None),
        (identify(at=LATER), [OTHER, CARD], (OTHER,)),
        (order("A-9", at=BEFORE), [OTHER, MAILBOX], (OTHER,)),
        (incoming_event(at=BEFORE), [OTHER], (OTHER,)),
    ],
)
def test_events_about_an_erased_customer_are_refused_and_her_acts_are_not(event, keys, expected):
    assert accept(event, keys, erased(ACCOUNT, MAILBOX, CARD, PLACED)) == expected


def test_erased_contract_number_beside_another_customer_is_left_out():
    contracts = structs.replace(APP, has_several_ids=True)
    event = incoming_event(at=LATER)

    assert accept(event, [MAILBOX, ACCOUNT], erased(ACCOUNT), contracts) == (MAILBOX,)
    assert accept(event, [MAILBOX, ACCOUNT], erased(ACCOUNT)) is None


def test_order_with_a_customer_token_does_not_open_the_account_again():
    event = structs.replace(order("A-2", at=LATER), proved_identifier=ACCOUNT[:2])

    assert accept(event, [ACCOUNT], erased(ACCOUNT)) is None


def test_event_is_accepted_where_nothing_is_erased():
    assert accept(identify(at=BEFORE), [ACCOUNT, MAILBOX], erased()) == (ACCOUNT, MAILBOX)


def test_phone_is_open_to_its_next_holder():
    phone = IdentifierKey("phone", "+31612345679", VERIFIED)

    assert accept(incoming_event(at=LATER), [OTHER, phone], erased(phone)) == (OTHER, phone)


def test_statement_of_another_account_with_an_erased_order_is_refused():
    assert accept(incoming_event(at=LATER), [OTHER, PLACED], erased(PLACED)) is None


def test_equal_numbers_of_a_named_space_have_one_tombstone():
    number = IdentifierKey("user_id", "8/noor", VERIFIED)

    assert number_of_space(ACCOUNT, 3) == number_of_space(number, 3)
    assert number_of_space(ACCOUNT, 3) not in {
        number_of_space(ACCOUNT, 4),
        number_of_space(OTHER, 3),
        number_of_space(ACCOUNT._replace(kind="external:crm"), 3),
    }
    assert number_of_space(ACCOUNT, MAIN_SPACE_ID) is None
    assert number_of_space(MAILBOX, 3) is None


def test_account_whose_new_period_has_begun_is_accepted():
    state = erased(ACCOUNT, MAILBOX, begun=[ACCOUNT])

    assert accept(identify(at=LATER), [ACCOUNT, MAILBOX], state) == (ACCOUNT, MAILBOX)
    assert accept(identify(at=BEFORE), [ACCOUNT, MAILBOX], state) is None


@pytest.mark.parametrize(("days", "is_accepted"), [(1, True), (364, True), (366, False)])
def test_proof_of_the_mailbox_opens_the_account_for_a_year(days, is_accepted):
    state = erased(ACCOUNT, MAILBOX, begun=[MAILBOX], proved=[MAILBOX])
    event = identify(at=NOON + timedelta(days=days))

    assert bool(accept(event, [ACCOUNT, MAILBOX], state)) is is_accepted
    assert accept(event, [ACCOUNT], state) is None


def test_proof_of_a_mailbox_opens_no_account_of_another_erasure():
    state = erased(ACCOUNT, MAILBOX, begun=[MAILBOX], proved=[MAILBOX])
    state = state._replace(tombstones={**state.tombstones, ACCOUNT: ErasedIdentifier(2, 1, NOON)})

    assert accept(identify(at=LATER), [ACCOUNT, MAILBOX], state) is None


def test_code_of_butler_is_an_act():
    state = erased(ACCOUNT, MAILBOX)

    assert accept(identify(at=LATER), [MAILBOX], state, BUTLER) == (MAILBOX,)
    assert accept(identify(at=LATER), [ACCOUNT, MAILBOX], state, BUTLER) == (ACCOUNT, MAILBOX)


@given(st.permutations([("order", LATER), ("identify", LATER), ("late", BEFORE)]))
def test_order_opens_the_account_for_its_whole_batch(batch):
    by_name = {
        "order": order("A-2", at=LATER),
        "identify": identify(at=LATER),
        "late": identify(at=BEFORE),
    }
    events = [by_name[name] for name, _ in batch]

    accepted = accept_events(events, [(ACCOUNT,)] * 3, erased(ACCOUNT), APP)

    assert {name: keys for (name, _), keys in zip(batch, accepted, strict=True)} == {
        "order": (ACCOUNT,),
        "identify": (ACCOUNT,),
        "late": None,
    }


def test_digest_depends_on_the_key_and_the_whole_identifier():
    digests = {
        erasure_rules.digest(secret, key)
        for secret in ("a", "b")
        for key in (ACCOUNT, OTHER, MAILBOX, MAILBOX._replace(evidence=1))
    }

    assert len(digests) == 8
    assert erasure_rules.digest("a", MAILBOX._replace(period=3)) == erasure_rules.digest(
        "a", MAILBOX
    )
