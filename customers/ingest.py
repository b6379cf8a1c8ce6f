"""The way into the record: a batch of events in, one transaction, and a receipt.

Whatever its size, a batch costs a handful of statements. When this returns, every accepted
event is committed, on its customer's log, and part of every read that starts afterwards.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import blake2b
from uuid import UUID

import msgspec

from customers import filing, log, projection, races, sql
from customers.filing import Place
from customers.newcomers import Atom
from customers.profile import Entry, Item, Outcome, Receipt, Refused, Sender
from customers.traits import Said

# What was seen before under a message's key: the hash of its body, and where it stands.
type Known = tuple[str, Outcome]


class VersionMismatch(Exception):
    """The record moved on since the caller read it."""

    def __init__(self, current: int) -> None:
        super().__init__(current)
        self.current = current


def record(
    *,
    sender: Sender,
    items: Sequence[Item],
    received_at: datetime,
    refused: Sequence[Refused] = (),
    expected_version: int | None = None,
) -> Receipt:
    """Put a batch of events on the record, or keep apart what cannot be.

    `expected_version` is what the log of the first item's customer must stand at; anything
    else raises VersionMismatch and stores nothing. Raises django.db.OperationalError where
    the database is away: then nothing was stored, or, when the answer to COMMIT was lost,
    it was, and sending the batch again is harmless.
    """
    # Hardly any batch brings something that was seen before, and the unique key tells: only
    # then, or where a version is at stake, it is worth looking first.
    looks = iter((expected_version is not None,))

    def store() -> Receipt:
        batch = _Batch(sender, items, received_at, looks_first=next(looks, True))
        return batch.store(refused, expected_version)

    return races.settle(store)


class _Batch:
    """One try at one batch, inside one transaction."""

    def __init__(
        self, sender: Sender, items: Sequence[Item], received_at: datetime, *, looks_first: bool
    ) -> None:
        self.sender = sender
        self.items = items
        self.received_at = received_at
        self.looks_first = looks_first
        self.outcomes: list[Outcome | None] = [None] * len(items)
        self.apart: list[Refused] = []

    def store(self, refused: Sequence[Refused], expected_version: int | None) -> Receipt:
        keys = [log.message_key(self.sender.source_id, item.message_id) for item in self.items]
        atoms = [filing.atoms_of(item, self.sender) for item in self.items]
        places, blocked, seen = self._look_up(keys, atoms)
        if blocked:
            atoms = [tuple(a for a in one if a[:2] not in blocked) for one in atoms]
        atoms = filing.changed_first(self.items, atoms, places)
        fresh = self._sort_out(keys, atoms, seen)
        if fresh:
            links = filing.links_of([(self.items[i], atoms[i]) for i in fresh], self.sender)
            groups = [atoms[i] for i in fresh]
            places = filing.file(groups, links, places, self.sender, self.received_at)
            if expected_version is not None:
                self._compare(places[atoms[fresh[0]][0]], expected_version)
            self._append(fresh, keys, atoms, places)
        if refused or self.apart:
            keep_apart([*refused, *self.apart], self.sender, self.received_at)
        return Receipt([o for o in self.outcomes if o is not None], len(refused))

    def _look_up(
        self, keys: Sequence[str], atoms: Iterable[tuple[Atom, ...]]
    ) -> tuple[dict[Atom, Place], set[tuple[str, str]], dict[str, Known]]:
        wanted = {atom for one in atoms for atom in one}
        places, blocked = filing.locate(wanted)
        seen: dict[str, Known] = {}
        # After the locks are held: a batch sent twice at once finds the first one's events.
        if self.looks_first:
            known = sql.rows("find_seen", {"keys": f"{{{','.join(keys)}}}"})
            seen = {key: (digest, Outcome("duplicate", c, v)) for key, digest, c, v in known}
        return places, blocked, seen

    def _sort_out(
        self, keys: Sequence[str], atoms: Sequence[tuple[Atom, ...]], seen: dict[str, Known]
    ) -> list[int]:
        """Return which items are news and can be filed; settle the others."""
        fresh = []
        for i, (item, key) in enumerate(zip(self.items, keys, strict=True)):
            body_hash = item.body_hash.hex()
            if before := seen.get(key):
                self._repeat(i, item, before[1] if before[0] == body_hash else None)
            elif not atoms[i]:
                self._set_apart(i, item, "no_identifier", "nothing says whose event this is")
            else:
                seen[key] = body_hash, Outcome("duplicate")
                fresh.append(i)
        return fresh

    def _repeat(self, i: int, item: Item, same: Outcome | None) -> None:
        if same:
            self.outcomes[i] = same
        else:
            self._set_apart(i, item, "other_content", "this message id was used before")

    def _set_apart(self, i: int, item: Item, reason: str, detail: str) -> None:
        self.apart.append(Refused(item.body, reason, detail, item.message_id))
        if reason == "other_content":
            self.outcomes[i] = Outcome("other_content", reason=reason)
        else:
            self.outcomes[i] = Outcome("quarantined", reason=reason)

    def _compare(self, place: Place, expected: int) -> None:
        if place.version != expected:
            raise VersionMismatch(place.version)

    def _append(
        self,
        fresh: Sequence[int],
        keys: Sequence[str],
        atoms: Sequence[tuple[Atom, ...]],
        places: dict[Atom, Place],
    ) -> None:
        heads: dict[UUID, int] = {}
        entries, said, subjects = [], [], []
        for i in fresh:
            item, home = self.items[i], places[atoms[i][0]]
            owner = home.customer_id
            assert owner is not None  # every head of an event files under a record
            version = heads[owner] = heads.get(owner, home.version) + 1
            origin = None if home.record_id == owner else home.record_id
            self.outcomes[i] = Outcome("accepted", owner, version)
            ids = [places[atom].id for atom in atoms[i]]
            entries.append(_entry(item, owner, version, origin, keys[i], ids))
            if item.traits and item.kind == "identify":
                said += self._said(item, owner, keys[i])
            if item.about:
                subjects.append(projection.Subject(owner, item.about))
        log.append(
            entries,
            source_id=self.sender.source_id,
            trust=self.sender.trust,
            received_at=self.received_at,
        )
        projection.keep_traits(said)
        projection.keep_subjects(subjects)

    def _said(self, item: Item, customer_id: UUID, key: str) -> list[Said]:
        trust, source_id = self.sender.trust, self.sender.source_id
        return [
            Said(customer_id, name, value, trust, source_id, item.occurred_at, key)
            for name, value in (item.traits or {}).items()
        ]


def _entry(
    item: Item, owner: UUID, version: int, origin: UUID | None, key: str, ids: list[int]
) -> Entry:
    return Entry(
        c=owner,
        v=version,
        o=origin,
        m=item.message_id,
        k=key,
        h=item.body_hash.hex(),
        t=item.kind,
        n=item.name,
        a=item.about,
        w=item.actor,
        i=ids,
        at=item.occurred_at,
        b=msgspec.Raw(item.body),
    )


def keep_apart(refused: Sequence[Refused], sender: Sender, received_at: datetime) -> None:
    """Put into quarantine, as it came, what cannot be taken in. Sent again, it stays one."""
    sql.run(
        "keep_apart",
        {
            "source_id": sender.source_id,
            "trust": sender.trust,
            "received_at": received_at,
            "message_ids": [one.message_id for one in refused],
            "reasons": [one.reason for one in refused],
            "details": [one.detail for one in refused],
            "raws": [one.raw for one in refused],
            "digests": [_digest(sender.source_id, one.raw) for one in refused],
        },
    )


def _digest(source_id: int, raw: bytes) -> UUID:
    return UUID(bytes=blake2b(b"%d:%b" % (source_id, raw), digest_size=16).digest())
