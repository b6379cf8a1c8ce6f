"""Laws of the grouping that hold for any identifiers, links and decisions."""

from collections import defaultdict

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from customers.identity.families import PHONE, Family
from customers.identity.grouping import group
from customers.identity.links import (
    DecisionKind,
    LinkKind,
    last_decisions,
)
from customers.types import STATED
from tests.customers.identity.graphs import CHOICES, WEAK, Graph, as_sets, graphs, links_between
from tests.size import examples

EXAMPLES = settings(max_examples=examples(60, long=5_000))
ACCOUNT_OR_MAILBOX = {Family.ACCOUNT, Family.MAILBOX}
RANDOM = st.randoms(use_true_random=False)


def components(ids, pairs):
    """Return the connected components as sets of ids."""
    component_of = {id_: {id_} for id_ in ids}
    for first, second in pairs:
        if component_of[first] is not component_of[second]:
            component_of[first] |= component_of[second]
            for member in component_of[second]:
                component_of[member] = component_of[first]
    return {frozenset(component) for component in component_of.values()}


def separated_pairs(graph):
    """Return the pairs that a person separated, and the customer did not prove together later."""
    return {
        pair
        for pair, decision in last_decisions(graph.decisions).items()
        if decision.kind == DecisionKind.SEPARATE
        and not any(
            link.own_proof_at and link.pair == pair and link.own_proof_at > decision.decided_at
            for link in graph.links
        )
    }


def deciding_pairs(graph):
    """Return the pairs that people or aliases may have joined."""
    merges = {
        pair
        for pair, decision in last_decisions(graph.decisions).items()
        if decision.kind == DecisionKind.MERGE
    }
    aliases = {
        link.pair for link in graph.links if link.kind == LinkKind.ALIAS and link.evidence >= STATED
    }
    return merges | aliases


def same_group(groups, pair):
    return any(set(pair) <= members for members in groups)


def is_attached_only_where_clear(graph, pair):
    """Tell whether a phone, a device or a number that a till typed is one of the ends."""
    ends = [graph.by_id[id_] for id_ in pair]
    return any(end.kind == PHONE or end.family is Family.DEVICE or end.is_noted for end in ends)


def is_joining_proof(graph, link):
    families = graph.families(link.pair)
    is_joining = families != {Family.MAILBOX} and Family.REFERENCE not in families
    return link.is_proved and link.kind == LinkKind.TOGETHER and is_joining


# Order, numbering and repetition ------------------------------------------------------


@EXAMPLES
@given(graphs(), RANDOM)
def test_order_and_repetition_of_nodes_links_and_decisions_never_matter(graph, random):
    shuffled = Graph(
        random.sample(graph.nodes, len(graph.nodes)),
        random.sample(graph.links * 2, len(graph.links) * 2),
        random.sample(graph.decisions, len(graph.decisions)),
    )

    assert as_sets(shuffled.grouping()) == as_sets(graph.grouping())


@EXAMPLES
@given(graphs(), RANDOM)
def test_ids_that_another_order_of_arrival_gives_never_matter(graph, random):
    ids = [node.id for node in graph.nodes]
    new_ids = dict(zip(ids, random.sample(ids, len(ids)), strict=True))
    renumbered = Graph(
        [node._replace(id=new_ids[node.id]) for node in graph.nodes],
        [renumber(link, new_ids) for link in graph.links],
        [renumber(decision, new_ids) for decision in graph.decisions],
    )

    assert renumbered.groups() == {
        frozenset(new_ids[member] for member in members) for members in graph.groups()
    }


def renumber(statement, new_ids):
    first, second = sorted((new_ids[statement.first], new_ids[statement.second]))
    return statement._replace(first=first, second=second)


@EXAMPLES
@given(graphs())
def test_every_identifier_is_in_exactly_one_group(graph):
    members = [member for members in graph.grouping().groups for member in members]

    assert sorted(members) == sorted(node.id for node in graph.nodes)


@EXAMPLES
@given(graphs())
def test_later_statement_of_the_same_link_changes_nothing(graph):
    later = [
        link._replace(occurred_at=link.occurred_at.replace(year=2027), own_proof_at=None)
        for link in graph.links
    ]

    assert graph.plus(*later).groups() == graph.groups()


# Contents of a group ------------------------------------------------------------------


@EXAMPLES
@given(graphs())
def test_no_group_holds_two_numbers_of_one_space_that_nobody_joined(graph):
    decided = components(graph.by_id, deciding_pairs(graph))
    for members in graph.groups():
        numbers = defaultdict(set)
        links = []
        for member in members:
            node = graph.by_id[member]
            if node.family is Family.ACCOUNT:
                numbers[node.space_id, node.kind].add(node.number)
        for (space_id, kind), values in numbers.items():
            for component in decided:
                joined = {
                    graph.by_id[member].number
                    for member in component & members
                    if (graph.by_id[member].space_id, graph.by_id[member].kind) == (space_id, kind)
                    and graph.by_id[member].family is Family.ACCOUNT
                }
                links += [((space_id, kind, min(joined)), (space_id, kind, of)) for of in joined]
            names = {(space_id, kind, value) for value in values}
            assert len(components(names, [link for link in links if link[0] in names])) == 1


