"""The state of one order, which the fold computes from its events. Pure."""

from datetime import date, datetime, time
from decimal import Decimal

import msgspec

from customers.projections.order_lines import OrderLine
from customers.projections.order_refunds import Refund
from customers.projections.order_requests import OrderRequest, Placer

CLOSED = frozenset({"cancelled", "refunded", "declined", "expired"})


class OrderState(msgspec.Struct):
    """The current state of an order.

    While events are folded, `total` is the agreed price less the cancelled lines. In the result, it
    is also less the refunds.
    """

    number: str
    placed_at: datetime
    changed_at: datetime
    channel: str
    changed_by: str
    evidence: int
    version: int
    status: str = "placed"
    currency: str = ""
    total: Decimal = Decimal("0.00")
    # True if no readable total was stated, so that the total is the sum of the lines.
    is_total_of_lines: bool = False
    visit_date: date | None = None
    visit_time: time | None = None
    party: list[dict[str, object]] = []
    lines: list[OrderLine] = []
    details: dict[str, object] = {}
    requested_changes: list[dict[str, object]] = []
    refunds: list[Refund] = []
    # The codes of what Butler could not read, by field.
    doubts: dict[str, str] = {}
    # All requests of customers about this order, with their states.
    requests: list[OrderRequest] = []
    # The time of the oldest open request; None if no request is open.
    asked_at: datetime | None = None
    # The source that placed the order; None if staff placed it, or nobody yet.
    source_id: int | None = None
    space_id: int | None = None

    @property
    def is_closed(self) -> bool:
        """True if the order cannot change any more."""
        return self.status in CLOSED

    @property
    def placer(self) -> Placer | None:
        """The source that placed the order, with its space."""
        if self.source_id is None or self.space_id is None:
            return None
        return Placer(self.source_id, self.space_id)
