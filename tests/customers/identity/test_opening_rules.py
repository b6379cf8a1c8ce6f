"""Which identifiers a session opens: section 3 of the contract, cell by cell."""

from collections.abc import Iterable
from uuid import UUID

import pytest

from customers.identity.links import IdentifierNode
from customers.identity.opening_rules import (
    OpenableIdentifier,
    OpenableLink,
    Opening,
    open_records,
)
from customers.types import CONFIRMED, NOTED, OPENED, STATED

OWN, OTHER = UUID(int=1), UUID(int=2)
MAILBOX, ACCOUNT, SECOND, CARD, PHONE, DEVICE, TILL, BOX = range(1, 9)
KINDS = {
    MAILBOX: "email",
    BOX: "email",
    ACCOUNT: "user_id",
    SECOND: "user_id",
    TILL: "user_id",
    CARD: "card",
    PHONE: "phone",
    DEVICE: "device",
}


def identifier(
    id_: int, *, live: UUID | None = OWN, space: int = 1, is_placeholder: bool = False, erasure=0
) -> OpenableIdentifier:
    node = IdentifierNode(
        id_, KINDS[id_], f"7/{id_}", space, is_placeholder=is_placeholder, erasure_id=erasure
    )
    return OpenableIdentifier(node, UUID(int=100 + id_), live)


def link(first: int, second: int, evidence: int, kind: str = "seen", *, joined=True):
    return OpenableLink(first, second, kind, evidence, joined)


def opened(
    proved: Iterable[int],
    links: Iterable[OpenableLink],
    identifiers: Iterable[OpenableIdentifier] | None = None,
    *,
    crowded: tuple[int, ...] = (),
) -> Opening:
    links = list(links)
    ends = {end for stated in links for end in (stated.first, stated.second)} | set(proved)
    named = identifiers or [identifier(id_) for id_ in ends]
    by_id = {openable.node.id: openable for openable in named}
    return open_records(proved, by_id, links, crowded=crowded)


def ids(opening: Opening) -> list[set[int]]:
    return [set(record.identifier_ids) for record in opening.records]


@pytest.mark.parametrize("evidence", [STATED, OPENED, CONFIRMED])
def test_mailbox_opens_the_only_account_that_states_it(evidence):
    opening = opened([MAILBOX], [link(MAILBOX, ACCOUNT, evidence)])

    assert ids(opening) == [{MAILBOX, ACCOUNT}]
    assert opening.newly_opened == (((MAILBOX, ACCOUNT),) if evidence == STATED else ())


def test_code_opens_an_account_that_a_source_confirmed():
    confirmed = link(MAILBOX, ACCOUNT, CONFIRMED)._replace(is_by_customer=False)

    opening = opened([MAILBOX], [confirmed])

    assert ids(opening) == [{MAILBOX, ACCOUNT}]
    assert opening.newly_opened == ((MAILBOX, ACCOUNT),)


def test_noted_account_stays_closed():
    assert ids(opened([MAILBOX], [link(MAILBOX, ACCOUNT, NOTED)])) == [{MAILBOX}]


def test_two_stating_accounts_of_one_space_stay_closed_and_are_mentioned():
    opening = opened([MAILBOX], [link(MAILBOX, ACCOUNT, STATED), link(MAILBOX, SECOND, STATED)])

    assert ids(opening) == [{MAILBOX}]
    assert opening.closed_accounts == (ACCOUNT, SECOND)
    assert opening.newly_opened == ()


@pytest.mark.parametrize(("evidence", "opens"), [(STATED, False), (OPENED, True)])
def test_mailbox_with_more_accounts_than_were_read_opens_the_proved_ones(evidence, opens):
    opening = opened([MAILBOX], [link(MAILBOX, ACCOUNT, evidence)], crowded=(MAILBOX,))

    assert ids(opening) == [{MAILBOX, ACCOUNT} if opens else {MAILBOX}]


def test_stating_accounts_of_two_spaces_open_both():
    named = [identifier(MAILBOX), identifier(ACCOUNT), identifier(SECOND, space=2)]

    opening = opened(
        [MAILBOX], [link(MAILBOX, ACCOUNT, STATED), link(MAILBOX, SECOND, STATED)], named
    )

    assert ids(opening) == [{MAILBOX, ACCOUNT, SECOND}]


