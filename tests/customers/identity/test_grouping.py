from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.identity.grouping import LIMITS, MAX_NEIGHBORS, IdentifierLink, IdentifierNode, group
from customers.types import CLAIMED, VERIFIED, WEAK_KINDS

NOOR = IdentifierNode(1, "user_id", "noor", VERIFIED)
SAM = IdentifierNode(2, "user_id", "sam", VERIFIED)
FAMILY = IdentifierNode(3, "email", "family@example.com", VERIFIED)
PHONE = IdentifierNode(4, "anonymous_id", "phone-of-noor", CLAIMED)
SAYS_NOOR = IdentifierNode(5, "user_id", "noor", CLAIMED)
MALLORY = IdentifierNode(6, "anonymous_id", "laptop-of-mallory", CLAIMED)


def groups(atoms, ties):
    return {frozenset(members) for members in group(atoms, ties).groups}


def test_identifiers_linked_by_a_trusted_source_are_one_customer():
    assert groups([NOOR, FAMILY], [IdentifierLink(1, 3, VERIFIED)]) == {frozenset({1, 3})}


def test_address_of_two_accounts_merges_neither():
    drawn = group(
        [NOOR, SAM, FAMILY], [IdentifierLink(1, 3, VERIFIED), IdentifierLink(2, 3, VERIFIED)]
    )

    assert set(drawn.groups) == {frozenset({1}), frozenset({2}), frozenset({3})}
    assert drawn.shared == {3}


def test_indirect_link_between_two_accounts_is_refused():
    card = IdentifierNode(7, "card", "C7", VERIFIED)
    ties = [
        IdentifierLink(1, 3, VERIFIED),
        IdentifierLink(3, 7, VERIFIED),
        IdentifierLink(2, 7, VERIFIED),
    ]

    drawn = group([NOOR, SAM, FAMILY, card], ties)

    assert set(drawn.groups) == {frozenset({1, 3}), frozenset({2, 7})}
    assert [refused_tie.reason for refused_tie in drawn.refused_links] == ["limit:user_id"]


def test_a_claim_joins_anonymous_activity():
    assert groups([PHONE, SAYS_NOOR], [IdentifierLink(4, 5, CLAIMED)]) == {frozenset({4, 5})}


def test_verified_link_moves_a_device_away_from_claims():
    """The trojan identifier: Mallory claims to be Noor and waits for her to sign in."""
    claims = [IdentifierLink(4, 5, CLAIMED), IdentifierLink(5, 6, CLAIMED)]
    everybody = [NOOR, PHONE, SAYS_NOOR, MALLORY]

    assert frozenset({4, 5, 6}) in groups(everybody, claims)
    assert groups(everybody, [*claims, IdentifierLink(1, 4, VERIFIED)]) == {
        frozenset({1, 4}),
        frozenset({5, 6}),
    }


def test_claiming_a_card_does_not_make_it_useless_to_its_owner():
    card = IdentifierNode(7, "card", "C7", VERIFIED)
    claims = [
        IdentifierLink(7, IdentifierNode(i, "anonymous_id", f"a{i}", CLAIMED).id, CLAIMED)
        for i in range(10, 60)
    ]
    devices = [IdentifierNode(i, "anonymous_id", f"a{i}", CLAIMED) for i in range(10, 60)]

    drawn = group([NOOR, card, *devices], [IdentifierLink(1, 7, VERIFIED), *claims])

    assert frozenset({1, 7}) in drawn.groups


def test_number_with_many_cards_is_shared():
    office = IdentifierNode(3, "phone", "+31200000000", VERIFIED)
    cards = [IdentifierNode(100 + i, "card", f"C{i}", VERIFIED) for i in range(MAX_NEIGHBORS + 1)]

    drawn = group([office, *cards], [IdentifierLink(3, card.id, VERIFIED) for card in cards])

    assert drawn.shared == {3}
    assert all(len(members) == 1 for members in drawn.groups)


def test_link_above_the_limit_is_refused():
    mails = [
        IdentifierNode(100 + i, "email", f"n{i}@example.com", VERIFIED)
        for i in range(LIMITS["email"] + 1)
    ]

    drawn = group([NOOR, *mails], [IdentifierLink(1, mail.id, VERIFIED) for mail in mails])

    assert [refused_tie.reason for refused_tie in drawn.refused_links] == ["limit:email"]


