"""Puts events on the logs of locked customers. The one place that hands out versions."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple
from uuid import UUID

import msgspec

from customers import sql
from customers.events import notify, subscribers
from customers.types import VERIFIED, LogEntry

# The source that speaks for Butler itself (migration 0002).
BUTLER_SOURCE = 1
# Keeps digests for publishable keys apart from all others (BLAKE2's personalization).
PUBLIC = b"publishable key"
# The kind of events about who is who.
_OF = "identity"


def message_key(source_id: int, message_id: str, *, is_public: bool = False) -> str:
    """Return what makes a message of a source happen once: 32 hex digits.

    is_public: it came with a publishable key. Everybody can read such a key, so its message ids
    are a name space of their own and occupy none of the secret keys of the source.
    """
    person = PUBLIC if is_public else b""
    return blake2b(f"{source_id}:{message_id}".encode(), digest_size=16, person=person).hexdigest()


def append(
    entries: Sequence[LogEntry], *, source_id: int, evidence: int, received_at: datetime
) -> None:
    """Store the entries, move the heads of their logs, tell who watches, ring once committed."""
    params = {
        "events": sql.json(entries),
        "source_id": source_id,
        "evidence": evidence,
        "received_at": received_at,
    }
    sql.run("append_events", params)
    subscribers.tell(entries, received_at)
    heads: dict[UUID, int] = {}
    for entry in entries:
        heads[entry.customer_id] = max(entry.version, heads.get(entry.customer_id, 0))
    notify.after_commit(heads)


class Own(NamedTuple):
    """One thing that Butler itself puts on a log; `properties` without personal data."""

    log: UUID
    kind: str
    name: str
    properties: Mapping[str, object]
    occurred_at: datetime
    about: str = ""


def append_own(
    sayings: Sequence[Own], *, actor: str, now: datetime, heads: Mapping[UUID, int] | None = None
) -> list[int]:
    """Put these on their logs, whose locks the caller holds; return their versions.

    heads: how far the logs are, for who read that with the locks.
    """
    versions = _heads({own.log for own in sayings}) if heads is None else dict(heads)
    entries = []
    for own in sayings:
        versions[own.log] += 1
        entries.append(_entry(own, versions[own.log], actor))
    append(entries, source_id=BUTLER_SOURCE, evidence=VERIFIED, received_at=now)
    return [entry.version for entry in entries]


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
            sayings += [Own(log, _OF, "Records Parted", facts, now) for log in (before, record)]
        if after != record:
            sayings += [Own(log, _OF, "Records Joined", facts, now) for log in (after, record)]
    append_own(sayings, actor=actor, now=now)


def _heads(ids: Iterable[UUID]) -> dict[UUID, int]:
    return dict(sql.rows("read_heads", {"ids": list(ids)}))


def _entry(own: Own, version: int, actor: str) -> LogEntry:
    message_id = f"{own.name.lower().replace(' ', '-')}:{own.log}:{version}"
    body = msgspec.json.encode({"type": own.kind, "event": own.name, "properties": own.properties})
    return LogEntry(
        customer_id=own.log,
        version=version,
        origin_id=None,
        message_id=message_id,
        message_key=message_key(BUTLER_SOURCE, message_id),
        body_hash=blake2b(body, digest_size=16).hexdigest(),
        kind=own.kind,
        name=own.name,
        about=own.about,
        actor=actor,
        identifier_ids=[],
        occurred_at=own.occurred_at,
        body=msgspec.Raw(body),
    )
