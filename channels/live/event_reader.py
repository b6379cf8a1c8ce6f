"""Read events and the rights of viewers, for many streams with each statement."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

from channels.live import frames, postgres
from channels.live.access import (
    SessionLogin,
    StreamOpening,
    Viewer,
    session_digest,
    session_proofs,
    session_user,
    viewer_of,
)
from channels.live.account_reader import READ_OPENABLE, AccountReader
from channels.live.limits import StreamLimits
from channels.live.streams import Stream
from customers.access import keys
from customers.access.account_proofs import AccountProof
from customers.identity.openable_graph import chosen_record, openable_graph, openable_params
from customers.types import OpenedRecord

READ_EVENTS = postgres.load_statement("read_events")
READ_CUSTOMER_VERSIONS = postgres.load_statement("read_customer_versions")
READ_SESSION_LOGINS = postgres.load_statement("read_session_logins")
FIND_READING_KEYS = postgres.load_statement("find_reading_keys")
FIND_SESSION = postgres.load_statement("find_session")
REDEEM_TICKET = postgres.load_statement("redeem_ticket")


class LogPosition(NamedTuple):
    """A customer, the version after which to read, and the part that the reader opens."""

    customer_id: str
    after_version: int
    part: OpenedRecord | None


# The kinds of events that may change the groups of identifiers or the evidence of their links.
_IDENTITY_KINDS = frozenset({"identity", "identify", "alias"})


class _Customer(NamedTuple):
    """The versions of a customer, and its canonical customer."""

    version: int
    canonical_id: str
    grouping_version: int


class EventPage(NamedTuple):
    """The events after a position: their frames, number and last version."""

    frames: bytes
    last_version: int
    event_count: int
    # True if an event may change the rights of viewers: it states, merges or separates identifiers.
    has_identity_change: bool


class AccessSnapshot(NamedTuple):
    """The current versions, canonical customers, logins and keys of some streams."""

    customer_versions: dict[str, int]
    canonical_ids: dict[str, str]
    logins: dict[str, SessionLogin]
    openings: dict[str | AccountProof | None, StreamOpening]
    # The keys that may read every record, and the valid proofs of accounts.
    keys: frozenset[int]
    accounts: frozenset[AccountProof]


class CanonicalCustomer(NamedTuple):
    """The canonical customer of a requested id, and its current version."""

    customer_id: str
    customer_version: int


class EventReader:
    """The queries of the live process. Each raises DatabaseUnavailable without Postgres."""

    def __init__(self, connections: postgres.ConnectionPool, limits: StreamLimits) -> None:
        self._fetch = connections.fetch
        self._limits = limits
        self.accounts = AccountReader(connections.fetch)

    async def read(self, positions: Collection[LogPosition]) -> dict[LogPosition, EventPage]:
        """Return the events after each position; positions without new events are missing."""
        ordered = list(positions)
        opened = [
            (number, *record)
            for number, position in enumerate(ordered, start=1)
            if position.part
            for record in _opened_records(position.part)
        ]
        params: dict[str, object] = {
            "customer_ids": [position.customer_id for position in ordered],
            "after_versions": [position.after_version for position in ordered],
            "are_whole": [position.part is None for position in ordered],
            "part_numbers": [number for number, _, _ in opened],
            "part_records": [record for _, record, _ in opened],
            "part_starts": [opened_since for _, _, opened_since in opened],
            "with_contact": [
                position.part is None or position.part.has_contact for position in ordered
            ],
            "page_size": self._limits.page_size,
            "max_bytes": self._limits.max_backlog,
        }
        rows = await self._fetch(READ_EVENTS, params)
        return {
            ordered[number - 1]: _event_page(position_rows)
            for number, position_rows in groupby(rows, key=itemgetter(0))
        }

    async def read_access(
        self, streams: Sequence[Stream], *, is_changed: bool = False
    ) -> AccessSnapshot:
        """Return the rights and versions of streams, with at most five statements.

        The opening of a session takes one more, and that of an account two, if its session or its
        groupings changed.

        is_changed: the identifiers of the streamed records may have changed, so read all openings
        """
        viewers = [stream.viewer for stream in streams]
        sessions = {viewer.session_key: viewer.user_id for viewer in viewers if viewer.session_key}
        key_ids = {viewer.key_id for viewer in viewers if viewer.key_id}
        customers = await self._read_customers({stream.customer_id for stream in streams})
        # A merged record points to its canonical record, whose version is also needed.
        customers |= await self._read_customers(
            {customer.canonical_id for customer in customers.values()} - customers.keys()
        )
        logins = await self._logins(sessions) if sessions else {}
        openings: dict[str | AccountProof | None, StreamOpening] = {}
        for viewer in viewers:
            earlier = None if is_changed else viewer.opening
            if viewer.account:
                openings[viewer.proof] = await self._account_opening(
                    viewer.account, customers, earlier=earlier
                )
            elif (login := logins.get(viewer.session_key)) and not login.reads_every:
                openings[viewer.proof] = await self._opening(login, customers, earlier=earlier)
        keys, account_keys = await self._reading_keys(key_ids) if key_ids else (set(), set())
        return AccessSnapshot(
            customer_versions={id_: customer.version for id_, customer in customers.items()},
            canonical_ids={id_: customer.canonical_id for id_, customer in customers.items()},
            logins=logins,
            openings=openings,
            keys=frozenset(keys),
            accounts=await self.accounts.valid_proofs(viewers, reading_keys=account_keys),
        )

    async def find_canonical_customer(self, customer_id: str) -> CanonicalCustomer | None:
        """Return the canonical customer of an id; None if it does not exist."""
        customers = await self._read_customers({customer_id})
        if customer_id not in customers:
            return None
        canonical_id = customers[customer_id].canonical_id
        if canonical_id != customer_id:
            customers = await self._read_customers({canonical_id})
        return CanonicalCustomer(canonical_id, customers[canonical_id].version)

    async def viewer_by_session(self, session_key: str) -> Viewer | None:
        """Return the viewer of a session.

        Returns None if the session has ended or is invalid, or if the password changed since.
        """
        rows = await self._fetch(FIND_SESSION, {"session_key": session_key})
        user_id = session_user(rows[0][0]) if rows else None
        if user_id is None:
            return None
        login = (await self._logins({session_key: user_id})).get(session_key)
        viewer = viewer_of(login) if login else None
        if login and viewer and not viewer.reads_every:
            viewer.opening = await self._opening(login, {}, earlier=None)
        return viewer

    async def viewer_by_ticket(self, ticket: str) -> Viewer | None:
        """Delete a ticket and return the viewer that it was issued to, if it still may read."""
        rows = await self._fetch(REDEEM_TICKET, {"digest": keys.digest(ticket)})
        if not rows:
            return None
        session_key, account = rows[0]
        if account:
            return await self.accounts.viewer_by_ticket(account)
        return await self.viewer_by_session(session_key)

    async def ping(self) -> None:
        """Run a statement. Raises DatabaseUnavailable if Postgres does not answer."""
        await self._fetch(b"SELECT 1", {})

    async def _read_customers(self, customer_ids: Collection[str]) -> dict[str, _Customer]:
        if not customer_ids:
            return {}
        rows = await self._fetch(READ_CUSTOMER_VERSIONS, {"customer_ids": list(customer_ids)})
        return {
            customer_id: _Customer(version, canonical_id or customer_id, grouping_version)
            for customer_id, version, canonical_id, grouping_version in rows
        }

    async def _opening(
        self,
        login: SessionLogin,
        customers: Mapping[str, _Customer],
        *,
        earlier: StreamOpening | None,
    ) -> StreamOpening:
        """Return what a session opens; the earlier opening, if nothing that it depends on changed."""
        if earlier and earlier.basis == _basis(login, earlier.customer_id, customers):
            return earlier
        proofs, chosen_id = session_proofs(login)
        [row] = await self._fetch(READ_OPENABLE, openable_params(proofs))
        opening = openable_graph(*row).open()
        opened = chosen_record(opening, chosen_id)
        if opened is None:
            basis = _basis(login, None, customers)
            return StreamOpening(None, None, basis, has_choice=bool(opening.records))
        part = None if opened.is_whole else opened
        customer_id = str(opened.live_id)
        basis = _basis(login, customer_id, customers)
        return StreamOpening(customer_id, part, basis, is_beside=customer_id != login.live_id)

    async def _account_opening(
        self,
        proof: AccountProof,
        customers: Mapping[str, _Customer],
        *,
        earlier: StreamOpening | None,
    ) -> StreamOpening:
        """Return what an account opens; the earlier opening, if its grouping did not change."""
        if earlier and earlier.basis == _account_basis(earlier.customer_id, customers):
            return earlier
        opening = await self.accounts.read_opening(proof)
        return opening._replace(basis=_account_basis(opening.customer_id, customers))

    async def _logins(self, sessions: dict[str, int]) -> dict[str, SessionLogin]:
        rows = await self._fetch(
            READ_SESSION_LOGINS,
            {"session_keys": list(sessions), "user_ids": list(sessions.values())},
        )
        return {row[0]: SessionLogin(*row) for row in rows}

    async def _reading_keys(self, key_ids: Collection[int]) -> tuple[set[int], set[int]]:
        """Return which of these keys may read every record, and which may read for accounts."""
        rows = await self._fetch(FIND_READING_KEYS, {"key_ids": list(key_ids)})
        reading = {key_id for key_id, may_read, _ in rows if may_read}
        return reading, {key_id for key_id, _, may_read_for in rows if may_read_for}


def _opened_records(part: OpenedRecord) -> Iterator[tuple[UUID, datetime | None]]:
    """Yield each opened record, with the time from which on it is open, or None."""
    yield from ((record, None) for record in part.record_ids)
    yield from ((record, part.opened_since) for record in part.later_record_ids)


def _basis(
    login: SessionLogin, customer_id: str | None, customers: Mapping[str, _Customer]
) -> tuple[object, ...]:
    """Return the values on which the opening of a session depends."""
    grouping = _account_basis(customer_id, customers)
    return session_digest(login), login.live_id, login.grouping_version, *grouping


def _account_basis(
    customer_id: str | None, customers: Mapping[str, _Customer]
) -> tuple[object, ...]:
    """Return the values on which the opening of an account depends: the grouping of its record."""
    customer = customers.get(customer_id) if customer_id else None
    return (customer.grouping_version if customer else None,)


def _event_page(rows: Iterable[tuple[Any, ...]]) -> EventPage:
    events = [frames.EventRow(*row[1:]) for row in rows]
    return EventPage(
        frames=b"".join(map(frames.event_frame, events)),
        last_version=events[-1].version,
        event_count=len(events),
        has_identity_change=any(event.kind in _IDENTITY_KINDS for event in events),
    )