@EXAMPLES
@given(graphs())
def test_no_group_holds_a_separated_pair(graph):
    groups = graph.groups()

    assert not any(same_group(groups, pair) for pair in separated_pairs(graph))


@EXAMPLES
@given(graphs())
def test_each_join_has_a_path_of_strong_links_and_decisions(graph):
    reasons = deciding_pairs(graph) | {
        link.pair
        for link in graph.links
        if link.evidence >= STATED and Family.REFERENCE not in graph.families(link.pair)
    }
    for members in graph.groups():
        inside = [pair for pair in reasons if set(pair) <= members]
        assert components(members, inside) == {members}


@EXAMPLES
@given(graphs())
def test_accounts_and_mailboxes_group_the_same_without_their_attached_identifiers(graph):
    graph = graph._replace(decisions=[])
    cores = [n for n in graph.nodes if n.family in (Family.ACCOUNT, Family.MAILBOX)]
    ids = {node.id for node in cores}
    links = [link for link in graph.links if set(link.pair) <= ids]
    alone = Graph(cores, links, [])

    assert alone.groups() == {members & ids for members in graph.groups()} - {frozenset()}


# Weak and refused statements ----------------------------------------------------------


@EXAMPLES
@given(graphs(), CHOICES)
def test_claimed_or_noted_link_never_changes_anything(graph, choices):
    weak = links_between(graph.nodes, choices, WEAK)

    assert as_sets(graph.plus(*weak).grouping()) == as_sets(graph.grouping())


@EXAMPLES
@given(graphs())
def test_second_source_of_a_contested_link_never_changes_a_group(graph):
    contested = [
        link._replace(
            evidence=STATED,
            source_id=9,
            occurred_at=link.occurred_at.replace(year=2027),
            own_proof_at=None,
        )
        for link in graph.grouping().contested
    ]

    assert graph.plus(*contested).groups() == graph.groups()


@EXAMPLES
@given(graphs())
def test_contested_links_can_be_left_out_but_for_addresses_of_accounts(graph):
    """Step 5 asks which mailboxes an account ever named, so refused addresses count."""
    refused = {
        link
        for link in graph.grouping().contested
        if graph.families(link.pair) != ACCOUNT_OR_MAILBOX
    }
    accepted = [link for link in graph.links if link not in refused]

    assert graph._replace(links=accepted).groups() == graph.groups()


@EXAMPLES
@given(graphs())
def test_no_statement_parts_what_proofs_join(graph):
    """Except for identifiers that only one record may have, and for those attached to a card."""
    direct = [link for link in graph.links if graph.families(link.pair) & ACCOUNT_OR_MAILBOX]
    graph = graph._replace(links=[link for link in direct if link.kind != LinkKind.ALIAS])
    proofs = [link for link in graph.links if is_joining_proof(graph, link)]
    joined, groups = graph._replace(links=proofs).groups(), graph.groups()

    for proof in proofs:
        if same_group(joined, proof.pair) and not is_attached_only_where_clear(graph, proof.pair):
            assert same_group(groups, proof.pair)


# Decisions ----------------------------------------------------------------------------


@EXAMPLES
@given(graphs(), RANDOM)
def test_decision_that_is_taken_out_gives_what_was_before(graph, random):
    assume(graph.decisions)
    undone = random.choice(graph.decisions)
    before = [decision for decision in graph.decisions if decision is not undone]
    groups = graph._replace(decisions=before).groups()

    graph.groups()
    after = [decision for decision in graph.decisions if decision.number != undone.number]

    assert graph._replace(decisions=after).groups() == groups


@EXAMPLES
@given(graphs(), RANDOM)
def test_earlier_decision_about_the_same_pair_never_matters(graph, random):
    assume(graph.decisions)
    last = random.choice(list(last_decisions(graph.decisions).values()))
    earlier = [
        decision
        for decision in graph.decisions
        if decision.pair != last.pair or decision.number == last.number
    ]

    assert graph._replace(decisions=earlier).groups() == graph.groups()


@EXAMPLES
@given(graphs())
def test_component_of_accepted_links_and_decisions_groups_alone_as_in_the_whole(graph):
    """Except for addresses, and for identifiers that only one record may have: all links count."""
    grouping = graph.grouping()
    contested = {link.pair for link in grouping.contested}
    accepted = {link.pair for link in graph.links} - contested
    decided = {decision.pair for decision in graph.decisions}
    unclear = {pair for pair in contested if is_attached_only_where_clear(graph, pair)}
    groups = set()
    for ids in components(graph.by_id, accepted | decided | graph.address_pairs | unclear):
        alone = [node for node in graph.nodes if node.id in ids]
        groups |= set(group(alone, graph.links, graph.decisions).groups)

    assert groups == set(grouping.groups)
