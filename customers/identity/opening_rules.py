"""Decides which identifiers a session opens (docs/reference/identity.md, "What a proof opens"). Pure.

Joining is not opening: a record may contain identifiers that the customer has not proved. A session
opens what it proved, and one step on:

- a mailbox opens an account of each space: the proved ones, or else the only one that states it;
- an account opens a mailbox by a confirmed link;
- a card, a phone or a contract number opens by a confirmed link, one step further;
- a device opens with the account or mailbox that it is attached to;
- a phone that was proved opens itself and its devices, and no account. If several records confirmed it, its past is
  closed to all: each of them has what staff filed on its own identifiers.

Links that a source replaced, and links that are only noted, open nothing. A mailbox that was silent
for a year opens only what is later than its silence (customers.identity.silences).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from datetime import datetime
from itertools import chain
from typing import NamedTuple
from uuid import UUID

from customers.identity.families import ADDRESSES, JOINING_FAMILIES, PHONE, Family
from customers.identity.links import (
    DecisionKind,
    IdentifierNode,
    LinkKind,
    ManualDecision,
    Pair,
    last_decisions,
)
from customers.types import CONFIRMED, OPENED, STATED, OpenedRecord

# The identifiers that a person holds in the hand, so that a colleague can see whose they are.
_HELD_KINDS = frozenset({"card", PHONE})


class OpenableIdentifier(NamedTuple):
    """An identifier near the proved ones, or another one of their records."""

    node: IdentifierNode
    # The record for its events; None if no event was filed on it.
    record_id: UUID | None
    # The live record that it leads to; None if it is shared or has no record.
    live_id: UUID | None
    # The end of its silence, if a proof of it opens only what is later.
    silent_until: datetime | None = None


class OpenableLink(NamedTuple):
    """A link that no source replaced, with its evidence."""

    first: int
    second: int
    kind: str
    evidence: int
    is_joined: bool
    # Its last proof, or else its first statement.
    stated_at: datetime | None = None
    # Butler stored the link, because the customer proved it. Otherwise a source stated or confirmed it.
    is_by_customer: bool = True


class Opening(NamedTuple):
    """The records that a session opens. With several, the customer chooses one."""

    records: tuple[OpenedRecord, ...]
    # Accounts that state a proved mailbox and stay closed. The customer may refuse them.
    closed_accounts: tuple[int, ...]
    # The links to record as opened by the customer: those through which a proved mailbox opens an account.
    newly_opened: tuple[tuple[int, int], ...]


def open_records(
    proved: Collection[int],
    identifiers: Mapping[int, OpenableIdentifier],
    links: Iterable[OpenableLink],
    *,
    crowded: Collection[int] = (),
) -> Opening:
    """Return the records that these proved identifiers open, and the accounts that stay closed.

    crowded: the mailboxes with more links than were read. They open no account by a statement,
    because another account of its space may be missing.
    """
    graph = _Graph(identifiers, links)
    shared = {id_ for id_ in proved if id_ in identifiers and graph.is_shared_phone(id_)}
    proved = [id_ for id_ in proved if id_ in identifiers and id_ not in shared]
    proved_accounts = {id_ for id_ in proved if graph.family(id_) is Family.ACCOUNT}
    units = graph.with_equal_accounts(proved_accounts)
    mailboxes = {id_ for unit in units for id_ in graph.confirmed(unit, Family.MAILBOX)}
    silent = {
        id_: until
        for id_ in proved
        if id_ not in mailboxes and (until := identifiers[id_].silent_until)
    }
    accounts: set[int] = set()
    stated: set[int] = set()
    newly_opened: list[tuple[int, int]] = []
    for mailbox in proved:
        if graph.family(mailbox) is Family.MAILBOX:
            stated |= {*chain.from_iterable(graph.accounts_by_space(mailbox))}
            for candidates in graph.accounts_by_space(mailbox, since=silent.get(mailbox)):
                chosen = _chosen_accounts(graph, candidates, are_all=mailbox not in crowded)
                accounts |= graph.with_equal_accounts(chosen)
                newly_opened += [
                    (mailbox, id_) for id_ in chosen if not graph.has_own_proof(mailbox, id_)
                ]
    strong = accounts | units | mailboxes | set(proved)
    attached = {
        id_ for target in strong for id_ in graph.attached_to(target, since=silent.get(target))
    }
    opened = (strong | attached) - shared
    if not opened:
        return _without_past(shared, identifiers)
    stated_by = accounts | units
    listed = opened | {id_ for target in stated_by for id_ in graph.neighbors(target)}
    return Opening(
        records=tuple(_records(opened, listed, identifiers, silent)),
        closed_accounts=tuple(sorted(stated - opened)),
        newly_opened=tuple(sorted(newly_opened)),
    )


def _without_past(shared: Set[int], identifiers: Mapping[int, OpenableIdentifier]) -> Opening:
    """Return the opening of a session that proved shared phones alone: the numbers, and no event."""
    records = [
        record._replace(
            record_ids=frozenset(), addresses=frozenset(), is_whole=False, has_contact=False
        )
        for record in _records(shared, shared, identifiers, {})
    ]
    return Opening(records=tuple(records), closed_accounts=(), newly_opened=())


def attached_by_people(
    identifiers: Mapping[int, OpenableIdentifier],
    decisions: Iterable[ManualDecision],
    separated: Set[Pair],
) -> Iterator[OpenableLink]:
    """Yield a confirmed link for each phone or card that a person said is of a customer.

    A decision that joins accounts and mailboxes opens nothing: it is for staff and messages.
    """
    for pair, decision in last_decisions(decisions).items():
        if decision.kind != DecisionKind.MERGE or pair in separated:
            continue
        if not identifiers.keys() >= {*pair}:
            continue
        if any(identifiers[id_].node.kind in _HELD_KINDS for id_ in pair):
            yield OpenableLink(
                *pair, LinkKind.TOGETHER, CONFIRMED, is_joined=False, stated_at=decision.decided_at
            )


def _chosen_accounts(graph: "_Graph", candidates: Mapping[int, int], *, are_all: bool) -> set[int]:
    """Return the accounts that a mailbox opens, of those of one space with their evidence.

    are_all: no account of the mailbox is missing
    """
    proved = {id_ for id_, evidence in candidates.items() if evidence >= OPENED}
    if proved:
        return proved
    first = next(iter(candidates))
    is_one_account = candidates.keys() <= graph.with_equal_accounts({first})
    return {*candidates} if is_one_account and are_all else set()


class _Graph:
    """The openable links, by identifier."""

    def __init__(
        self, identifiers: Mapping[int, OpenableIdentifier], links: Iterable[OpenableLink]
    ) -> None:
        self._identifiers = identifiers
        self._links: defaultdict[int, list[tuple[int, OpenableLink]]] = defaultdict(list)
        for link in links:
            if link.first in identifiers and link.second in identifiers and self._may_open(link):
                self._links[link.first].append((link.second, link))
                self._links[link.second].append((link.first, link))

    def family(self, id_: int) -> Family:
        """Return the family of an identifier."""
        return self._identifiers[id_].node.family

    def _may_open(self, link: OpenableLink) -> bool:
        """Tell whether a link may open an identifier: it is stated, or proved for a placeholder."""
        nodes = self._identifiers[link.first].node, self._identifiers[link.second].node
        if nodes[0].erasure_id != nodes[1].erasure_id:
            return False
        if any(node.is_placeholder for node in nodes):
            return link.evidence >= OPENED
        return link.evidence >= STATED

    def _links_since(self, id_: int, since: datetime | None) -> Iterator[tuple[int, OpenableLink]]:
        """Yield the links of an identifier with their other ends: all, or those of this time on."""
        for other, link in self._links[id_]:
            if since is None or (link.stated_at is not None and link.stated_at >= since):
                yield other, link

    def accounts_by_space(
        self, mailbox: int, *, since: datetime | None = None
    ) -> Iterator[dict[int, int]]:
        """Yield the accounts that state a mailbox, with their strongest evidence, per space."""
        by_space: defaultdict[tuple[int, str], dict[int, int]] = defaultdict(dict)
        for account, link in self._links_since(mailbox, since):
            node = self._identifiers[account].node
            if node.family is Family.ACCOUNT and link.kind == LinkKind.TOGETHER:
                evidence = by_space[node.space_id, node.kind]
                evidence[account] = max(link.evidence, evidence.get(account, 0))
        yield from by_space.values()

    def has_own_proof(self, mailbox: int, account: int) -> bool:
        """Tell whether the customer proved, in Butler, that a mailbox is the address of an account."""
        return any(
            other == account and link.evidence >= OPENED and link.is_by_customer
            for other, link in self._links[mailbox]
        )

    def with_equal_accounts(self, accounts: Iterable[int]) -> set[int]:
        """Return these accounts, and those that are the same account by a joined link."""
        reached, pending = set(accounts), list(accounts)
        while pending:
            account = pending.pop()
            for other, link in self._links[account]:
                if other not in reached and self._are_one_account(account, other, link):
                    reached.add(other)
                    pending.append(other)
        return reached

    def _are_one_account(self, first: int, second: int, link: OpenableLink) -> bool:
        """Tell whether a link makes two accounts one, such as a till's number and the app's."""
        if not self.family(first) is self.family(second) is Family.ACCOUNT:
            return False
        is_one_record = self._identifiers[first].live_id == self._identifiers[second].live_id
        return link.is_joined or (link.kind == LinkKind.EQUAL and is_one_record)

    def is_shared_phone(self, id_: int) -> bool:
        """Tell whether several records confirmed a phone, such as those of a family."""
        if self._identifiers[id_].node.kind != PHONE:
            return False
        ends = [*self.confirmed(id_, Family.ACCOUNT), *self.confirmed(id_, Family.MAILBOX)]
        return len({self._identifiers[end].live_id or end for end in ends}) > 1

    def neighbors(self, id_: int) -> Iterator[int]:
        """Yield the identifiers that a link connects with this one."""
        yield from (other for other, _ in self._links[id_])

    def confirmed(self, id_: int, family: Family) -> Iterator[int]:
        """Yield the identifiers of a family that a confirmed link connects with this one."""
        for other, link in self._links[id_]:
            if link.evidence >= CONFIRMED and self.family(other) is family:
                yield other

    def attached_to(self, target: int, *, since: datetime | None = None) -> Iterator[int]:
        """Yield the attached ids and devices on the record of this identifier that open with it."""
        live_id = self._identifiers[target].live_id
        is_leaf = self.family(target) not in JOINING_FAMILIES
        for other, link in self._links_since(target, since):
            family = self.family(other)
            is_open = family is Family.DEVICE or (
                family is Family.ATTACHED and link.evidence >= CONFIRMED and not is_leaf
            )
            if is_open and live_id is not None and self._identifiers[other].live_id == live_id:
                yield other


def _records(
    opened: Set[int],
    listed: Set[int],
    identifiers: Mapping[int, OpenableIdentifier],
    silent: Mapping[int, datetime],
) -> Iterator[OpenedRecord]:
    """Yield the opened part of each live record, those with accounts first."""
    by_record: defaultdict[UUID, list[int]] = defaultdict(list)
    for id_, identifier in identifiers.items():
        if identifier.live_id is not None:
            by_record[identifier.live_id].append(id_)
    parts = [
        _opened_record(live_id, {id_: identifiers[id_] for id_ in ids}, opened, listed, silent)
        for live_id, ids in by_record.items()
        if not opened.isdisjoint(ids)
    ]
    yield from sorted(
        parts, key=lambda part: (not part.account_ids, part.account_ids, part.live_id)
    )


def _opened_record(
    live_id: UUID,
    of_record: Mapping[int, OpenableIdentifier],
    opened: Set[int],
    listed: Set[int],
    silent: Mapping[int, datetime],
) -> OpenedRecord:
    families = {id_: identifier.node.family for id_, identifier in of_record.items()}
    ids = of_record.keys() & opened
    later_ids = ids & silent.keys()
    whole_ids = ids - later_ids
    accounts = tuple(sorted(id_ for id_ in ids if families[id_] is Family.ACCOUNT))
    closed = [of_record[id_] for id_ in of_record.keys() - whole_ids]
    hides_data = any(other.record_id or other.node.kind in ADDRESSES for other in closed)
    record_ids = _filed_on(of_record[id_] for id_ in whole_ids)
    return OpenedRecord(
        live_id=live_id,
        identifier_ids=frozenset(ids),
        account_ids=accounts,
        record_ids=record_ids,
        addresses=_addresses(of_record[id_] for id_ in whole_ids),
        listed_ids=frozenset(of_record.keys() & listed),
        closed_mailboxes=tuple(
            sorted(
                of_record[id_].node.value
                for id_ in (of_record.keys() & listed) - ids
                if families[id_] is Family.MAILBOX
            )
        ),
        is_whole=not hides_data and of_record.keys() <= listed,
        has_contact=_opens_contact(families, whole_ids),
        later_record_ids=_filed_on(of_record[id_] for id_ in later_ids) - record_ids,
        later_addresses=_addresses(of_record[id_] for id_ in later_ids),
        opened_since=max((silent[id_] for id_ in later_ids), default=None),
    )


def _filed_on(identifiers: Iterable[OpenableIdentifier]) -> frozenset[UUID]:
    """Return the records for the events of these identifiers."""
    return frozenset(record for identifier in identifiers if (record := identifier.record_id))


def _addresses(identifiers: Iterable[OpenableIdentifier]) -> frozenset[str]:
    return frozenset(
        node.value for identifier in identifiers if (node := identifier.node).kind in ADDRESSES
    )


def _opens_contact(families: Mapping[int, Family], opened: Set[int]) -> bool:
    """Tell whether a mailbox of the record is open; without a mailbox, an account, or else all."""
    for family in (Family.MAILBOX, Family.ACCOUNT):
        of_family = {id_ for id_ in families if families[id_] is family}
        if of_family:
            return not of_family.isdisjoint(opened)
    return families.keys() <= opened
