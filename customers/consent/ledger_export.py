"""Reads ledger entries, receipts and the export of the ledger for customers and staff."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db.models import Q, QuerySet

from customers.consent import receipts, signing
from customers.models import Customer, LedgerEntry
from customers.models.consent import own_record
from customers.queries.consent_shapes import LedgerEntryShape
from customers.queries.pages import Page, read_page
from customers.queries.shapes import Json, shape_of_row
from customers.types import OpenedRecord

# Fields of a ledger entry that Butler shows unchanged from its document.
_DOCUMENT_FIELDS = ("channel", "topic", "language", "source_channel", "evidence", "valid_until")


def ledger_entries(
    customer_id: UUID, *, cursor: str | None, limit: int, part: OpenedRecord | None
) -> Page[LedgerEntryShape]:
    """Return the ledger entries that speak for a live record, the newest first.

    part: the part of the record that a session opens; None for the whole record. A statement after
    a merge speaks for both records, so it is in the part of each.
    """
    return read_page(
        _entries(_record_ids(customer_id, part)),
        order_by={"recorded_at": datetime, "record_id": UUID, "seq": int},
        to_shape=_entry,
        cursor=cursor,
        limit=limit,
    )


def receipt(customer_id: UUID, entry_id: UUID, *, part: OpenedRecord | None) -> bytes | None:
    """Return the receipt of an entry as JSON; None if the entry does not speak for this record.

    part: the part of the record that a session opens; None for the whole record
    """
    row = _entries(_record_ids(customer_id, part)).filter(entry_id=entry_id).first()
    return _formatted_json(signing.published_signer().receipt(_chain_link(row))) if row else None


def export_ledger(customer_id: UUID, *, part: OpenedRecord | None) -> bytes:
    """Return as JSON all chains with an entry that speaks for a live record.

    After an undone merge, a chain may contain entries for other records; the export seals them. The
    export ends each chain at the last entry for this record.

    part: the part of the record that a session opens; None for the whole record
    """
    record_ids = _record_ids(customer_id, part)
    positions = {(row.record_id, row.seq) for row in _entries(record_ids)}
    chains = []
    for record in sorted({record for record, _ in positions}):
        last = max(seq for other, seq in positions if other == record)
        rows = LedgerEntry.objects.filter(record_id=record, seq__lte=last).order_by("seq")
        links = [_chain_link(row) for row in rows]
        chains.append(
            [
                link if (link.record, link.seq) in positions else link._replace(document=None)
                for link in links
            ]
        )
    return _formatted_json(receipts.build_export(chains, signing.published_signer()))


def _record_ids(customer_id: UUID, part: OpenedRecord | None) -> list[UUID]:
    if part:
        return sorted(part.record_ids)
    rows = Customer.objects.filter(Q(pk=customer_id) | Q(canonical_id=customer_id))
    return list(rows.values_list("pk", flat=True))


def _entries(record_ids: list[UUID]) -> QuerySet[LedgerEntry]:
    # Entries on the records' own chains, or on the chain of another record (an index finds these).
    elsewhere = ~Q(speaks_for=own_record()) & Q(speaks_for__overlap=record_ids)
    rows = LedgerEntry.objects.filter(Q(record_id__in=record_ids) | elsewhere)
    return rows.filter(speaks_for__overlap=record_ids)


def _chain_link(row: LedgerEntry) -> receipts.ChainLink:
    return receipts.ChainLink(
        row.record_id,
        row.seq,
        bytes(row.previous),
        bytes(row.digest),
        msgspec.json.decode(row.document),
    )


def _formatted_json(document: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _entry(row: LedgerEntry) -> LedgerEntryShape:
    document: dict[str, Any] = msgspec.json.decode(row.document)
    notice = document["privacy_notice"] or {}
    return shape_of_row(
        LedgerEntryShape,
        row,
        id=row.entry_id,
        value=_json(document["value"]),
        notice=notice.get("sha256"),
        by=document["actor"]["role"],
        actor=document["actor"]["id"],
        **{name: document[name] for name in _DOCUMENT_FIELDS},
    )


def _json(value: object) -> Json:
    return msgspec.Raw(msgspec.json.encode(value))
