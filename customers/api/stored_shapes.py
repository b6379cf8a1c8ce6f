"""The shapes of the JSON that the projections store and the endpoints return as it is stored."""

from datetime import datetime
from typing import Any

import msgspec

from customers.projections.order_lines import OrderLine
from customers.projections.order_refunds import Refund
from customers.projections.order_requests import OrderRequest


class Guest(msgspec.Struct, omit_defaults=True):
    """A guest of an order, as its source named it. It may have other fields of the source."""

    name: str = ""
    role: str = ""
    birth_date: str = ""
    reference: str = ""


class RequestedChange(msgspec.Struct, frozen=True):
    """A change of an order that a customer requested and that waits for an answer."""

    id: str
    event: str
    change: dict[str, Any]
    requested_at: datetime


STORED_SHAPES: tuple[type, ...] = (Guest, OrderLine, OrderRequest, Refund, RequestedChange)
