"""Reads the parts of records that the proofs of a session open."""

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from customers import db, sql
from customers.identity.families import Family
from customers.identity.link_storage import is_own_proof
from customers.identity.links import IdentifierLink, IdentifierNode, LinkKind, ManualDecision, Pair
from customers.identity.normalize import normalize
from customers.identity.opening_rules import (
    OpenableIdentifier,
    OpenableLink,
    Opening,
    attached_by_people,
    open_records,
)
from customers.identity.separations import separated_pairs
from customers.types import BUTLER_SOURCE_ID, OpenedRecord

# The keys of the session data. PROVED: ids of identifiers that the session proved beside the address
# of its login. CHOSEN: the id of an identifier of the record that the customer chose.
PROVED = "proved"
CHOSEN = "chosen"
# The links of each identifier that are read. A mailbox with more accounts opens those it proved.
LINK_LIMIT = 101


class SessionProofs(NamedTuple):
    """The proofs of a session: the address of its login, and identifiers that it proved besides."""

    record_id: UUID | None
    # The kind and the value of the address.
    address: tuple[str, str]
    identifier_ids: tuple[int, ...] = ()


class _IdentifierRow(msgspec.Struct, array_like=True, frozen=True):
    """An identifier as read_openable.sql returns it."""

    id: int
    kind: str
    value: str
    space_id: int
    has_named_space: bool
    has_several_ids: bool
    is_placeholder: bool
    erasure_id: int
    record_id: UUID | None
    live_id: UUID | None
    silent_until: datetime | None

    @property
    def openable(self) -> OpenableIdentifier:
        node = IdentifierNode(
            self.id,
            self.kind,
            self.value,
            self.space_id,
            self.has_named_space,
            self.has_several_ids,
            is_placeholder=self.is_placeholder,
            erasure_id=self.erasure_id,
        )
        return OpenableIdentifier(node, self.record_id, self.live_id, self.silent_until)


class _LinkRow(msgspec.Struct, array_like=True, frozen=True):
    """A link as read_openable.sql returns it. `proved_at` counts for proofs in Butler alone."""

    first: int
    second: int
    evidence: int
    kind: str
    state: str
    source_id: int
    proved_at: datetime

    @property
    def link(self) -> IdentifierLink:
        """The link as the rules about separations read it."""
        is_proof = is_own_proof(self.source_id, self.evidence)
        own_proof_at = self.proved_at if is_proof else None
        return IdentifierLink(
            self.first, self.second, self.evidence, self.kind, own_proof_at=own_proof_at
        )


_decode_identifiers = msgspec.json.Decoder(list[_IdentifierRow]).decode
_decode_links = msgspec.json.Decoder(list[_LinkRow]).decode
_decode_decisions = msgspec.json.Decoder(list[ManualDecision]).decode


class OpenableGraph(NamedTuple):
    """The proved identifiers of a session, and the identifiers and links near them."""

    proved: Collection[int]
    identifiers: dict[int, OpenableIdentifier]
    links: list[OpenableLink]
    # The identifiers with more links than were read.
    crowded: frozenset[int] = frozenset()

    def open(self) -> Opening:
        """Return the records that the session opens."""
        return open_records(self.proved, self.identifiers, self.links, crowded=self.crowded)

    def proved_record(self) -> OpenedRecord | None:
        """Return the record of the proved account; None if there is none."""
        records = self.open().records
        return next((record for record in records if {*self.proved} & record.identifier_ids), None)


def read_opening(proofs: SessionProofs) -> Opening:
    """Return the records that a session with these proofs opens."""
    return read_openable(proofs).open()


def read_openable(proofs: SessionProofs) -> OpenableGraph:
    """Read the identifiers that a session may open, in one statement."""
    row = db.row(sql.load("read_openable"), openable_params(proofs))
    assert row is not None
    return openable_graph(*row)


def openable_params(proofs: SessionProofs) -> dict[str, object]:
    """Return the parameters of read_openable.sql."""
    kind, value = proofs.address
    return {
        "record_id": proofs.record_id,
        "kind": kind,
        "address": normalize(kind, value) or "",
        "proved_ids": list(proofs.identifier_ids),
        "limit": LINK_LIMIT,
    }


def openable_graph(
    proved: list[int], identifiers: str, links: str, decisions: str
) -> OpenableGraph:
    """Return the graph of a row of read_openable.sql."""
    openable = {row.id: row.openable for row in _decode_identifiers(identifiers)}
    link_rows = _decode_links(links)
    separated = frozenset[Pair]()
    decisions_of_people = _decode_decisions(decisions)
    if decisions_of_people:
        links_of_rows = [row.link for row in link_rows]
        separated = frozenset(separated_pairs(links_of_rows, decisions_of_people))
    current = [
        OpenableLink(
            row.first,
            row.second,
            row.kind,
            row.evidence,
            row.state == "joined",
            row.proved_at,
            is_by_customer=row.source_id == BUTLER_SOURCE_ID,
        )
        for row in link_rows
        if row.kind != LinkKind.PERIOD and (row.first, row.second) not in separated
    ]
    attached = attached_by_people(openable, decisions_of_people, separated)
    return OpenableGraph(proved, openable, [*current, *attached], _crowded(link_rows))


def _crowded(rows: Iterable[_LinkRow]) -> frozenset[int]:
    """Return the identifiers with as many links of one state as are read at most.

    Attached links lead to no account.
    """
    states = Counter(
        (end, row.state)
        for row in {*rows}
        for end in (row.first, row.second)
        if row.state != "attached"
    )
    return frozenset(end for (end, _), count in states.items() if count >= LINK_LIMIT)


def main_identifier(record: OpenedRecord, graph: OpenableGraph) -> int:
    """Return the identifier that stands for a record: its first account, or else its mailbox."""
    if record.account_ids:
        return record.account_ids[0]
    nodes = graph.identifiers
    return min(
        record.identifier_ids, key=lambda id_: (nodes[id_].node.family is not Family.MAILBOX, id_)
    )


def chosen_record(opening: Opening, chosen_id: int | None) -> OpenedRecord | None:
    """Return the only record, or the record with the chosen identifier, or None."""
    if len(opening.records) == 1:
        return opening.records[0]
    return next((record for record in opening.records if chosen_id in record.identifier_ids), None)
