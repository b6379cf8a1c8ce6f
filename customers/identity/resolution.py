"""Where each event belongs: finds the records of a batch, and opens those that are missing.

Every event is filed under the strongest identifier it came with. What belongs together is the
business of `customers.identity.merging`, which is called only when identifiers meet for the first time.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from uuid_utils.compat import uuid7

from customers import sql
from customers.db.retry import RetryTransaction
from customers.identity import merging, shortcuts
from customers.identity.grouping import ORDER, filing_order, order_number
from customers.identity.normalize import is_kind, normalize
from customers.identity.shortcuts import Atom
from customers.projections.orders import NAMES, PLACED
from customers.types import CLAIMED, VERIFIED, WEAK_KINDS, IncomingEvent, Sender

# How an identifier names the source of an order: `order_of`.
_ORDER_OF = f"{ORDER}:"
# What changes an order that stands.
_CHANGES = NAMES - {PLACED}

# So much may hang together where a new link is drawn, and for each end of one in a batch so
# much more. Anybody can claim: without a bound, a page that claims a few thousand browsers to
# be one address makes each further event as dear as all of them together.
MOST = {CLAIMED: 250, VERIFIED: 10_000}
MOST_EACH = 50

# A link: left and right identifier, its evidence and kind.
type _Ends = tuple[int, int, int, str]
# Links to draw, and their kinds.
type Links = dict[tuple[Atom, Atom], str]


class Place(NamedTuple):
    """One identifier, the record it files under, and the head of the log it leads to."""

    id: int
    record_id: UUID | None
    customer_id: UUID | None
    version: int
    is_shared: bool = False


def atoms_of(item: IncomingEvent, sender: Sender) -> tuple[Atom, ...]:
    """Return the usable identifiers of an event, the one it is filed under first."""
    atoms = set()
    for kind, raw in item.identifiers:
        kind, _, source = kind.partition(":") if kind.startswith(_ORDER_OF) else (kind, "", "")
        value = normalize(kind, raw, sender.default_region) if is_kind(kind) else None
        if value is None:
            continue
        weak = kind in WEAK_KINDS
        if weak and sender.is_shared:
            # Whoever used a kiosk yesterday is not who uses it today.
            value = f"{value}@{sender.source_id}/{item.occurred_at:%Y-%m-%d}"
        if kind == ORDER:
            value = f"{source or sender.source_id}/{value}"
        atoms.add((kind, value, CLAIMED if weak else sender.evidence))
    if sender.evidence == CLAIMED:
        # A number that somebody claims says nothing of whom the order belongs to.
        atoms = {atom for atom in atoms if atom[0] != ORDER} or atoms
    return tuple(sorted(atoms, key=lambda a: (*filing_order(a[0], a[2]), a)))


def locate(atoms: Iterable[Atom]) -> tuple[dict[Atom, Place], set[tuple[str, str]]]:
    """Find and lock what is known of these identifiers; tell which values are blocked."""
    return read_places(sql.run("resolve_identifiers", {"wanted": sql.json(list(atoms))}))


def read_places(cursor: Iterable[Any]) -> tuple[dict[Atom, Place], set[tuple[str, str]]]:
    """Read the rows of resolve_identifiers.sql."""
    places: dict[Atom, Place] = {}
    blocked: set[tuple[str, str]] = set()
    for id_, kind, value, evidence, record, customer, version, is_shared, is_stale in cursor:
        if is_stale:
            raise RetryTransaction
        if id_ is None:
            blocked.add((kind, value))
        else:
            places[kind, value, evidence] = Place(id_, record, customer, version or 0, is_shared)
    return places, blocked


def order_of(source_id: int, number: str) -> tuple[str, str]:
    """Return the identifier by which an event of any source names an order of this source."""
    return f"{_ORDER_OF}{source_id}", number


def changed_first(
    items: Iterable[IncomingEvent], groups: Iterable[tuple[Atom, ...]], places: Mapping[Atom, Place]
) -> list[tuple[Atom, ...]]:
    """Put the order first where an event changes an order that belongs to somebody else."""
    return [_changed_first(*pair, places) for pair in zip(items, groups, strict=True)]


def _changed_first(
    item: IncomingEvent, atoms: tuple[Atom, ...], places: Mapping[Atom, Place]
) -> tuple[Atom, ...]:
    """File a change of an order on the order, where it names another customer than the order."""
    order = next((atom for atom in atoms if atom[0] == ORDER), None)
    place = places.get(order) if order and item.name in _CHANGES else None
    if order is None or place is None or place.is_shared or place.customer_id is None:
        return atoms
    head = places.get(atoms[0])
    if head is not None and head.customer_id == place.customer_id:
        return atoms
    return (order, *(atom for atom in atoms if atom != order))


def links_of(events: Iterable[tuple[IncomingEvent, tuple[Atom, ...]]], sender: Sender) -> Links:
    """Return what events tie together: all with the strongest that is not an order."""
    own = f"{sender.source_id}/"
    links: Links = {}
    for item, atoms in events:
        people = [atom for atom in atoms if atom[0] != ORDER]
        for other in people[1:]:
            links[people[0], other] = "seen"
        for order in atoms if people else ():
            if order[0] == ORDER and order[1].startswith(own):
                is_placed = item.name == PLACED or links.get((people[0], order)) == "placed"
                links[people[0], order] = "placed" if is_placed else "seen"
    return links


def file(
    groups: Sequence[tuple[Atom, ...]],
    links: Links,
    places: dict[Atom, Place],
    sender: Sender,
    now: datetime,
) -> dict[Atom, Place]:
    """Open what is missing, so that every event of the batch has a place to go."""
    unknown = {atom for atoms in groups for atom in atoms if atom not in places}
    repeated = _hold_numbers({atom for atoms in groups for atom in atoms}, places)
    heads = {atoms[0] for atoms in groups}
    homeless = [h for h in heads if h not in places or places[h].record_id is None]
    records = dict(zip(homeless, _open_records(len(homeless), now), strict=True))
    settled = _settle(records, places)
    certain: dict[Atom, UUID] = {}
    if unknown:
        owners = {a: None if p.is_shared else p.customer_id for a, p in places.items()}
        certain = shortcuts.settle(links.keys(), sender.evidence, records, owners)
        places |= _write_down(unknown, records, certain, now)
    ties, ordered = _link(links, places, sender, certain.keys()) if links else (set(), set())
    ordered |= {places[atom].id for atom in repeated & unknown}
    touched, moved = _draw(settled | ordered, ties, places, sender, now)
    if strong := [places[atom].id for atom in unknown if atom[0] not in WEAK_KINDS]:
        sql.run("suggest_twins", {"ids": strong})
    again = [a for a, p in places.items() if p.id in touched or p.customer_id in moved]
    return places | locate(again)[0] if again else places


def _hold_numbers(atoms: Iterable[Atom], places: Mapping[Atom, Place]) -> set[Atom]:
    """Wait for others who bring these new orders; return those whose number another order has.

    What one source says of a number alone follows the only order that has it, so that an order
    counts as new until somebody is known to have placed it.
    """
    new = {
        atom
        for atom in atoms
        if atom[0] == ORDER and atom[2] == VERIFIED
        if (place := places.get(atom)) is None or place.record_id is not None
    }
    if not new:
        return set()
    numbers = {"numbers": sorted({order_number(atom[1]) for atom in new})}
    sql.rows("hold_numbers", numbers)
    known = {number for (number,) in sql.rows("find_numbers", numbers)}
    return {atom for atom in new if order_number(atom[1]) in known}


def _draw(
    settled: set[int], ties: set[_Ends], places: dict[Atom, Place], sender: Sender, now: datetime
) -> tuple[set[int], set[UUID]]:
    """Draw the groups around what is news; return that, and the records it concerned."""
    touched = settled | {end for left, right, *_ in ties for end in (left, right)}
    if not touched:
        return set(), set()
    held = {place.customer_id for place in places.values() if place.customer_id}
    most = MOST[sender.evidence] + MOST_EACH * len(touched)
    try:
        return touched, merging.regroup(touched, now=now, held=held, most=most)
    except merging.Heap as heap:
        _take_back(ties)
        if heap.oldest:
            merging.ask_about_heap(heap.oldest, sender.evidence)
    return settled, merging.regroup(settled, now=now, held=held) if settled else set()


def _take_back(ties: set[_Ends]) -> None:
    """Leave the heap as it is: what came now stays beside it, each under its own record."""
    if ties:
        lefts, rights, evidences, _ = (list(column) for column in zip(*ties, strict=True))
        sql.run("drop_links", {"lefts": lefts, "rights": rights, "evidences": evidences})


def _open_records(count: int, now: datetime) -> list[UUID]:
    ids = [uuid7() for _ in range(count)]
    if ids:
        sql.run("open_records", {"ids": ids, "now": now})
    return ids


def _settle(records: dict[Atom, UUID], places: dict[Atom, Place]) -> set[int]:
    """Give known identifiers that have no record of their own the one just opened."""
    settled = [(places[atom].id, record) for atom, record in records.items() if atom in places]
    if not settled:
        return set()
    ids, record_ids = zip(*settled, strict=True)
    done = sql.run("settle_identifiers", {"ids": list(ids), "records": list(record_ids)})
    if done.rowcount != len(settled):
        raise RetryTransaction
    return set(ids)


def _write_down(
    unknown: set[Atom], records: dict[Atom, UUID], certain: dict[Atom, UUID], now: datetime
) -> dict[Atom, Place]:
    owners = records | certain
    rows = [
        {
            "kind": atom[0],
            "value": atom[1],
            "evidence": atom[2],
            "record_id": records.get(atom),
            "customer_id": owners.get(atom),
        }
        for atom in unknown
    ]
    added = sql.rows("add_identifiers", {"identifiers": sql.json(rows), "now": now})
    if len(added) != len(unknown):
        raise RetryTransaction
    return {
        atom: Place(id_, records.get(atom), owners.get(atom), 0)
        for id_, *written in added
        for atom in (_atom(*written),)
    }


def _atom(kind: str, value: str, evidence: int) -> Atom:
    return kind, value, evidence


def _link(
    links: Links, places: dict[Atom, Place], sender: Sender, certain: Set[Atom]
) -> tuple[set[_Ends], set[int]]:
    """Write down which identifiers came together.

    Return the links that have to be drawn for that, and the orders that were newly linked.
    """
    ends: dict[_Ends, tuple[Atom, Atom]] = {}
    for (head, other), kind in links.items():
        left, right = sorted((places[head].id, places[other].id))
        ends[left, right, sender.evidence, kind] = head, other
    names = ("lefts", "rights", "evidences", "kinds")
    columns = (list(column) for column in zip(*ends, strict=True))
    known = sql.rows("find_links", dict(zip(names, columns, strict=True)))
    news = ends.keys() - set(known)
    if news:
        rows = [dict(zip(("left", "right", "evidence", "kind"), tie, strict=True)) for tie in news]
        sql.run("add_links", {"links": sql.json(rows), "source_id": sender.source_id})
    ordered = {ends[tie][1] for tie in news if ends[tie][1][0] == ORDER}
    ties = {t for t in news if ends[t][1][0] != ORDER and certain.isdisjoint(ends[t])}
    return ties, {places[order].id for order in ordered - certain}
