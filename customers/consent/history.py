"""What customers said we may do: how it stands, every entry, and the receipt of each."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db.models import Q, QuerySet

from customers.consent import receipts, signing
from customers.consent.state import State
from customers.models import Control, ControlEntry, Customer, Notice, Purpose, Request, Topic
from customers.models.control import own_record
from customers.queries.pages import Page, page_of
from customers.queries.shapes import (
    EntryShape,
    Json,
    NoticeShape,
    PurposeShape,
    RequestShape,
    TopicShape,
)

_FALLBACK = "en"


def standing(customer_id: UUID) -> State:
    """Return what holds for a live record; whoever said nothing has agreed to nothing."""
    state = Control.objects.filter(pk=customer_id).values_list("state", flat=True).first()
    return msgspec.convert(state, State) if state else State()


def ledger(customer_id: UUID, *, cursor: str | None, limit: int) -> Page[EntryShape]:
    """Return what was said for a live record, what was heard last first."""
    return page_of(
        _entries(_members(customer_id)),
        by={"recorded_at": datetime, "record_id": UUID, "seq": int},
        shape=_entry,
        cursor=cursor,
        limit=limit,
    )


def receipt(customer_id: UUID, entry_id: UUID) -> bytes | None:
    """Return the receipt of an entry; None where it was not said for this record."""
    found = _entries(_members(customer_id)).filter(entry_id=entry_id).first()
    return _file(signing.published().receipt(_link(found))) if found else None


def export(customer_id: UUID) -> bytes:
    """Return every chain on which something was said for a live record.

    What was said on them for others, after records were parted, is sealed; what came after the
    last word for this one is left out.
    """
    members = _members(customer_id)
    theirs = {(row.record_id, row.seq) for row in _entries(members)}
    chains = []
    for record in sorted({record for record, _ in theirs}):
        last = max(seq for other, seq in theirs if other == record)
        rows = ControlEntry.objects.filter(record_id=record, seq__lte=last).order_by("seq")
        links = [_link(row) for row in rows]
        chains.append(
            [
                one if (one.record, one.seq) in theirs else one._replace(document=None)
                for one in links
            ]
        )
    return _file(receipts.export(chains, signing.published()))


def _members(customer_id: UUID) -> list[UUID]:
    rows = Customer.objects.filter(Q(pk=customer_id) | Q(canonical_id=customer_id))
    return list(rows.values_list("pk", flat=True))


def _entries(members: list[UUID]) -> QuerySet[ControlEntry]:
    # On their own chains; or on another's, where the index says what was said for whom.
    elsewhere = ~Q(speaks_for=own_record()) & Q(speaks_for__overlap=members)
    rows = ControlEntry.objects.filter(Q(record_id__in=members) | elsewhere)
    return rows.filter(speaks_for__overlap=members)


def _link(row: ControlEntry) -> receipts.Link:
    return receipts.Link(
        row.record_id,
        row.seq,
        bytes(row.previous),
        bytes(row.digest),
        msgspec.json.decode(row.document),
    )


def _file(document: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _entry(row: ControlEntry) -> EntryShape:
    said: dict[str, Any] = msgspec.json.decode(row.document)
    notice = said["privacy_notice"] or {}
    return EntryShape(
        id=row.entry_id,
        kind=row.kind,
        subject=row.subject,
        channel=said["channel"],
        topic=said["topic"],
        value=_json(said["value"]),
        notice=notice.get("sha256"),
        language=said["language"],
        by=said["actor"]["role"],
        actor=said["actor"]["id"],
        source_channel=said["source_channel"],
        evidence=said["evidence"],
        valid_until=said["valid_until"],
        occurred_at=row.occurred_at,
        recorded_at=row.recorded_at,
        version=row.version,
    )


def _json(value: object) -> Json:
    return msgspec.Raw(msgspec.json.encode(value))


def purposes(language: str) -> list[PurposeShape]:
    """Return what customers are asked for, with the words that are shown today."""
    notices: dict[str, list[Notice]] = {}
    for notice in Notice.objects.order_by("version", "language"):
        notices.setdefault(notice.purpose_id, []).append(notice)
    return [
        PurposeShape(
            key=purpose.key,
            kind=purpose.kind,  # type: ignore[arg-type]  # one of Purpose.Kind
            name=_worded(purpose.texts, language).get("name", purpose.key),
            description=_worded(purpose.texts, language).get("description", ""),
            is_offered=purpose.is_offered,
            notice=_newest(notices.get(purpose.key, ()), language),
        )
        for purpose in Purpose.objects.order_by("position", "key")
    ]


def topics(language: str) -> list[TopicShape]:
    """Return what messages are about."""
    return [
        TopicShape(
            key=topic.key,
            name=_worded(topic.texts, language).get("name", topic.key),
            description=_worded(topic.texts, language).get("description", ""),
        )
        for topic in Topic.objects.order_by("position", "key")
    ]


def _worded(texts: Mapping[str, Mapping[str, str]], language: str) -> Mapping[str, str]:
    return _in_language(texts, language) if texts else {}


def _in_language[T](worded: Mapping[str, T], language: str) -> T:
    """Return the words in this language, else in English, else in any that there is."""
    for wanted in (language, language.partition("-")[0], _FALLBACK):
        if wanted in worded:
            return worded[wanted]
    return worded[min(worded)]


def _newest(notices: Sequence[Notice], language: str) -> NoticeShape | None:
    """Return the newest words, in this language where there are some; sorted by version."""
    if not notices:
        return None
    version = notices[-1].version
    by_language = {one.language: one for one in notices if one.version == version}
    chosen = _in_language(by_language, language)
    return NoticeShape(chosen.version, chosen.language, chosen.text, chosen.digest)


def requests(customer_id: UUID, *, cursor: str | None, limit: int) -> Page[RequestShape]:
    """Return what a live record's customer asked a person for, the newest first."""
    return page_of(
        Request.objects.filter(customer_id=customer_id),
        by={"opened_at": datetime, "reference": str},
        shape=_request,
        cursor=cursor,
        limit=limit,
    )


def _request(row: Request) -> RequestShape:
    return RequestShape(
        reference=row.reference,
        kind=row.kind,
        status=row.status,  # type: ignore[arg-type]  # one of Request.Status
        subject=row.subject,
        channel=row.channel,
        opened_at=row.opened_at,
        wanted_at=row.wanted_at,
        closed_at=row.closed_at,
        version=row.version,
    )