@pytest.mark.parametrize("proof", [OPENED, CONFIRMED])
def test_proved_account_opens_and_the_stating_one_stays_closed(proof):
    named = [identifier(MAILBOX), identifier(ACCOUNT), identifier(SECOND, live=OTHER)]

    opening = opened(
        [MAILBOX],
        [link(MAILBOX, ACCOUNT, proof), link(MAILBOX, SECOND, STATED, joined=False)],
        named,
    )

    assert ids(opening) == [{MAILBOX, ACCOUNT}]
    assert opening.closed_accounts == (SECOND,)


def test_two_proved_accounts_of_one_space_are_a_choice_of_two_records():
    named = [identifier(MAILBOX), identifier(ACCOUNT), identifier(SECOND, live=OTHER)]

    opening = opened(
        [MAILBOX],
        [link(MAILBOX, ACCOUNT, CONFIRMED), link(MAILBOX, SECOND, CONFIRMED, joined=False)],
        named,
    )

    assert ids(opening) == [{MAILBOX, ACCOUNT}, {SECOND}]


@pytest.mark.parametrize(("evidence", "opens"), [(STATED, 0), (OPENED, 0), (CONFIRMED, 1)])
def test_account_opens_its_mailbox_only_by_a_confirmed_link(evidence, opens):
    opening = opened([ACCOUNT], [link(MAILBOX, ACCOUNT, evidence)])

    assert ids(opening) == [{ACCOUNT, MAILBOX} if opens else {ACCOUNT}]
    [record] = opening.records
    assert (record.is_whole, record.has_contact) == (bool(opens), bool(opens))


@pytest.mark.parametrize(("evidence", "opens"), [(NOTED, 0), (STATED, 0), (CONFIRMED, 1)])
@pytest.mark.parametrize("leaf", [CARD, PHONE])
@pytest.mark.parametrize("proved", [MAILBOX, ACCOUNT])
def test_card_or_phone_opens_by_a_confirmed_link_also_a_step_further(proved, leaf, evidence, opens):
    links = [link(MAILBOX, ACCOUNT, CONFIRMED), link(ACCOUNT, leaf, evidence, joined=False)]

    [shown] = ids(opened([proved], links))

    assert (leaf in shown) == bool(opens)
    assert {MAILBOX, ACCOUNT} <= shown


def test_card_of_another_record_stays_closed():
    named = [identifier(ACCOUNT), identifier(CARD, live=OTHER)]

    assert ids(opened([ACCOUNT], [link(ACCOUNT, CARD, CONFIRMED, joined=False)], named)) == [
        {ACCOUNT}
    ]


def test_shared_phone_opens_to_neither():
    named = [identifier(ACCOUNT), identifier(PHONE, live=None)]

    assert ids(opened([ACCOUNT], [link(ACCOUNT, PHONE, CONFIRMED, joined=False)], named)) == [
        {ACCOUNT}
    ]


def test_stated_device_opens_with_its_account():
    assert ids(opened([ACCOUNT], [link(ACCOUNT, DEVICE, STATED, joined=False)])) == [
        {ACCOUNT, DEVICE}
    ]


def test_mailbox_of_an_account_of_a_proved_mailbox_stays_closed():
    """One step on from the proof, and no further."""
    links = [link(MAILBOX, ACCOUNT, CONFIRMED), link(BOX, ACCOUNT, CONFIRMED)]

    [shown] = ids(opened([MAILBOX], links))

    assert shown == {MAILBOX, ACCOUNT}


def test_equal_number_is_the_same_account():
    links = [link(MAILBOX, ACCOUNT, STATED), link(ACCOUNT, SECOND, STATED, "equal")]

    assert ids(opened([MAILBOX], links)) == [{MAILBOX, ACCOUNT, SECOND}]
    assert ids(opened([SECOND], links)) == [{ACCOUNT, SECOND}]


def test_number_of_a_till_opens_with_the_equal_account():
    links = [link(ACCOUNT, TILL, STATED, "equal", joined=False)]

    assert ids(opened([ACCOUNT], links)) == [{ACCOUNT, TILL}]


@pytest.mark.parametrize(("evidence", "opens"), [(STATED, 0), (OPENED, 1)])
def test_placeholder_opens_by_a_proof_alone(evidence, opens):
    named = [identifier(MAILBOX), identifier(ACCOUNT, is_placeholder=True)]

    [shown] = ids(opened([MAILBOX], [link(MAILBOX, ACCOUNT, evidence)], named))

    assert (ACCOUNT in shown) == bool(opens)


def test_link_across_an_erasure_opens_nothing():
    named = [identifier(MAILBOX), identifier(ACCOUNT, live=OTHER, erasure=3)]

    assert ids(opened([MAILBOX], [link(MAILBOX, ACCOUNT, CONFIRMED)], named)) == [{MAILBOX}]


