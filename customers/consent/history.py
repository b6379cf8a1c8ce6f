"""Reads consent for display: the current state, the ledger entries and their receipts."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db.models import Q, QuerySet

from customers.consent import receipts, signing
from customers.consent.state import State
from customers.models import Control, ControlEntry, Customer, Notice, Purpose, Topic
from customers.models.control import own_record
from customers.queries.consent_shapes import (
    LedgerEntryShape,
    NoticeShape,
    PurposeShape,
    TopicShape,
)
from customers.queries.pages import Page, read_page
from customers.queries.shapes import Json, shape_of_row

_FALLBACK_LANGUAGE = "en"
# Fields of a ledger entry that readers see as its document has them.
_DOCUMENT_FIELDS = ("channel", "topic", "language", "source_channel", "evidence", "valid_until")


def current_state(customer_id: UUID) -> State:
    """Return the consent state of a live record; without a statement nothing is agreed to."""
    state = Control.objects.filter(pk=customer_id).values_list("state", flat=True).first()
    return msgspec.convert(state, State) if state else State()


def ledger_entries(customer_id: UUID, *, cursor: str | None, limit: int) -> Page[LedgerEntryShape]:
    """Return the ledger entries that speak for a live record, the newest first."""
    return read_page(
        _entries(_record_ids(customer_id)),
        order_by={"recorded_at": datetime, "record_id": UUID, "seq": int},
        to_shape=_entry,
        cursor=cursor,
        limit=limit,
    )


def receipt(customer_id: UUID, entry_id: UUID) -> bytes | None:
    """Return the receipt of an entry; None where it does not speak for this record."""
    row = _entries(_record_ids(customer_id)).filter(entry_id=entry_id).first()
    return _formatted_json(signing.published_signer().receipt(_chain_link(row))) if row else None


def export_ledger(customer_id: UUID) -> bytes:
    """Return every chain with an entry that speaks for a live record.

    Entries on them for other records, after a merge was undone, are sealed; entries after the last
    one for this record are left out.
    """
    record_ids = _record_ids(customer_id)
    positions = {(row.record_id, row.seq) for row in _entries(record_ids)}
    chains = []
    for record in sorted({record for record, _ in positions}):
        last = max(seq for other, seq in positions if other == record)
        rows = ControlEntry.objects.filter(record_id=record, seq__lte=last).order_by("seq")
        links = [_chain_link(row) for row in rows]
        chains.append(
            [
                link if (link.record, link.seq) in positions else link._replace(document=None)
                for link in links
            ]
        )
    return _formatted_json(receipts.build_export(chains, signing.published_signer()))


def _record_ids(customer_id: UUID) -> list[UUID]:
    rows = Customer.objects.filter(Q(pk=customer_id) | Q(canonical_id=customer_id))
    return list(rows.values_list("pk", flat=True))


def _entries(record_ids: list[UUID]) -> QuerySet[ControlEntry]:
    # On their own chains; or on the chain of another record, which an index finds.
    elsewhere = ~Q(speaks_for=own_record()) & Q(speaks_for__overlap=record_ids)
    rows = ControlEntry.objects.filter(Q(record_id__in=record_ids) | elsewhere)
    return rows.filter(speaks_for__overlap=record_ids)


def _chain_link(row: ControlEntry) -> receipts.ChainLink:
    return receipts.ChainLink(
        row.record_id,
        row.seq,
        bytes(row.previous),
        bytes(row.digest),
        msgspec.json.decode(row.document),
    )


def _formatted_json(document: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _entry(row: ControlEntry) -> LedgerEntryShape:
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


def purposes(language: str) -> list[PurposeShape]:
    """Return the purposes that customers are asked for, with the notices shown today."""
    notices: dict[str, list[Notice]] = {}
    for notice in Notice.objects.order_by("version", "language"):
        notices.setdefault(notice.purpose_id, []).append(notice)
    return [
        PurposeShape(
            key=purpose.key,
            kind=purpose.kind,  # type: ignore[arg-type]  # one of Purpose.Kind
            name=_texts_in(purpose.texts, language).get("name", purpose.key),
            description=_texts_in(purpose.texts, language).get("description", ""),
            is_offered=purpose.is_offered,
            notice=_newest_notice(notices.get(purpose.key, ()), language),
        )
        for purpose in Purpose.objects.order_by("position", "key")
    ]


def topics(language: str) -> list[TopicShape]:
    """Return what messages are about."""
    return [
        TopicShape(
            key=topic.key,
            name=_texts_in(topic.texts, language).get("name", topic.key),
            description=_texts_in(topic.texts, language).get("description", ""),
        )
        for topic in Topic.objects.order_by("position", "key")
    ]


def _texts_in(texts: Mapping[str, Mapping[str, str]], language: str) -> Mapping[str, str]:
    return _in_language(texts, language) if texts else {}


def _in_language[T](by_language: Mapping[str, T], language: str) -> T:
    """Return the text in this language, else in English, else in any other."""
    for candidate in (language, language.partition("-")[0], _FALLBACK_LANGUAGE):
        if candidate in by_language:
            return by_language[candidate]
    return by_language[min(by_language)]


def _newest_notice(notices: Sequence[Notice], language: str) -> NoticeShape | None:
    """Return the newest notice, in this language if there is one; `notices` are by version."""
    if not notices:
        return None
    version = notices[-1].version
    by_language = {notice.language: notice for notice in notices if notice.version == version}
    chosen = _in_language(by_language, language)
    return NoticeShape(chosen.version, chosen.language, chosen.text, chosen.digest)
