"""Lists of records, orders, requests, reviews, merges and items in quarantine."""

import json
from datetime import datetime
from uuid import UUID

import msgspec
from django.db.models import Func, Q, QuerySet, TextField
from django.db.models.functions import Coalesce, Length
from msgspec import UNSET

from customers import db, sql
from customers.models import (
    Customer,
    Evidence,
    Interaction,
    Merge,
    Order,
    PartyMember,
    QuarantinedItem,
    Request,
    Review,
    Trait,
)
from customers.queries.opened_subjects import read_opened_subjects
from customers.queries.pages import Page, read_page
from customers.queries.shapes import (
    InteractionShape,
    MemberShape,
    MergeShape,
    OrderShape,
    QuarantineShape,
    RequestShape,
    ReviewShape,
    SummaryShape,
    shape_of_row,
)
from customers.types import OpenedRecord
from customers.values.order_numbers import SUFFIX_SEPARATOR


def live_id(customer_id: UUID) -> UUID | None:
    """Return the id of the live record that an id leads to; None if it does not exist."""
    live = Coalesce("canonical_id", "id")
    return Customer.objects.filter(pk=customer_id).values_list(live, flat=True).first()


def customers(*, cursor: str | None, limit: int) -> Page[SummaryShape]:
    """Return a page of live records, newest first."""
    page = read_page(
        Customer.objects.filter(canonical__isnull=True),
        order_by={"id": UUID},
        to_shape=lambda row: row,
        cursor=cursor,
        limit=limit,
    )
    names = _read_names([row.pk for row in page.results])
    summaries = [
        shape_of_row(SummaryShape, row, name=_text(names.get(row.pk)), is_verified=UNSET)
        for row in page.results
    ]
    return Page(summaries, page.next, page.previous)


def _read_names(customer_ids: list[UUID]) -> dict[UUID, object]:
    rows = Trait.objects.filter(customer_id__in=customer_ids, name="name")
    return dict(rows.values_list("customer_id", "value"))


def customers_by_identifier(kind: str, value: str) -> list[SummaryShape]:
    """Return the records that a normalized identifier leads to, verified ones first."""
    params = {"kind": kind, "value": value}
    rows = db.rows(sql.load("find_customers"), params)
    return [
        SummaryShape(
            id=customer_id,
            version=version,
            name=_text(msgspec.json.decode(name) if name else None),
            created_at=created_at,
            last_seen_at=last_seen_at,
            is_verified=evidence == Evidence.VERIFIED,
        )
        for customer_id, version, created_at, last_seen_at, evidence, name in rows
    ]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def orders(
    customer_id: UUID, *, cursor: str | None, limit: int, part: OpenedRecord | None
) -> Page[OrderShape]:
    """Return a page of a live record's orders, newest first.

    part: the part of the record that a session opens; None for the whole record
    """
    return read_page(
        _orders(customer_id, part),
        order_by={"placed_at": datetime, "number": str},
        to_shape=_order,
        cursor=cursor,
        limit=limit,
    )


def order(customer_id: UUID, number: str, *, part: OpenedRecord | None) -> OrderShape | None:
    """Return the order of a live record, or of its opened part, with this number, or None."""
    row = order_row(_orders(customer_id, part), number)
    return _order(row) if row else None


def order_row(rows: QuerySet[Order], number: str) -> Order | None:
    """Return the order that shows this number; else the only one that a source sent with it.

    rows: the orders of one record
    """
    if shown := rows.filter(number=number).first():
        return shown
    sent = Func("number", function="customers_sent_number", output_field=TextField())
    others = rows.filter(number__contains=SUFFIX_SEPARATOR).alias(sent=sent).filter(sent=number)[:2]
    return others[0] if len(others) == 1 else None


def _orders(customer_id: UUID, part: OpenedRecord | None) -> QuerySet[Order]:
    rows = Order.objects.filter(customer_id=customer_id)
    if part is None:
        return rows
    sent = Func("number", function="customers_sent_number", output_field=TextField())
    return rows.annotate(sent=sent).filter(sent__in=read_opened_subjects(part).orders)


def _order(row: Order) -> OrderShape:
    return shape_of_row(
        OrderShape,
        row,
        party=_raw_json(row.party),
        lines=_raw_json(row.lines),
        details=_raw_json(row.details),
        requested_changes=_raw_json(row.requested_changes),
        refunds=_raw_json(row.refunds),
        doubts=_raw_json(row.doubts),
        requests=_raw_json(row.requests),
        is_verified=row.evidence == Evidence.VERIFIED,
    )