def test_merges_and_separations_of_staff_hold():
    assert groups([NOOR, SAM], [IdentifierLink(1, 2, VERIFIED, "joined")]) == {frozenset({1, 2})}
    parted = [IdentifierLink(1, 3, VERIFIED), IdentifierLink(1, 3, VERIFIED, "parted")]
    assert groups([NOOR, FAMILY], parted) == {frozenset({1}), frozenset({3})}


def test_accounts_merged_by_staff_accept_new_links():
    joined = IdentifierLink(1, 2, VERIFIED, "joined")

    assert groups([NOOR, SAM, FAMILY], [joined, IdentifierLink(1, 3, VERIFIED)]) == {
        frozenset({1, 2, 3})
    }


def test_identifier_of_merged_accounts_is_no_longer_shared():
    both = [IdentifierLink(1, 3, VERIFIED), IdentifierLink(2, 3, VERIFIED)]

    drawn = group([NOOR, SAM, FAMILY], [*both, IdentifierLink(1, 2, VERIFIED, "joined")])

    assert set(drawn.groups) == {frozenset({1, 2, 3})}
    assert not drawn.shared


KINDS = ("user_id", "email", "card", "anonymous_id", "order", "external:crm")


@st.composite
def graphs(draw):
    atoms = [
        IdentifierNode(
            number, kind := draw(st.sampled_from(KINDS)), f"v{number}", trust_of(draw, kind)
        )
        for number in range(draw(st.integers(2, 12)))
    ]
    ids = st.integers(0, len(atoms) - 1)
    ties = [
        IdentifierLink(min(pair), max(pair), draw(st.sampled_from((CLAIMED, VERIFIED))), kind)
        for pair in draw(st.lists(st.tuples(ids, ids).filter(lambda p: p[0] != p[1]), max_size=20))
        if (kind := draw(st.sampled_from(("seen",) * 8 + ("joined", "parted"))))
    ]
    return atoms, list(dict.fromkeys(ties))


def trust_of(draw, kind):
    return CLAIMED if kind in WEAK_KINDS else draw(st.sampled_from((CLAIMED, VERIFIED)))


@given(graphs(), st.randoms(use_true_random=False))
def test_grouping_is_the_same_for_any_order_and_repetition_of_links(graph, random):
    atoms, ties = graph
    shuffled, again = random.sample(atoms, len(atoms)), random.sample(ties * 2, len(ties) * 2)

    assert set(group(shuffled, again).groups) == set(group(atoms, ties).groups)


@given(graphs())
def test_every_identifier_is_in_exactly_one_group(graph):
    atoms, ties = graph

    members = [member for group_members in group(atoms, ties).groups for member in group_members]

    assert sorted(members) == sorted(atom.id for atom in atoms)


@given(graphs())
def test_no_group_of_seen_links_holds_two_accounts(graph):
    atoms, ties = graph
    by_id = {atom.id: atom for atom in atoms}

    for members in group(atoms, [tie for tie in ties if tie.kind != "joined"]).groups:
        assert sum(by_id[member].kind == "user_id" for member in members) <= 1


@given(graphs())
def test_claims_never_change_the_grouping_of_verified_identifiers(graph):
    """A claim is not a proof: without the claims, the proved identifiers group the same."""
    atoms, ties = graph
    proved = {atom.id for atom in atoms if atom.is_proof}
    without = [tie for tie in ties if tie.evidence == VERIFIED or tie.kind != "seen"]

    def among_proved(some):
        return {members & proved for members in group(atoms, some).groups} - {frozenset()}

    assert among_proved(ties) == among_proved(without)


@pytest.mark.parametrize("size", [2, 500])
def test_a_chain_that_a_person_joined_is_grouped_without_recursion(size):
    cards = [IdentifierNode(n, "card", f"c{n}", VERIFIED) for n in range(size)]

    drawn = group(
        cards, [IdentifierLink(a.id, b.id, VERIFIED, "joined") for a, b in pairwise(cards)]
    )

    assert len(drawn.groups) == 1
