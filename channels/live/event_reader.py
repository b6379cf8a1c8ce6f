"""Read events and the rights of viewers, for many streams with each statement."""

from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from channels.live import frames, postgres
from channels.live.access import SessionLogin, Viewer, session_user, viewer_of
from channels.live.limits import StreamLimits
from channels.live.streams import Stream
from customers.access import keys

READ_EVENTS = postgres.load_statement("read_events")
READ_CUSTOMER_VERSIONS = postgres.load_statement("read_customer_versions")
READ_SESSION_LOGINS = postgres.load_statement("read_session_logins")
FIND_READABLE_KEYS = postgres.load_statement("find_readable_keys")
FIND_SESSION = postgres.load_statement("find_session")
FIND_KEY = postgres.load_statement("find_key")
REDEEM_TICKET = postgres.load_statement("redeem_ticket")

# The customer, and the version after which to read.
LogPosition = tuple[str, int]


class EventPage(NamedTuple):
    """The events after a position: their frames, number and last version."""

    frames: bytes
    last_version: int
    event_count: int
    # True if an event merges or separates records, which may change the rights of viewers.
    has_identity_change: bool


class AccessSnapshot(NamedTuple):
    """The current versions, canonical customers, logins and keys of some streams."""

    customer_versions: dict[str, int]
    canonical_ids: dict[str, str]
    logins: dict[str, SessionLogin]
    keys: frozenset[int]


class CanonicalCustomer(NamedTuple):
    """The canonical customer of a requested id, and its current version."""

    customer_id: str
    customer_version: int


class EventReader:
    """The queries of the live process. Each raises DatabaseUnavailable without Postgres."""

    def __init__(self, connections: postgres.ConnectionPool, limits: StreamLimits) -> None:
        self._fetch = connections.fetch
        self._limits = limits

    async def read(self, positions: Collection[LogPosition]) -> dict[LogPosition, EventPage]:
        """Return the events after each position; positions without new events are missing."""
        rows = await self._fetch(
            READ_EVENTS,
            {
                "customer_ids": [customer_id for customer_id, _ in positions],
                "after_versions": [after for _, after in positions],
                "page_size": self._limits.page_size,
                "max_bytes": self._limits.max_backlog,
            },
        )
        return {
            position: _event_page(position_rows)
            for position, position_rows in groupby(rows, key=itemgetter(0, 1))
        }

    async def read_access(self, streams: Sequence[Stream]) -> AccessSnapshot:
        """Return the rights and versions of streams, with at most four statements."""
        viewers = [stream.viewer for stream in streams]
        sessions = {viewer.session_key: viewer.user_id for viewer in viewers if viewer.session_key}
        key_ids = {viewer.key_id for viewer in viewers if viewer.key_id}
        customer_versions, canonical_ids = await self._read_customer_versions(
            {stream.customer_id for stream in streams}
        )
        # A merged record points to its canonical record, whose version is also needed.
        canonical_versions, _ = await self._read_customer_versions(
            set(canonical_ids.values()) - customer_versions.keys()
        )
        return AccessSnapshot(
            customer_versions=customer_versions | canonical_versions,
            canonical_ids=canonical_ids,
            logins=await self._logins(sessions) if sessions else {},
            keys=await self._readable_key_ids(key_ids) if key_ids else frozenset(),
        )

    async def find_canonical_customer(self, customer_id: str) -> CanonicalCustomer | None:
        """Return the canonical customer of an id; None if it does not exist."""
        customer_versions, canonical_ids = await self._read_customer_versions({customer_id})
        if customer_id not in canonical_ids:
            return None
        canonical_id = canonical_ids[customer_id]
        if canonical_id != customer_id:
            customer_versions, _ = await self._read_customer_versions({canonical_id})
        return CanonicalCustomer(canonical_id, customer_versions[canonical_id])

    async def viewer_by_session(self, session_key: str) -> Viewer | None:
        """Return the viewer of a session.

        Returns None if the session has ended or is invalid, or if the password changed since.
        """
        rows = await self._fetch(FIND_SESSION, {"session_key": session_key})
        user_id = session_user(rows[0][0]) if rows else None
        if user_id is None:
            return None
        login = (await self._logins({session_key: user_id})).get(session_key)
        return viewer_of(login) if login else None

    async def viewer_by_key(self, key: str) -> tuple[Viewer, bool] | None:
        """Return the viewer of a key and whether it may read records; None if it is unknown."""
        rows = await self._fetch(FIND_KEY, {"digest": keys.digest(key)})
        return (Viewer(key_id=rows[0][0]), rows[0][1]) if rows else None

    async def redeem_ticket(self, ticket: str) -> str | None:
        """Delete a ticket and return the session that it was issued to."""
        rows = await self._fetch(REDEEM_TICKET, {"digest": keys.digest(ticket)})
        return rows[0][0] if rows else None

    async def ping(self) -> None:
        """Run a statement. Raises DatabaseUnavailable if Postgres does not answer."""
        await self._fetch(b"SELECT 1", {})

    async def _read_customer_versions(
        self, customer_ids: Collection[str]
    ) -> tuple[dict[str, int], dict[str, str]]:
        if not customer_ids:
            return {}, {}
        rows = await self._fetch(READ_CUSTOMER_VERSIONS, {"customer_ids": list(customer_ids)})
        customer_versions = {customer_id: version for customer_id, version, _ in rows}
        return customer_versions, {
            customer_id: canonical_id or customer_id for customer_id, _, canonical_id in rows
        }

    async def _logins(self, sessions: dict[str, int]) -> dict[str, SessionLogin]:
        rows = await self._fetch(
            READ_SESSION_LOGINS,
            {"session_keys": list(sessions), "user_ids": list(sessions.values())},
        )
        return {row[0]: SessionLogin(*row) for row in rows}

    async def _readable_key_ids(self, key_ids: Collection[int]) -> frozenset[int]:
        rows = await self._fetch(FIND_READABLE_KEYS, {"key_ids": list(key_ids)})
        return frozenset(key_id for (key_id,) in rows)


def _event_page(rows: Iterable[tuple[Any, ...]]) -> EventPage:
    events = [frames.EventRow(*row[2:]) for row in rows]
    return EventPage(
        frames=b"".join(map(frames.event_frame, events)),
        last_version=events[-1].version,
        event_count=len(events),
        has_identity_change=any(event.kind == "identity" for event in events),
    )
