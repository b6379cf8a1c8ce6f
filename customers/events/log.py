"""Appends events to the logs of locked customers. Only this module assigns versions."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple
from uuid import UUID

import msgspec

from customers import sql
from customers.events import notify, subscribers
from customers.events.arrival import arrival_number
from customers.types import BUTLER_SOURCE_ID, VERIFIED, IncomingEvent, LogEntry, Sender

# BLAKE2's personalization: digests for publishable keys differ from those for secret keys.
PUBLISHABLE_KEY = b"publishable key"
# The kind of events about merges and separations.
_IDENTITY = "identity"


def message_key(source_id: int, message_id: str, *, is_public: bool = False) -> str:
    """Return the unique key of a message: 32 hex digits. Butler stores one event for each key.

    is_public: the message came with a publishable key. Everybody can read such a key, so its
    message ids have a separate name space and cannot block message ids of the secret keys.
    """
    return _message_keys(source_id, [message_id], is_public=is_public)[0]


def incoming_message_keys(sender: Sender, events: Iterable[IncomingEvent]) -> list[str]:
    """Return the unique key of each of these events from one sender, as `message_key` does."""
    message_ids = [event.message_id for event in events]
    return _message_keys(sender.source_id, message_ids, is_public=sender.is_public)


def _message_keys(source_id: int, message_ids: Iterable[str], *, is_public: bool) -> list[str]:
    person = PUBLISHABLE_KEY if is_public else b""
    prefix = blake2b(f"{source_id}:".encode(), digest_size=16, person=person)
    keys = []
    for message_id in message_ids:
        # A copy of the digest takes half the time of a new one.
        digest = prefix.copy()
        digest.update(message_id.encode())
        keys.append(digest.hexdigest())
    return keys


def append(
    entries: Sequence[LogEntry], *, source_id: int, evidence: int, received_at: datetime
) -> None:
    """Store the entries, call the subscribers, and notify the streams after the commit.

    The versions of each customer ascend.
    """
    params = {
        "events": sql.json(entries),
        "source_id": source_id,
        "evidence": evidence,
        "received_at": received_at,
    }
    sql.run("append_events", params)
    subscribers.notify_subscribers(entries, received_at)
    notify.after_commit({entry.customer_id: entry.version for entry in entries})


def incoming_log_entry(
    event: IncomingEvent,
    owner: UUID,
    version: int,
    origin: UUID | None,
    message_key: str,
    identifier_ids: list[int],
    arrival: int,
    actor: str,
) -> LogEntry:
    """Return the log entry of an event from a source, on the log of its owner.

    actor: who acted, as far as Butler knows (customers.events.actors)
    """
    return LogEntry(
        customer_id=owner,
        version=version,
        origin_id=origin,
        message_id=event.message_id,
        message_key=message_key,
        body_hash=event.body_hash.hex(),
        kind=event.kind,
        name=event.name,
        about=event.about,
        actor=actor,
        identifier_ids=identifier_ids,
        occurred_at=event.occurred_at,
        arrival=arrival,
        body=msgspec.Raw(event.body),
    )


class InternalEvent(NamedTuple):
    """An event that Butler itself appends to a log. `properties` contain no personal data."""

    customer_id: UUID
    kind: str
    name: str
    properties: Mapping[str, object]
    occurred_at: datetime
    about: str = ""


def append_internal_events(
    events: Sequence[InternalEvent],
    *,
    actor: str,
    now: datetime,
    customer_versions: Mapping[UUID, int] | None = None,
) -> list[int]:
    """Append these events to their logs, and return their versions. The caller holds the locks.

    customer_versions: the current versions of these logs, if the caller has read them
    """
    if customer_versions is None:
        customer_versions = _customer_versions({event.customer_id for event in events})
    versions = dict(customer_versions)
    entries = []
    for place, event in enumerate(events):
        versions[event.customer_id] += 1
        arrival = arrival_number(now, place)
        entries.append(_entry_with_own_id(event, versions[event.customer_id], actor, arrival))
    append(entries, source_id=BUTLER_SOURCE_ID, evidence=VERIFIED, received_at=now)
    return [entry.version for entry in entries]


def _entry_with_own_id(event: InternalEvent, version: int, actor: str, arrival: int) -> LogEntry:
    """Return the log entry of an event; its message id is made of its name, log and version."""
    message_id = f"{event.name.lower().replace(' ', '-')}:{event.customer_id}:{version}"
    return internal_log_entry(event, version, actor, message_id, arrival)


def append_merge_events(
    moves: Iterable[tuple[UUID, UUID, UUID]], *, reason: str, actor: str, now: datetime
) -> None:
    """Append to all affected logs that a record was merged into another or separated from it.

    moves: (record, the live record it belonged to, the live record it belongs to now)
    """
    events = []
    for record, before, after in moves:
        properties = {
            "record": str(record),
            "from": str(before),
            "to": str(after),
            "reason": reason,
        }
        changes = []
        if before != record:
            changes += [("Records Parted", before), ("Records Parted", record)]
        if after != record:
            changes += [("Records Joined", after), ("Records Joined", record)]
        events += [InternalEvent(log, _IDENTITY, name, properties, now) for name, log in changes]
    append_internal_events(events, actor=actor, now=now)


def _customer_versions(ids: Iterable[UUID]) -> dict[UUID, int]:
    return dict(sql.rows("read_customer_versions", {"ids": list(ids)}))


def internal_log_entry(
    event: InternalEvent, version: int, actor: str, message_id: str, arrival: int
) -> LogEntry:
    """Return the log entry of an event of Butler."""
    body = msgspec.json.encode(
        {"type": event.kind, "event": event.name, "properties": event.properties}
    )
    return LogEntry(
        customer_id=event.customer_id,
        version=version,
        origin_id=None,
        message_id=message_id,
        message_key=message_key(BUTLER_SOURCE_ID, message_id),
        body_hash=blake2b(body, digest_size=16).hexdigest(),
        kind=event.kind,
        name=event.name,
        about=event.about,
        actor=actor,
        identifier_ids=[],
        occurred_at=event.occurred_at,
        arrival=arrival,
        body=msgspec.Raw(body),
    )
