"""Issues the ticket codes of orders, shows them to their holder, and replaces them.

Butler issues a code when it is shown for the first time: a code that nobody has seen needs no row.
"""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction

from customers import sql
from customers.actions.orders import (
    NoSuchOrder,
    OrderTarget,
    order_change,
    record_order_changes,
)
from customers.models import Customer, Order, TicketCode
from customers.queries.lists import order_row
from customers.tickets import codes
from customers.tickets.states import FIRST, MOVED, NUMBER, REISSUED, REPLACED, SOURCE
from customers.types import OPEN_ORDER_STATUSES, VERIFIED

MAX_GUESTS = 100
CODE_REPLACED = "Ticket Code Replaced"


class NoTicket(Exception):
    """The order has no tickets: it is not confirmed, or it is for no visit."""


class UnconfirmedAccount(Exception):
    """The session opened the account of the order by an address that no code confirmed for it."""


class Ticket(NamedTuple):
    """A ticket of an order: its guest, and the code that opens the gate."""

    # The number of the guest, or the name that the source gave; empty for the whole order.
    guest: str
    # The name of the guest; empty if it is not known.
    name: str
    code: str


class _Issue(NamedTuple):
    """The codes of an order, locked."""

    order: Order
    order_key: str
    rows: list[TicketCode]


@transaction.atomic
def read_tickets(*, customer_id: UUID, number: str, now: datetime) -> list[Ticket]:
    """Return the tickets of an order; issue their codes if they have none. Empty without tickets."""
    order = order_row(Order.objects.filter(customer_id=customer_id), number)
    if order is None or not _is_confirmed(order):
        return []
    issue = _lock(order)
    return _tickets(issue, now) if issue else []


@transaction.atomic
def replace_codes(*, target: OrderTarget, guest: str | None = None) -> list[Ticket]:
    """Replace the codes of an order, or of one guest of it; return all its tickets.

    The earlier codes do not open the gate after the commit. The log states the replacement
    without the codes. Raises NoSuchOrder or NoTicket.
    """
    order = order_row(Order.objects.filter(customer_id=target.customer_id), target.number)
    if order is None:
        raise NoSuchOrder
    issue = _lock(order) if _is_confirmed(order) else None
    tickets = _tickets(issue, target.now) if issue else []
    if issue is None or not tickets or guest not in (None, *(ticket.guest for ticket in tickets)):
        raise NoTicket
    replaced = [ticket.guest for ticket in tickets if guest in (None, ticket.guest)]
    rows = TicketCode.objects.filter(order_key=issue.order_key, ended_at=None)
    # A code for the whole order, such as its number, opens the gate for all guests.
    rows.filter(guest__in=["", *replaced]).update(ended_at=target.now, end_reason=REPLACED)
    for name in replaced:
        _issue_code(issue, name, REISSUED, target.now)
    properties = {"guest": guest} if guest else {}
    change = order_change(CODE_REPLACED, target.number, properties, target.now)
    record_order_changes(target, [change])
    issue = _lock(order)
    return _tickets(issue, target.now) if issue else []


def require_handover(target: OrderTarget, proved: frozenset[int] | None) -> None:
    """Raise UnconfirmedAccount if the session of a customer may not replace the codes of an order.

    It may if it proved an identifier that the order was sent with, or one with a confirmed link to
    such an account. Raises NoSuchOrder.

    proved: the identifiers that the session proved; None for staff, keys and tokens of the account
    """
    if proved is None:
        return
    params = {"number": target.number, "customer_id": target.customer_id}
    keys = [order_key for order_key, _ in sql.rows("find_order_keys", params)]
    if not keys:
        raise NoSuchOrder
    if keys[0].startswith(str(target.customer_id)):
        # The order has no identifier. Only a session that opens the whole record has it.
        if target.author.opened_ids:
            raise UnconfirmedAccount
        return
    if not sql.rows("find_handover_proof", {"order_key": keys[0], "proved": list(proved)}):
        raise UnconfirmedAccount


