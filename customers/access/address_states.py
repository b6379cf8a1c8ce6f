"""The addresses of the record that a session shows, with their life: docs/reference/identity.md."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import msgspec
from django.contrib.sessions.backends.base import SessionBase
from django.db.models import Q

from customers import sql
from customers.access.proof_times import fresh_proofs
from customers.access.sessions import session_opening, session_proofs
from customers.identity.families import JOINING_FAMILIES
from customers.identity.openable_graph import OpenableGraph, read_openable
from customers.models import AddressChange, User
from customers.types import CONFIRMED, OPENED, OpenedRecord

_LINK_LIMIT = 100


class AddressState(StrEnum):
    """The states of an address, as the API names them."""

    CURRENT = "current"
    PENDING = "pending"
    REPLACED = "replaced"
    REMOVED = "removed"


class Suppression(NamedTuple):
    """The reason why a channel sends nothing to an address."""

    channel: str
    reason: str
    since: datetime


class OwnAddress(NamedTuple):
    """An address of the customer, or one that a source named for the customer's account."""

    id: int
    kind: str
    value: str
    state: AddressState
    # When somebody first named it for the account, and when a person took it off.
    since: datetime | None
    until: datetime | None
    # The last proof for an account of the record; None if it is not proved.
    proved_at: datetime | None
    is_preferred: bool
    suppressions: tuple[Suppression, ...]
    # A proof links it with an account or a mailbox of the record, also while another record has it.
    is_linked: bool = False

    @property
    def is_current(self) -> bool:
        """True if messages go to the address, and a code of it opens the record."""
        return self.state == AddressState.CURRENT


class OwnAddresses(NamedTuple):
    """The addresses of a record, and what a change of them depends on."""

    record: OpenedRecord
    graph: OpenableGraph
    addresses: tuple[OwnAddress, ...]
    # The changes that wait or are frozen, the earliest first.
    changes: tuple[AddressChange, ...]
    # The identifiers that the session proved within the last minutes.
    fresh: frozenset[int]

    @property
    def proved_mailboxes(self) -> frozenset[int]:
        """The mailboxes that open the record now."""
        return frozenset(
            address.id
            for address in self.addresses
            if address.is_current and address.proved_at and address.kind == "email"
        )

    @property
    def proved_phones(self) -> frozenset[int]:
        """The phones that the customer proved together with an account or a mailbox of the record."""
        return frozenset(
            address.id
            for address in self.addresses
            if address.is_current and address.is_linked and address.kind == "phone"
        )

    @property
    def proved(self) -> frozenset[int]:
        """The proved mailboxes and phones."""
        return self.proved_mailboxes | self.proved_phones

    @property
    def holder_ids(self) -> tuple[int, ...]:
        """The accounts of the record; without an account, its mailboxes; without both, its phones."""
        return (
            self.record.account_ids
            or tuple(sorted(self.proved_mailboxes))
            or tuple(sorted(address.id for address in self.addresses if address.kind == "phone"))
        )

    @property
    def joining_ids(self) -> tuple[int, ...]:
        """The opened accounts and mailboxes of the record, to which a phone may be attached."""
        nodes = self.graph.identifiers
        return tuple(
            sorted(
                id_
                for id_ in self.record.identifier_ids
                if nodes[id_].node.family in JOINING_FAMILIES
            )
        )

    @property
    def phone_holder_ids(self) -> tuple[int, ...]:
        """The accounts and mailboxes of the record that the session proved, not only opened.

        An account may only state the mailbox. It does not get the phone that its customer proves.
        """
        return tuple(id_ for id_ in self.joining_ids if id_ in self.graph.proved)

    @property
    def is_frozen(self) -> bool:
        """True if a holder of an address stopped a change. Staff or an earlier passkey end this."""
        return any(change.state == AddressChange.State.FROZEN for change in self.changes)

    def find(self, address_id: int) -> OwnAddress | None:
        """Return the address with this id, or None."""
        return next((address for address in self.addresses if address.id == address_id), None)


class _Link(msgspec.Struct, array_like=True, frozen=True):
    """A link of an address with an account, as read_own_addresses.sql returns it."""

    holder_id: int
    state: str
    evidence: int
    source_id: int
    occurred_at: datetime
    last_proved_at: datetime | None

    @property
    def proved_at(self) -> datetime | None:
        return (self.last_proved_at or self.occurred_at) if self.evidence >= OPENED else None


class _Row(NamedTuple):
    """A row of read_own_addresses.sql."""

    id: int
    kind: str
    value: str
    is_on_record: bool
    proved_at: datetime | None
    is_preferred: bool
    links: Sequence[_Link]
    separated_at: datetime | None
    suppressions: Sequence[Suppression]

    @property
    def account_proofs(self) -> list[datetime]:
        return [link.proved_at for link in self.links if link.proved_at]


_decode_links = msgspec.json.Decoder(list[_Link]).decode
_decode_suppressions = msgspec.json.Decoder(list[Suppression]).decode


