"""The actions of the people of the park behind the buttons of the demo page."""

import secrets
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from customers import ingest
from customers.models import Source
from customers.queries.record import read_record
from customers.queries.shapes import OrderShape, RecordShape
from customers.types import OPEN_ORDER_STATUSES
from examples.themepark import families, orders, people
from examples.themepark.families import Family
from examples.themepark.gate import file_scans
from examples.themepark.load import sender
from examples.themepark.message_history import DESK, SCAN, SITE, TILL
from examples.themepark.messages import Identifiers, Message, to_incoming_event
from examples.themepark.rides import zone


class DemoState:
    """The current record of Noor, and the messages of one action about her."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.today: date = now.astimezone(zone()).date()
        self.noor: Family = families.noor(self.today)
        login = people.noor()
        noor_record = (
            read_record(login.record_id, today=self.today, part=None) if login.record_id else None
        )
        assert noor_record is not None
        self.record: RecordShape = noor_record
        self.messages: list[Message] = []

    @property
    def upcoming_orders(self) -> list[OrderShape]:
        """Return the orders with a future visit, the next visit first."""
        upcoming = [
            order
            for order in self.record.orders
            if order.status in OPEN_ORDER_STATUSES
            and order.visit_date
            and order.visit_date >= self.today
        ]
        return sorted(upcoming, key=lambda order: order.visit_date or self.today)

    def add_message(
        self,
        source: str,
        name: str,
        properties: dict[str, Any],
        *,
        identifiers: Identifiers,
        about: str,
        actor: str = "",
    ) -> None:
        message_id = f"live-{secrets.token_hex(8)}"
        self.messages.append(
            Message(
                source=source,
                message_id=message_id,
                kind="track",
                name=name,
                identifiers=identifiers,
                occurred_at=self.now,
                content=properties,
                about=about,
                actor=actor,
            )
        )


def order_by_phone(state: DemoState) -> None:
    """Let Sam take a call from Noor and place her order."""
    number = f"LK-{secrets.randbelow(9000) + 1000}-{secrets.randbelow(90) + 10}"
    noor, reference = state.noor, f"call-{number}"
    call = {"from": noor.phone, "direction": "in", "call_id": reference}
    caller = ("phone", noor.phone)
    about = f"call:{reference}"
    state.add_message(DESK, "Call Started", call, identifiers=(caller,), about=about)
    answered = {**call, "user": "sam"}
    state.add_message(
        DESK, "Call Answered", answered, identifiers=(caller,), about=about, actor="staff:sam"
    )
    day = _free_day(state)
    content = orders.completed(number, key="lantern-night", family=noor, day=day, channel="phone")
    state.add_message(
        DESK,
        "Order Completed",
        content,
        identifiers=(caller, ("order", number)),
        about=f"order:{number}",
        actor="staff:sam",
    )


def _free_day(state: DemoState) -> date:
    """Return a day before the next visit if possible, so that the new order comes first."""
    visit_dates = [order.visit_date for order in state.upcoming_orders if order.visit_date]
    day_before = (
        visit_dates[0] - timedelta(days=1) if visit_dates else state.today + timedelta(days=9)
    )
    if day_before > state.today:
        return day_before
    return state.today + timedelta(days=10 + secrets.randbelow(50))


def move_on_site(state: DemoState) -> None:
    """Let Noor move her arrival by an hour and a half, or back."""
    for order in state.upcoming_orders[:1]:
        early = order.visit_time is None or order.visit_time.hour < 11
        content = {"order_id": order.number, "visit_time": "11:30" if early else "10:00"}
        identifiers = (("user_id", state.noor.key), ("order", order.number))
        state.add_message(
            SITE, "Order Amended", content, identifiers=identifiers, about=f"order:{order.number}"
        )


def scan_at_gate(state: DemoState) -> None:
    """Let Iris scan the code of Noor's next visit."""
    for order in state.upcoming_orders[:1]:
        content = {"order_id": order.number, "state": "good", "till": "gate-2"}
        state.add_message(
            TILL,
            SCAN,
            content,
            identifiers=(("order", order.number),),
            about=f"order:{order.number}",
            actor="staff:iris",
        )


DEMO_ACTIONS: dict[str, Callable[[DemoState], None]] = {
    "order-by-phone": order_by_phone,
    "move-on-site": move_on_site,
    "scan-at-gate": scan_at_gate,
}


def run_demo_action(name: str, *, now: datetime) -> int:
    """Run one action, and return the number of stored events."""
    state = DemoState(now)
    DEMO_ACTIONS[name](state)
    if not state.messages:
        return 0
    # All messages of an action come from one source.
    source = Source.objects.get(name=state.messages[0].source)
    events = file_scans([to_incoming_event(message) for message in state.messages])
    return ingest.store_events(sender=sender(source), events=events, received_at=now).accepted
