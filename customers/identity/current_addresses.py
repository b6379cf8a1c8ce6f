"""Tells which links of a component say the current address of an account, and which are pending.

The rules are in `customers.identity.addresses`. This module applies them to stored links.
"""

from collections import defaultdict
from collections.abc import Sequence, Set
from datetime import datetime

from customers import sql
from customers.identity import addresses, link_rules
from customers.identity.addresses import AddressProof, AddressStatement
from customers.identity.families import Family
from customers.identity.graph import Component, StoredLink
from customers.identity.links import IdentifierLink, LinkKind, ManualDecision
from customers.identity.separations import first_pair, first_periods, separated_since
from customers.types import BUTLER_SOURCE_ID, OPENED, STATED

# An account, a mailbox by its first period, and a link between them.
type _MailboxLink = tuple[int, int, StoredLink]


def links_for_grouping(
    links: Sequence[StoredLink], separated: Set[int], replaced: Set[int]
) -> list[IdentifierLink]:
    """Return links as the grouping reads them: a proof that is pending counts as a statement.

    separated, replaced: ids of links
    """
    grouped = []
    for link in links:
        is_pending = link.id in replaced and link.evidence >= OPENED and link.id not in separated
        read = link.link(is_current=link.id not in replaced)
        grouped.append(read._replace(evidence=STATED) if is_pending else read)
    return grouped


def mailbox_links(component: Component) -> list[_MailboxLink]:
    """Return (account, mailbox, link) for each statement that a mailbox belongs to an account.

    The mailbox is named by its first period.
    """
    rows = {row.id: row for row in component.rows}
    firsts = _first_periods(component)
    ends = []
    for link in component.links:
        families = rows[link.first].node.family, rows[link.second].node.family
        is_address = set(families) == {Family.ACCOUNT, Family.MAILBOX}
        is_across = rows[link.first].erasure_id != rows[link.second].erasure_id
        if link.kind == LinkKind.TOGETHER and is_address and not is_across:
            is_first = families[0] is Family.ACCOUNT
            account, mailbox = (link.first, link.second) if is_first else (link.second, link.first)
            ends.append((account, firsts.get(mailbox, mailbox), link))
    return ends


def _first_periods(component: Component) -> dict[int, int]:
    return first_periods(link.link(is_current=True) for link in component.links)


def new_placeholders(component: Component) -> frozenset[int]:
    """Return the accounts that turn out to be placeholders by these links."""
    times: defaultdict[int, dict[int, StoredLink]] = defaultdict(dict)
    for account, mailbox, link in mailbox_links(component):
        if link.evidence == STATED:
            earlier = times[account].get(mailbox, link)
            times[account][mailbox] = min(earlier, link, key=lambda link: link.occurred_at)
    earlier_placeholders = {row.id for row in component.rows if row.is_placeholder}
    return frozenset(
        account
        for account, by_mailbox in times.items()
        if account not in earlier_placeholders
        and addresses.is_placeholder(
            {mailbox: link.occurred_at for mailbox, link in by_mailbox.items()}
        )
    )


def replaced_links(
    component: Component,
    touched: Set[int],
    stated: Sequence[AddressStatement],
    separated: Set[int],
) -> set[int]:
    """Return the ids of the links whose mailbox is not the current address of its account.

    Links of accounts that the change does not touch keep their state.

    stated: the statements of the batch that is being stored
    separated: the `separated_link_ids`
    """
    links = mailbox_links(component)
    customers = _account_customers(component, links, separated)
    numbers = {customers.get(id_) for id_ in touched} - {None}
    touched |= {account for account, customer in customers.items() if customer in numbers}
    replaced = {
        link.id for account, _, link in links if link.state == "replaced" and account not in touched
    }
    proofs = _address_proofs(links, separated)
    proved = addresses.effective_proofs(
        (proof for id_, proof in proofs.items() if id_ not in replaced), customers
    )
    replaced |= {
        id_
        for id_, proof in proofs.items()
        if proof.account in touched
        and (customers.get(proof.account, proof.account), proof.mailbox) not in proved
    }
    by_source: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
    first_stated: dict[tuple[int, int, int], datetime] = {}
    for account, mailbox, link in links:
        by_source[account, link.source_id].add(mailbox)
        address = account, mailbox, link.source_id
        first_stated[address] = min(link.occurred_at, first_stated.get(address, link.occurred_at))
    competing = {account for (account, _), mailboxes in by_source.items() if len(mailboxes) > 1}
    competing &= touched
    # The latest statement decides between addresses of one source, so they need the log.
    statements = _latest_statements(competing)
    firsts = _first_periods(component)
    statements += [statement for statement in stated if statement.account in competing]
    statements = [
        statement._replace(mailbox=firsts.get(statement.mailbox, statement.mailbox))
        for statement in statements
    ]
    statements += [
        AddressStatement(account, mailbox, link.source_id, link.occurred_at, link.arrival)
        for account, mailbox, link in links
        if account in touched - competing
    ]
    old = addresses.replaced_addresses(statements, proved, first_stated, customers)
    return replaced | {
        link.id for account, mailbox, link in links if (account, mailbox, link.source_id) in old
    }


def _account_customers(
    component: Component, address_links: Sequence[_MailboxLink], separated: Set[int]
) -> dict[int, int]:
    """Return, by account, the lowest id of the accounts that are the same person for their sources.

    An owner named these accounts in one event or as an alias. Equal numbers of a space count if both
    were named with one mailbox.
    """
    nodes = {row.id: row.node for row in component.rows}
    mailboxes: defaultdict[int, set[int]] = defaultdict(set)
    for account, mailbox, _ in address_links:
        mailboxes[account].add(mailbox)
    customers: dict[int, int] = {}
    for stored in component.links:
        link = stored.link(is_current=True)
        is_same = link.kind in (LinkKind.TOGETHER, LinkKind.ALIAS) or (
            link.kind == LinkKind.EQUAL
            and nodes[link.first].space_id == nodes[link.second].space_id
            and not mailboxes[link.first].isdisjoint(mailboxes[link.second])
        )
        is_stated = link.evidence >= STATED and link_rules.are_own_numbers(nodes, link)
        if is_same and is_stated and stored.id not in separated:
            ends = [customers.get(end, end) for end in link.pair]
            joined = {account for account, customer in customers.items() if customer in ends}
            customers |= dict.fromkeys(joined | {*link.pair}, min(ends))
    return customers


def _address_proofs(
    address_links: Sequence[_MailboxLink], separated: Set[int]
) -> dict[int, AddressProof]:
    """Return the proofs of addresses by the id of their link, without those that people separated."""
    return {
        link.id: AddressProof(
            account,
            mailbox,
            link.occurred_at,
            link.arrival,
            is_by_customer=link.source_id == BUTLER_SOURCE_ID,
        )
        for account, mailbox, link in address_links
        if link.evidence >= OPENED and link.id not in separated
    }


def separated_link_ids(
    links: Sequence[StoredLink], decisions: Sequence[ManualDecision]
) -> set[int]:
    """Return the ids of the links whose ends a person separated, in any period of the address."""
    current = {link.id: link.link(is_current=True) for link in links}
    firsts = first_periods(current.values())
    separated = separated_since(list(current.values()), decisions).keys()
    return {id_ for id_, link in current.items() if first_pair(link.pair, firsts) in separated}


def _latest_statements(accounts: Set[int]) -> list[AddressStatement]:
    """Return the latest statements about the addresses of these accounts, from the log."""
    rows = sql.rows("read_latest_addresses", {"ids": sorted(accounts)}) if accounts else []
    return [AddressStatement(*row) for row in rows]