def read_own_addresses(user: User, session: SessionBase, *, now: datetime) -> OwnAddresses | None:
    """Return the addresses of the record that the session shows; None if it shows no record."""
    graph = read_openable(session_proofs(user, session))
    record = session_opening(graph, session).chosen
    if record is None:
        return None
    params = {
        "live_id": record.live_id,
        "opened_ids": sorted(record.identifier_ids),
        "limit": _LINK_LIMIT,
    }
    rows = [_row(*row) for row in sql.rows("read_own_addresses", params)]
    addresses = tuple(_own_addresses(rows, frozenset(graph.proved)))
    ids = [address.id for address in addresses]
    return OwnAddresses(
        record, graph, addresses, _open_changes(record, ids), fresh_proofs(session, graph, now)
    )


def _row(*columns: object) -> _Row:
    row = _Row(*columns)  # type: ignore[arg-type]
    return row._replace(
        links=_decode_links(row.links),  # type: ignore[arg-type]
        suppressions=_decode_suppressions(row.suppressions),  # type: ignore[arg-type]
    )


def _own_addresses(rows: Sequence[_Row], session_proved: frozenset[int]) -> Iterable[OwnAddress]:
    """Yield the addresses: of the periods of one address, the current one, or else the latest."""
    proofs = [
        proof for row in rows if row.is_on_record and row.kind == "email" for proof in _proofs(row)
    ]
    latest = _latest_by_source(rows)
    separated = _separated_since(rows)
    shown: dict[tuple[str, str], OwnAddress] = {}
    for stored in rows:
        row = stored._replace(separated_at=separated.get((stored.kind, stored.value)))
        address = _own_address(row, min(proofs, default=None), latest, session_proved)
        earlier = shown.get((row.kind, row.value))
        if earlier is None or (address.is_current and not earlier.is_current):
            shown[row.kind, row.value] = address
    yield from shown.values()


def _separated_since(rows: Sequence[_Row]) -> dict[tuple[str, str], datetime]:
    """Return since when people keep addresses apart. This holds in all periods of an address."""
    since: dict[tuple[str, str], datetime] = {}
    for row in rows:
        if row.separated_at:
            key = row.kind, row.value
            since[key] = max(row.separated_at, since.get(key, row.separated_at))
    return since


def _proofs(row: _Row) -> list[datetime]:
    return [link.occurred_at for link in row.links if link.evidence >= OPENED]


def _own_address(
    row: _Row,
    first_proof: datetime | None,
    latest: frozenset[tuple[int, int, int]],
    session_proved: frozenset[int],
) -> OwnAddress:
    proofs = row.account_proofs
    if row.proved_at and (row.id in session_proved or not row.links):
        proofs = [*proofs, row.proved_at]
    separated_at = None if row.is_on_record else row.separated_at
    return OwnAddress(
        id=row.id,
        kind=row.kind,
        value=row.value,
        state=_state(row, separated_at, first_proof, latest),
        since=min((link.occurred_at for link in row.links), default=row.proved_at),
        until=separated_at,
        proved_at=max(proofs, default=None),
        is_preferred=row.is_preferred,
        suppressions=tuple(row.suppressions) if row.is_on_record else (),
        is_linked=any(link.evidence >= CONFIRMED and link.state != "replaced" for link in row.links)
        and separated_at is None,
    )


def _state(
    row: _Row,
    separated_at: datetime | None,
    first_proof: datetime | None,
    latest: frozenset[tuple[int, int, int]],
) -> AddressState:
    """Return the state of an address. Another account may have it: it is pending until a proof."""
    if row.is_on_record:
        return AddressState.CURRENT
    if separated_at:
        return AddressState.REMOVED
    if any(link.evidence >= OPENED and link.state != "replaced" for link in row.links):
        # Two accounts proved one mailbox, such as that of a family. It is the address of both.
        return AddressState.CURRENT
    is_latest = any((link.holder_id, link.source_id, row.id) in latest for link in row.links)
    is_after_proof = first_proof is not None and any(
        link.occurred_at > first_proof for link in row.links
    )
    is_replaced = any(link.state == "replaced" for link in row.links)
    if is_replaced and not (is_latest and is_after_proof):
        return AddressState.REPLACED
    return AddressState.PENDING


def _latest_by_source(rows: Iterable[_Row]) -> frozenset[tuple[int, int, int]]:
    """Return (account, source, address) of the address that each source named last."""
    latest: dict[tuple[int, int], tuple[datetime, int]] = {}
    for row in rows:
        for link in row.links if row.kind == "email" else ():
            key = link.holder_id, link.source_id
            latest[key] = max(
                latest.get(key, (link.occurred_at, row.id)), (link.occurred_at, row.id)
            )
    return frozenset((*key, address_id) for key, (_, address_id) in latest.items())


def _open_changes(record: OpenedRecord, address_ids: Sequence[int]) -> tuple[AddressChange, ...]:
    """Return the changes of the accounts of a record, or of its mailboxes without an account."""
    holders = [*record.account_ids, *address_ids]
    is_open = Q(state__in=[AddressChange.State.PENDING, AddressChange.State.FROZEN])
    changes = AddressChange.objects.filter(is_open, holder_ids__overlap=holders)
    return tuple(changes.select_related("added", "removed").order_by("id"))