def _raw_json(value: object) -> msgspec.Raw:
    # Python's own JSON encoder, because a number from the log may be longer than 64 bits.
    return msgspec.Raw(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def party(customer_id: UUID, *, part: OpenedRecord | None) -> list[MemberShape]:
    """Return the party of a live record, or of its opened part: guests and guardians first."""
    return [_member(row) for row in _party(customer_id, part).order_by("-role", "reference")]


def member(customer_id: UUID, reference: str, *, part: OpenedRecord | None) -> MemberShape | None:
    """Return the member of the party with this reference, or None."""
    row = _party(customer_id, part).filter(reference=reference).first()
    return _member(row) if row else None


def _party(customer_id: UUID, part: OpenedRecord | None) -> QuerySet[PartyMember]:
    rows = PartyMember.objects.filter(customer_id=customer_id)
    return rows.filter(reference__in=read_opened_subjects(part).members) if part else rows


def _member(row: PartyMember) -> MemberShape:
    return shape_of_row(MemberShape, row, details=_raw_json(row.details))


def interactions(
    customer_id: UUID, *, cursor: str | None, limit: int, part: OpenedRecord | None
) -> Page[InteractionShape]:
    """Return a page of the calls, visits and chats of a record or its opened part, newest first."""
    rows = Interaction.objects.filter(customer_id=customer_id)
    if part:
        rows = rows.filter(reference__in=read_opened_subjects(part).interactions)
    return read_page(
        rows,
        order_by={"started_at": datetime, "reference": str},
        to_shape=_interaction,
        cursor=cursor,
        limit=limit,
    )


def _interaction(row: Interaction) -> InteractionShape:
    return shape_of_row(InteractionShape, row, details=_raw_json(row.details))


def requests(
    customer_id: UUID, *, cursor: str | None, limit: int, part: OpenedRecord | None
) -> Page[RequestShape]:
    """Return a page of the service requests of a record or its opened part, newest first."""
    return read_page(
        _requests(customer_id, part),
        order_by={"opened_at": datetime, "reference": str},
        to_shape=lambda row: shape_of_row(RequestShape, row),
        cursor=cursor,
        limit=limit,
    )


def has_request(customer_id: UUID, reference: str, *, part: OpenedRecord | None) -> bool:
    """Tell whether a record, or its opened part, has the service request with this reference."""
    return _requests(customer_id, part).filter(reference=reference).exists()


def _requests(customer_id: UUID, part: OpenedRecord | None) -> QuerySet[Request]:
    rows = Request.objects.filter(customer_id=customer_id)
    return rows.filter(reference__in=read_opened_subjects(part).requests) if part else rows


def merges(customer_id: UUID, *, part: OpenedRecord | None = None) -> list[MergeShape]:
    """Return at most 500 merges of a live record, oldest first, including undone merges.

    part: the part of the record that a session opens; None for the whole record. It contains the
    merges of two opened records.
    """
    record_ids = [
        customer_id,
        *Customer.objects.filter(canonical_id=customer_id).values_list("id", flat=True),
    ]
    rows = Merge.objects.filter(Q(merged_into_id__in=record_ids) | Q(record_id__in=record_ids))
    if part:
        rows = rows.filter(merged_into_id__in=part.record_ids, record_id__in=part.record_ids)
    return [merge(row) for row in rows.order_by("merged_at", "id")[:500]]


def merge(row: Merge) -> MergeShape:
    """Return the shape of one merge."""
    return shape_of_row(
        MergeShape,
        row,
        merged_into=row.merged_into_id,
        record=row.record_id,
        links=_raw_json(row.links),
    )


def reviews(
    *, status: str | None, kind: str | None, cursor: str | None, limit: int
) -> Page[ReviewShape]:
    """Return a page of reviews, newest first."""
    rows = Review.objects.all()
    if status:
        rows = rows.filter(status=status)
    if kind:
        rows = rows.filter(kind=kind)
    return read_page(rows, order_by={"id": int}, to_shape=_review, cursor=cursor, limit=limit)


def review(review_id: int) -> ReviewShape | None:
    """Return one review, or None."""
    row = Review.objects.filter(pk=review_id).first()
    return _review(row) if row else None


def _review(row: Review) -> ReviewShape:
    return shape_of_row(
        ReviewShape,
        row,
        first=row.first_id,
        second=row.second_id,
        details=_raw_json(row.details),
    )


def quarantine(
    *, reason: str | None, source: str | None, cursor: str | None, limit: int
) -> Page[QuarantineShape]:
    """Return a page of items in quarantine, newest first, without their received bytes."""
    rows = QuarantinedItem.objects.select_related("source").defer("raw")
    rows = rows.annotate(size=Length("raw"))
    if reason:
        rows = rows.filter(reason=reason)
    if source:
        rows = rows.filter(source__name=source)
    return read_page(rows, order_by={"id": int}, to_shape=_quarantined, cursor=cursor, limit=limit)


def quarantined(item_id: int) -> QuarantineShape | None:
    """Return one item in quarantine with its received bytes, or None."""
    rows = QuarantinedItem.objects.select_related("source").annotate(size=Length("raw"))
    row = rows.filter(pk=item_id).first()
    return msgspec.structs.replace(_quarantined(row), raw=bytes(row.raw)) if row else None


def _quarantined(row: QuarantinedItem) -> QuarantineShape:
    # Lists do not contain the received bytes, because reading them needs another statement.
    return shape_of_row(QuarantineShape, row, source=row.source.name, raw=UNSET)
