"""Stores the ticket codes that sources send with their orders."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.conf import settings

from customers import sql
from customers.models import Identifier, TicketCode
from customers.tickets import codes
from customers.tickets.stated_codes import KnownCode, restate
from customers.tickets.states import REPLACED, SOURCE
from customers.types import VERIFIED
from customers.values.order_numbers import sent_number


class StatedCodes(NamedTuple):
    """The codes that an event of a source states for an order on a record."""

    number: str
    customer_id: UUID
    guests_and_codes: tuple[tuple[str, str], ...]
    stated_at: datetime
    # Whether the event places the order.
    is_placing: bool = False


def store_stated_codes(stated: Iterable[StatedCodes], *, source_id: int, now: datetime) -> None:
    """Store the codes for the orders that this source placed, alone or with another source.

    Codes for other orders are ignored.
    """
    for filed in stated:
        statement = filed._replace(customer_id=_holder(filed, source_id))
        params = {"number": statement.number, "customer_id": statement.customer_id}
        keys = [order_key for order_key, _ in sql.rows("find_order_keys", params)]
        own_keys = [order_key for order_key in keys if order_key.startswith(f"{source_id}/")]
        if statement.is_placing and not own_keys and len(keys) == 1:
            # Another source of the space placed the same sale earlier, so the sale has its key.
            own_keys = keys
        for order_key in own_keys:
            _store(order_key, statement, now)


def _holder(statement: StatedCodes, source_id: int) -> UUID:
    """Return the record of the order, which may be another one than that of the statement."""
    orders = Identifier.objects.filter(
        kind="order",
        evidence=VERIFIED,
        value=f"{source_id}/{sent_number(statement.number)}",
        erasure=None,
        is_shared=False,
    )
    holder = orders.values_list("customer_id", flat=True).first()
    return holder or statement.customer_id


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
