"""Puts events on the logs of locked customers. The one place that hands out versions."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple
from uuid import UUID

import msgspec

from customers import ring, sql, witness
from customers.profile import VERIFIED

# The source that speaks for Butler itself (migration 0002).
BUTLER_SOURCE = 1


class Entry(msgspec.Struct, gc=False):
    """One event at its place on a log; the letters are the columns of append_events.sql."""

    c: UUID
    v: int
    o: UUID | None
    m: str
    k: str
    h: str
    t: str
    n: str
    a: str
    w: str
    i: list[int]
    at: datetime
    b: msgspec.Raw


def message_key(source_id: int, message_id: str) -> str:
    """Return what makes a message of a source happen once: 32 hex digits."""
    return blake2b(f"{source_id}:{message_id}".encode(), digest_size=16).hexdigest()


def append(entries: Sequence[Entry], *, source_id: int, trust: int, received_at: datetime) -> None:
    """Store the entries, move the heads of their logs, tell who watches, ring once committed."""
    params = {
        "events": sql.json(entries),
        "source_id": source_id,
        "trust": trust,
        "received_at": received_at,
    }
    sql.run("append_events", params)
    witness.tell(entries, received_at)
    heads: dict[UUID, int] = {}
    for entry in entries:
        heads[entry.c] = max(entry.v, heads.get(entry.c, 0))
    ring.after_commit(heads)


def append_joins(
    moves: Iterable[tuple[UUID, UUID, UUID]], *, reason: str, actor: str, now: datetime
) -> None:
    """Say on every log concerned that a record was joined to another, or parted from it.

    moves: (record, the live record it belonged to, the live record it belongs to now)
    """
    sayings = []
    for record, before, after in moves:
        facts = {"record": str(record), "from": str(before), "to": str(after), "reason": reason}
        if before != record:
            sayings += [(log, "Records Parted", facts) for log in (before, record)]
        if after != record:
            sayings += [(log, "Records Joined", facts) for log in (after, record)]
    append_own([Saying(log, "identity", name, said, actor) for log, name, said in sayings], now=now)


class Saying(NamedTuple):
    """One thing that Butler itself puts on a log, in its own words."""

    log: UUID
    kind: str
    name: str
    facts: Mapping[str, object]
    actor: str = ""
    about: str = ""
    occurred_at: datetime | None = None


def append_own(
    sayings: Sequence[Saying], *, now: datetime, source_id: int = BUTLER_SOURCE
) -> list[int]:
    """Put these on the logs of live records that the caller holds; return their versions."""
    heads = dict(sql.rows("read_heads", {"ids": list({saying.log for saying in sayings})}))
    entries = []
    for saying in sayings:
        heads[saying.log] += 1
        entries.append(_entry(saying, heads[saying.log], source_id, now))
    if entries:
        append(entries, source_id=source_id, trust=VERIFIED, received_at=now)
    return [entry.v for entry in entries]


def _entry(saying: Saying, version: int, source_id: int, now: datetime) -> Entry:
    message_id = f"{saying.name.lower().replace(' ', '-')}:{saying.log}:{version}"
    said = {"type": saying.kind, "event": saying.name, "properties": saying.facts}
    body = msgspec.json.encode(said)
    return Entry(
        c=saying.log,
        v=version,
        o=None,
        m=message_id,
        k=message_key(source_id, message_id),
        h=blake2b(body, digest_size=16).hexdigest(),
        t=saying.kind,
        n=saying.name,
        a=saying.about,
        w=saying.actor,
        i=[],
        at=saying.occurred_at or now,
        b=msgspec.Raw(body),
    )
