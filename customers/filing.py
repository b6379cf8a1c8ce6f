"""Where each event belongs: finds the records of a batch, and opens those that are missing.

Every event is filed under the strongest identifier it came with. What belongs together is the
business of `customers.regroup`, which is called only when identifiers meet for the first time.
"""

from collections.abc import Iterable, Sequence, Set
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from uuid_utils.compat import uuid7

from customers import newcomers, regroup, sql
from customers.identity import filing_order
from customers.newcomers import Atom
from customers.normalize import is_kind, normalize
from customers.profile import CLAIMED, VERIFIED, WEAK_KINDS, Item, Sender
from customers.races import LookAgain

# So much may hang together where a new link is drawn, and for each end of one in a batch so
# much more. Anybody can claim: without a bound, a page that claims a few thousand browsers to
# be one address makes each further event as dear as all of them together.
MOST = {CLAIMED: 250, VERIFIED: 10_000}
MOST_EACH = 50

# A link: left and right identifier, and its trust.
type _Ends = tuple[int, int, int]


class Place(NamedTuple):
    """One identifier, the record it files under, and the head of the log it leads to."""

    id: int
    record_id: UUID | None
    customer_id: UUID | None
    version: int
    is_shared: bool = False


def atoms_of(item: Item, sender: Sender) -> tuple[Atom, ...]:
    """Return the usable identifiers of an event, the one it is filed under first."""
    atoms = set()
    for kind, raw in item.identifiers:
        value = normalize(kind, raw, sender.default_region) if is_kind(kind) else None
        if value is None:
            continue
        weak = kind in WEAK_KINDS
        if weak and sender.is_shared:
            # Whoever used a kiosk yesterday is not who uses it today.
            value = f"{value}@{sender.source_id}/{item.occurred_at:%Y-%m-%d}"
        atoms.add((kind, value, CLAIMED if weak else sender.trust))
    return tuple(sorted(atoms, key=lambda a: (*filing_order(a[0], a[2]), a)))


def locate(atoms: Iterable[Atom]) -> tuple[dict[Atom, Place], set[tuple[str, str]]]:
    """Find and lock what is known of these identifiers; tell which values are blocked."""
    return read_places(sql.run("resolve_identifiers", {"wanted": sql.json(list(atoms))}))


def read_places(cursor: Iterable[Any]) -> tuple[dict[Atom, Place], set[tuple[str, str]]]:
    """Read the rows of resolve_identifiers.sql."""
    places: dict[Atom, Place] = {}
    blocked: set[tuple[str, str]] = set()
    for id_, kind, value, trust, record, customer, version, is_shared, is_stale in cursor:
        if is_stale:
            raise LookAgain
        if id_ is None:
            blocked.add((kind, value))
        else:
            places[kind, value, trust] = Place(id_, record, customer, version or 0, is_shared)
    return places, blocked


def file(
    groups: Sequence[tuple[Atom, ...]], places: dict[Atom, Place], sender: Sender, now: datetime
) -> dict[Atom, Place]:
    """Open what is missing, so that every event of the batch has a place to go."""
    unknown = {atom for atoms in groups for atom in atoms if atom not in places}
    links = {(atoms[0], other) for atoms in groups for other in atoms[1:]}
    heads = {atoms[0] for atoms in groups}
    homeless = [h for h in heads if h not in places or places[h].record_id is None]
    records = dict(zip(homeless, _open_records(len(homeless), now), strict=True))
    settled = _settle(records, places)
    certain: dict[Atom, UUID] = {}
    if unknown:
        owners = {a: None if p.is_shared else p.customer_id for a, p in places.items()}
        certain = newcomers.settle(links, sender.trust, records, owners)
        places |= _write_down(unknown, records, certain, now)
    ties = _link(links, places, sender, certain.keys()) if links else set()
    touched, moved = _draw(settled, ties, places, sender, now)
    if strong := [places[atom].id for atom in unknown if atom[0] not in WEAK_KINDS]:
        sql.run("suggest_twins", {"ids": strong})
    again = [a for a, p in places.items() if p.id in touched or p.customer_id in moved]
    return places | locate(again)[0] if again else places


def _draw(
    settled: set[int], ties: set[_Ends], places: dict[Atom, Place], sender: Sender, now: datetime
) -> tuple[set[int], set[UUID]]:
    """Draw the groups around what is news; return that, and the records it concerned."""
    touched = settled | {end for left, right, _ in ties for end in (left, right)}
    if not touched:
        return set(), set()
    held = {place.customer_id for place in places.values() if place.customer_id}
    most = MOST[sender.trust] + MOST_EACH * len(touched)
    try:
        return touched, regroup.regroup(touched, now=now, held=held, most=most)
    except regroup.Heap as heap:
        _take_back(ties)
        if heap.oldest:
            regroup.ask_about_heap(heap.oldest, sender.trust)
    return settled, regroup.regroup(settled, now=now, held=held) if settled else set()


def _take_back(ties: set[_Ends]) -> None:
    """Leave the heap as it is: what came now stays beside it, each under its own record."""
    if ties:
        lefts, rights, trusts = (list(column) for column in zip(*ties, strict=True))
        sql.run("drop_links", {"lefts": lefts, "rights": rights, "trusts": trusts})


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
        raise LookAgain
    return set(ids)


def _write_down(
    unknown: set[Atom], records: dict[Atom, UUID], certain: dict[Atom, UUID], now: datetime
) -> dict[Atom, Place]:
    owners = records | certain
    rows = [
        {
            "kind": atom[0],
            "value": atom[1],
            "trust": atom[2],
            "record_id": records.get(atom),
            "customer_id": owners.get(atom),
        }
        for atom in unknown
    ]
    added = sql.rows("add_identifiers", {"identifiers": sql.json(rows), "now": now})
    if len(added) != len(unknown):
        raise LookAgain
    return {
        atom: Place(id_, records.get(atom), owners.get(atom), 0)
        for id_, *written in added
        for atom in (_atom(*written),)
    }


def _atom(kind: str, value: str, trust: int) -> Atom:
    return kind, value, trust


def _link(
    links: set[tuple[Atom, Atom]], places: dict[Atom, Place], sender: Sender, certain: Set[Atom]
) -> set[_Ends]:
    """Write down which identifiers came together; return what has to be drawn for that."""
    ends: dict[_Ends, set[Atom]] = {}
    for head, other in links:
        left, right = sorted((places[head].id, places[other].id))
        ends[left, right, sender.trust] = {head, other}
    lefts, rights, trusts = (list(column) for column in zip(*ends, strict=True))
    known = sql.rows("find_links", {"lefts": lefts, "rights": rights, "trusts": trusts})
    news = ends.keys() - set(known)
    if news:
        rows = [{"left": left, "right": right, "trust": trust} for left, right, trust in news]
        sql.run("add_links", {"links": sql.json(rows), "source_id": sender.source_id})
    return {tie for tie in news if certain.isdisjoint(ends[tie])}
