"""Stores the ticket codes that sources send with their orders."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.conf import settings

from customers import sql
from customers.models import TicketCode
from customers.tickets import codes
from customers.tickets.stated_codes import KnownCode, restate
from customers.tickets.states import REPLACED, SOURCE


class StatedCodes(NamedTuple):
    """The codes that an event of a source states for an order on a record."""

    number: str
    customer_id: UUID
    guests_and_codes: tuple[tuple[str, str], ...]
    stated_at: datetime


def store_stated_codes(stated: Iterable[StatedCodes], *, source_id: int, now: datetime) -> None:
    """Store the codes for the orders that this source placed. Codes for other orders are ignored."""
    for statement in stated:
        params = {"number": statement.number, "customer_id": statement.customer_id}
        for order_key, _ in sql.rows("find_order_keys", params):
            if order_key.startswith(f"{source_id}/"):
                _store(order_key, statement, now)


def _store(order_key: str, statement: StatedCodes, now: datetime) -> None:
    key = settings.TICKET_KEY
    code_of = {
        (guest, codes.digest(key, codes.normalize(code))): code
        for guest, code in statement.guests_and_codes
        if codes.is_storable(code)
    }
    stored_codes = [
        KnownCode(
            row.pk, row.guest, bytes(row.digest), row.origin, row.issued_at, bool(row.ended_at)
        )
        for row in TicketCode.objects.filter(order_key=order_key).select_for_update(no_key=True)
    ]
    restatement = restate(code_of, stored_codes, statement.stated_at)
    rows = TicketCode.objects
    rows.filter(pk__in=[row.id for row in restatement.ended]).update(
        ended_at=now, end_reason=REPLACED
    )
    # The source states that its code is for the customer who has the order now.
    rows.filter(pk__in=[row.id for row in restatement.repeated]).update(
        customer_id=statement.customer_id
    )
    rows.bulk_create(
        TicketCode(
            order_key=order_key,
            number=statement.number,
            customer_id=statement.customer_id,
            guest=guest,
            digest=digest,
            encrypted=codes.encrypt(key, code_of[guest, digest].strip()),
            origin=SOURCE,
            issued_at=statement.stated_at,
            ended_at=now if restatement.is_outdated else None,
            end_reason=REPLACED if restatement.is_outdated else "",
        )
        for guest, digest in restatement.added
    )
