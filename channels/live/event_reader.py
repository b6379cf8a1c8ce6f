"""Reading for the streams: logs by version, and who may see them. Set-based, never one by one."""

from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from channels.live import frames, postgres, tickets
from channels.live.access import Login, Viewer, session_user, viewer_of
from channels.live.limits import Limits
from channels.live.streams import Stream
from customers.access import keys

READ_LOGS = postgres.statement("read_logs")
LOOK_AT_CUSTOMERS = postgres.statement("look_at_customers")
LOOK_AT_SESSIONS = postgres.statement("look_at_sessions")
LOOK_AT_KEYS = postgres.statement("look_at_keys")
FIND_SESSION = postgres.statement("find_session")
FIND_KEY = postgres.statement("find_key")
SPEND_TICKET = postgres.statement("spend_ticket")

# Somewhere on a log: whose it is, and the version after which to read.
Place = tuple[str, int]


class Page(NamedTuple):
    """What follows a place: frames ready to send, the last version among them."""

    frames: bytes
    last: int
    events: int
    # It tells of records joined or parted, so that rights may have changed with it.
    has_identity: bool


class Seen(NamedTuple):
    """How things are, for a number of streams."""

    heads: dict[str, int]
    canonical: dict[str, str]
    logins: dict[str, Login]
    keys: frozenset[int]


class Standing(NamedTuple):
    """A record that was asked for: whose log it is by now, and how far that is."""

    customer_id: str
    head: int


class Logs:
    """Everything that the streams ask Postgres."""

    def __init__(self, connections: postgres.Connections, limits: Limits) -> None:
        self._fetch = connections.fetch
        self._limits = limits

    async def read(self, places: Collection[Place]) -> dict[Place, Page]:
        """Read what follows each place, as frames; a place without news is left out."""
        rows = await self._fetch(
            READ_LOGS,
            {
                "customers": [customer_id for customer_id, _ in places],
                "afters": [after for _, after in places],
                "page": self._limits.page,
                "budget": self._limits.backlog,
            },
        )
        return {place: _page(some) for place, some in groupby(rows, key=itemgetter(0, 1))}

    async def look(self, streams: Sequence[Stream]) -> Seen:
        """Read how rights and logs are now, in three statements for any number of streams."""
        viewers = [s.viewer for s in streams]
        sessions = {v.session_key: v.user_id for v in viewers if v.session_key}
        key_ids = {v.key_id for v in viewers if v.key_id}
        heads, canonical = await self._stand({s.customer_id for s in streams})
        # A joined record leads to another one, whose head is wanted as well.
        further, _ = await self._stand(set(canonical.values()) - heads.keys())
        return Seen(
            heads=heads | further,
            canonical=canonical,
            logins=await self._logins(sessions) if sessions else {},
            keys=await self._keys(key_ids) if key_ids else frozenset(),
        )

    async def stand(self, customer_id: str) -> Standing | None:
        """Find the record that an id leads to; nothing when there is none."""
        heads, canonical = await self._stand({customer_id})
        if customer_id not in canonical:
            return None
        canonical_id = canonical[customer_id]
        if canonical_id != customer_id:
            heads, _ = await self._stand({canonical_id})
        return Standing(canonical_id, heads[canonical_id])

    async def viewer_by_session(self, session_key: str) -> Viewer | None:
        found = await self._fetch(FIND_SESSION, {"session": session_key})
        user_id = session_user(found[0][0]) if found else None
        if user_id is None:
            return None
        login = (await self._logins({session_key: user_id})).get(session_key)
        return viewer_of(login) if login else None

    async def viewer_by_key(self, key: str) -> tuple[Viewer, bool] | None:
        """Find who uses a key, and whether it may read records."""
        found = await self._fetch(FIND_KEY, {"digest": keys.digest(key)})
        return (Viewer(key_id=found[0][0]), found[0][1]) if found else None

    async def spend_ticket(self, ticket: str) -> str | None:
        """Use a ticket up and return the session that it was given to."""
        found = await self._fetch(SPEND_TICKET, {"digest": tickets.digest(ticket)})
        return found[0][0] if found else None

    async def answer(self) -> None:
        """Return when Postgres answers, raise when it does not."""
        await self._fetch(b"SELECT 1", {})

    async def _stand(self, customers: Collection[str]) -> tuple[dict[str, int], dict[str, str]]:
        if not customers:
            return {}, {}
        rows = await self._fetch(LOOK_AT_CUSTOMERS, {"customers": list(customers)})
        heads = {customer_id: version for customer_id, version, _ in rows}
        return heads, {customer_id: part_of or customer_id for customer_id, _, part_of in rows}

    async def _logins(self, sessions: dict[str, int]) -> dict[str, Login]:
        rows = await self._fetch(
            LOOK_AT_SESSIONS, {"sessions": list(sessions), "users": list(sessions.values())}
        )
        return {row[0]: Login(*row) for row in rows}

    async def _keys(self, key_ids: Collection[int]) -> frozenset[int]:
        rows = await self._fetch(LOOK_AT_KEYS, {"keys": list(key_ids)})
        return frozenset(key_id for (key_id,) in rows)


def _page(rows: Iterable[tuple[Any, ...]]) -> Page:
    events = [frames.Row(*row[2:]) for row in rows]
    return Page(
        frames=b"".join(map(frames.event, events)),
        last=events[-1].version,
        events=len(events),
        has_identity=any(event.kind == "identity" for event in events),
    )