def test_record_is_whole_if_its_closed_identifiers_have_no_events():
    card = OpenableIdentifier(IdentifierNode(CARD, "card", "1"), None, OWN)
    named = [identifier(MAILBOX), identifier(ACCOUNT), card]
    links = [link(MAILBOX, ACCOUNT, CONFIRMED), link(ACCOUNT, CARD, STATED, joined=False)]

    [record] = opened([MAILBOX], links, named).records

    assert record.is_whole
    assert CARD in record.listed_ids
    assert CARD not in record.identifier_ids


@pytest.mark.parametrize(("evidence", "mailboxes"), [(STATED, ("7/1",)), (CONFIRMED, ())])
def test_stated_mailbox_of_a_proved_account_is_named_as_closed(evidence, mailboxes):
    [record] = opened([ACCOUNT], [link(MAILBOX, ACCOUNT, evidence)]).records

    assert record.closed_mailboxes == mailboxes


SHARED = [identifier(PHONE), identifier(ACCOUNT), identifier(SECOND, live=OTHER)]


def test_proved_phone_opens_itself_and_no_account():
    links = [link(ACCOUNT, PHONE, CONFIRMED), link(ACCOUNT, MAILBOX, CONFIRMED)]

    [record] = opened([PHONE], links).records

    assert record.identifier_ids == {PHONE}
    assert not record.has_contact
    assert not record.is_whole


def test_proved_phone_opens_no_card_of_its_record():
    assert ids(opened([PHONE], [link(PHONE, CARD, CONFIRMED)])) == [{PHONE}]


def test_proved_phone_opens_its_devices():
    assert ids(opened([PHONE], [link(PHONE, DEVICE, STATED)])) == [{PHONE, DEVICE}]


@pytest.mark.parametrize("evidence", [NOTED, STATED, OPENED])
def test_phone_that_a_second_account_did_not_confirm_stays_open(evidence):
    links = [link(ACCOUNT, PHONE, CONFIRMED), link(SECOND, PHONE, evidence)]

    [record] = opened([PHONE], links, SHARED).records

    assert record.record_ids == {UUID(int=100 + PHONE)}


def test_phone_that_two_records_confirmed_shows_its_number_without_events():
    links = [link(ACCOUNT, PHONE, CONFIRMED), link(SECOND, PHONE, CONFIRMED)]

    [record] = opened([PHONE], links, SHARED).records

    assert (record.identifier_ids, record.listed_ids) == ({PHONE}, {PHONE})
    assert (record.record_ids, record.addresses) == (frozenset(), frozenset())
    assert not record.has_contact


def test_phone_that_two_accounts_of_one_record_confirmed_is_not_shared():
    links = [link(ACCOUNT, PHONE, CONFIRMED), link(SECOND, PHONE, CONFIRMED)]

    [record] = opened([PHONE], links).records

    assert record.record_ids == {UUID(int=100 + PHONE)}


def test_session_of_a_holder_does_not_open_the_shared_phone_that_it_proved():
    links = [link(ACCOUNT, PHONE, CONFIRMED), link(SECOND, PHONE, CONFIRMED)]
    shared = [identifier(PHONE, live=None), *SHARED[1:]]

    assert ids(opened([ACCOUNT, PHONE], links, shared)) == [{ACCOUNT}]


def test_account_without_mailbox_has_no_contact_for_its_phone():
    [record] = opened([PHONE], [link(ACCOUNT, PHONE, CONFIRMED)]).records

    assert not record.has_contact


def test_phone_alone_on_its_record_has_contact():
    [record] = opened([PHONE], []).records

    assert record.has_contact
    assert record.is_whole


def test_strongest_of_several_links_of_an_account_counts():
    links = [link(MAILBOX, ACCOUNT, evidence) for evidence in (STATED, CONFIRMED, STATED)]

    opening = opened([MAILBOX], [*links, link(MAILBOX, SECOND, STATED)])

    assert ids(opening) == [{MAILBOX, ACCOUNT}]


def test_accounts_of_one_event_that_do_not_join_are_not_one():
    links = [link(MAILBOX, ACCOUNT, STATED), link(ACCOUNT, SECOND, STATED, joined=False)]

    assert ids(opened([MAILBOX], links)) == [{MAILBOX, ACCOUNT}]


def test_equal_numbers_of_three_sources_are_one_account():
    links = [link(ACCOUNT, SECOND, STATED, "equal"), link(SECOND, TILL, STATED, "equal")]

    assert ids(opened([ACCOUNT], links)) == [{ACCOUNT, SECOND, TILL}]
