"""Where each event belongs: finds the records of a batch, and opens those that are missing.

Every event is filed under the strongest identifier it came with. What belongs together is the
business of `customers.regroup`, which is called only when identifiers meet for the first time.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from uuid_utils.compat import uuid7

from customers import regroup, sql
from customers.identity import filing_order
from customers.normalize import is_kind, normalize
from customers.profile import CLAIMED, WEAK_KINDS, Item, Sender

# (kind, value, trust), normalized.
Atom = tuple[str, str, int]


class LookAgain(Exception):
    """Somebody else changed what we had read: start the transaction over."""


class Place(NamedTuple):
    """One identifier, the record it files under, and the head of the log it leads to."""

    id: int
    record_id: UUID | None
    customer_id: UUID | None
    version: int


class Filed(NamedTuple):
    """Where an event goes: onto which log, from which record, by which identifiers."""

    customer_id: UUID
    origin_id: UUID | None
    identifier_ids: list[int]


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
    for id_, kind, value, trust, record, customer, version, stale in cursor:
        if stale:
            raise LookAgain
        if id_ is None:
            blocked.add((kind, value))
        else:
            places[kind, value, trust] = Place(id_, record, customer, version or 0)
    return places, blocked


def file(
    groups: Sequence[tuple[Atom, ...]], places: dict[Atom, Place], sender: Sender, now: datetime
) -> dict[Atom, Place]:
    """Open what is missing, so that every event of the batch has a place to go."""
    unknown = {atom for atoms in groups for atom in atoms if atom not in places}
    heads = {atoms[0] for atoms in groups}
    homeless = [h for h in heads if h not in places or places[h].record_id is None]
    records = dict(zip(homeless, _open_records(len(homeless), now), strict=True))
    touched = _settle(records, places)
    if unknown:
        places |= _write_down(unknown, records, now)
    touched |= _link(groups, places, sender)
    if touched:
        regroup.regroup(touched, now=now)
    if strong := [places[atom].id for atom in unknown if atom[0] not in WEAK_KINDS]:
        sql.run("suggest_twins", {"ids": strong})
    if touched:
        places, _ = locate({atom for atoms in groups for atom in atoms})
    return places


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


def _write_down(unknown: set[Atom], records: dict[Atom, UUID], now: datetime) -> dict[Atom, Place]:
    rows = [
        {
            "kind": kind,
            "value": value,
            "trust": trust,
            "record_id": records.get((kind, value, trust)),
        }
        for kind, value, trust in unknown
    ]
    added = sql.rows("add_identifiers", {"identifiers": sql.json(rows), "now": now})
    if len(added) != len(unknown):
        raise LookAgain
    return {
        (kind, value, trust): Place(id_, record := records.get((kind, value, trust)), record, 0)
        for id_, kind, value, trust in added
    }


def _link(
    groups: Sequence[tuple[Atom, ...]], places: dict[Atom, Place], sender: Sender
) -> set[int]:
    """Write down which identifiers came together; return those for which that is news."""
    pairs = {
        (*sorted((places[atoms[0]].id, places[other].id)), sender.trust)
        for atoms in groups
        for other in atoms[1:]
    }
    if not pairs:
        return set()
    lefts, rights, trusts = (list(column) for column in zip(*pairs, strict=True))
    known = sql.rows("find_links", {"lefts": lefts, "rights": rights, "trusts": trusts})
    news = [
        {"left": left, "right": right, "trust": trust} for left, right, trust in pairs - set(known)
    ]
    if news:
        sql.run("add_links", {"links": sql.json(news), "source_id": sender.source_id})
    return {end for link in news for end in (link["left"], link["right"])}