def end_codes(customer_id: UUID, now: datetime, reason: str) -> None:
    """End the codes of a record, and delete the encrypted codes."""
    records = Customer.objects.filter(pk=customer_id) | Customer.objects.filter(
        canonical_id=customer_id
    )
    rows = TicketCode.objects.filter(customer__in=records)
    rows.filter(ended_at=None).update(ended_at=now)
    rows.update(end_reason=reason, encrypted=b"")


def _is_confirmed(order: Order) -> bool:
    return order.evidence == VERIFIED and order.status in OPEN_ORDER_STATUSES


def _lock(order: Order) -> _Issue | None:
    """Lock the order at the gate, and return its valid codes; None for an unknown order."""
    params = {"number": order.number, "customer_id": order.customer_id}
    keys = [order_key for order_key, _ in sql.rows("find_order_keys", params)]
    if not keys:
        return None
    sql.run("lock_ticket_order", {"order_key": keys[0]})
    rows = TicketCode.objects.filter(order_key=keys[0], ended_at=None).exclude(origin=NUMBER)
    return _Issue(order, keys[0], list(rows.order_by("id")))


def _tickets(issue: _Issue, now: datetime) -> list[Ticket]:
    _end_moved(issue, now)
    names = [str(guest.get("name") or "") for guest in issue.order.party]
    codes_of_order = TicketCode.objects.filter(order_key=issue.order_key)
    if issue.rows and codes_of_order.filter(origin=SOURCE).exists():
        return [
            Ticket(row.guest, _name(row.guest, names), code)
            for row in issue.rows
            if (code := _code(row))
        ]
    if issue.order.visit_date is None:
        return []
    return [_own_ticket(issue, guest, names, now) for guest in _guests(issue.order)]


def _end_moved(issue: _Issue, now: datetime) -> None:
    """End the codes that were issued to a customer who does not have the order any more."""
    customers = Customer.objects.in_bulk([row.customer_id for row in issue.rows])
    moved = [
        row
        for row in issue.rows
        if issue.order.customer_id not in (row.customer_id, customers[row.customer_id].canonical_id)
    ]
    if moved:
        ids = [row.pk for row in moved]
        TicketCode.objects.filter(pk__in=ids).update(ended_at=now, end_reason=MOVED)
        issue.rows[:] = [row for row in issue.rows if row not in moved]


def _guests(order: Order) -> list[str]:
    if settings.BUTLER_TICKETS_PER == "order":
        return [""]
    return [str(number) for number in range(1, min(guest_count(order), MAX_GUESTS) + 1)]


def guest_count(order: Order) -> int:
    """Return the number of guests of an order: its party, or else the ordered quantity."""
    ordered = sum(line["quantity"] or 0 for line in order.lines if line["status"] == "ordered")
    return len(order.party) or max(ordered, 1)


def _own_ticket(issue: _Issue, guest: str, names: list[str], now: datetime) -> Ticket:
    row = next((row for row in issue.rows if row.guest == guest), None)
    code = _code(row) if row else None
    if code is None:
        code = _issue_code(issue, guest, FIRST, now)
    return Ticket(guest, _name(guest, names), code)


def _name(guest: str, names: list[str]) -> str:
    if guest.isdecimal() and 0 < int(guest) <= len(names):
        return names[int(guest) - 1]
    return guest


def _code(row: TicketCode) -> str | None:
    return codes.decrypt(settings.TICKET_KEY, bytes(row.encrypted))


def _issue_code(issue: _Issue, guest: str, origin: str, now: datetime) -> str:
    """Store a new code, and end an earlier one of this guest that cannot be shown any more."""
    key = settings.TICKET_KEY
    code = codes.new_code()
    TicketCode.objects.filter(
        order_key=issue.order_key, guest=guest, ended_at=None, origin__in=(FIRST, REISSUED)
    ).update(ended_at=now, end_reason=REPLACED)
    TicketCode.objects.create(
        order_key=issue.order_key,
        number=issue.order.number,
        customer_id=issue.order.customer_id,
        guest=guest,
        digest=codes.digest(key, codes.normalize(code)),
        encrypted=codes.encrypt(key, code),
        origin=origin,
        visit_date=issue.order.visit_date,
        issued_at=now,
    )
    return code
