"""What the people of the park do when a visitor presses a button on the live page."""

import secrets
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from customers import ingest
from customers.models import Source
from customers.queries.record import record
from customers.queries.shapes import OrderShape, RecordShape
from examples.themepark import families, orders, people
from examples.themepark.families import Family
from examples.themepark.history import DESK, SITE, TILL
from examples.themepark.load import sender
from examples.themepark.messages import Identifiers, Message, item
from examples.themepark.rides import zone


class Stage:
    """Noor as she stands now, and what is said about her this moment."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.today: date = now.astimezone(zone()).date()
        self.noor: Family = families.noor(self.today)
        login = people.noor()
        found = record(login.record_id, today=self.today) if login.record_id else None
        assert found is not None
        self.record: RecordShape = found
        self.said: list[Message] = []

    @property
    def standing(self) -> list[OrderShape]:
        """Return the orders that are still to come, the next visit first."""
        ahead = [
            order
            for order in self.record.orders
            if order.status in ("placed", "amended")
            and order.visit_date
            and order.visit_date >= self.today
        ]
        return sorted(ahead, key=lambda order: order.visit_date or self.today)

    def say(
        self,
        source: str,
        name: str,
        content: dict[str, Any],
        *,
        by: Identifiers,
        about: str,
        actor: str = "",
    ) -> None:
        message_id = f"live-{secrets.token_hex(8)}"
        self.said.append(
            Message(
                source=source,
                message_id=message_id,
                kind="track",
                name=name,
                identifiers=by,
                occurred_at=self.now,
                content=content,
                about=about,
                actor=actor,
            )
        )


def order_by_phone(stage: Stage) -> None:
    """Sam takes a call from Noor, and her order."""
    number = f"LK-{secrets.randbelow(9000) + 1000}-{secrets.randbelow(90) + 10}"
    noor, reference = stage.noor, f"call-{number}"
    call = {"from": noor.phone, "direction": "in", "call_id": reference}
    caller = ("phone", noor.phone)
    about = f"call:{reference}"
    stage.say(DESK, "Call Started", call, by=(caller,), about=about)
    answered = {**call, "user": "sam"}
    stage.say(DESK, "Call Answered", answered, by=(caller,), about=about, actor="staff:sam")
    day = _free_day(stage)
    content = orders.completed(number, key="lantern-night", family=noor, day=day, channel="phone")
    stage.say(
        DESK,
        "Order Completed",
        content,
        by=(caller, ("order", number)),
        about=f"order:{number}",
        actor="staff:sam",
    )


def _free_day(stage: Stage) -> date:
    """Return a day before the next visit where there is one, so that the order comes first."""
    coming = [order.visit_date for order in stage.standing if order.visit_date]
    before = coming[0] - timedelta(days=1) if coming else stage.today + timedelta(days=9)
    if before > stage.today:
        return before
    return stage.today + timedelta(days=10 + secrets.randbelow(50))


def move_on_site(stage: Stage) -> None:
    """Noor moves her arrival by an hour and a half, and back."""
    for order in stage.standing[:1]:
        early = order.visit_time is None or order.visit_time.hour < 11
        content = {"order_id": order.number, "visit_time": "11:30" if early else "10:00"}
        by = (("user_id", stage.noor.key), ("order", order.number))
        stage.say(SITE, "Order Amended", content, by=by, about=f"order:{order.number}")


def scan_at_gate(stage: Stage) -> None:
    """Iris scans the code of Noor's next visit."""
    for order in stage.standing[:1]:
        content = {"order_id": order.number, "code": order.number, "till": "gate-2"}
        stage.say(
            TILL,
            "Ticket Scanned",
            content,
            by=(("order", order.number),),
            about=f"order:{order.number}",
            actor="staff:iris",
        )


ACTS: dict[str, Callable[[Stage], None]] = {
    "order-by-phone": order_by_phone,
    "move-on-site": move_on_site,
    "scan-at-gate": scan_at_gate,
}


def act(name: str, *, now: datetime) -> int:
    """Play one act; return how many events it put on the record."""
    stage = Stage(now)
    ACTS[name](stage)
    if not stage.said:
        return 0
    # All messages of an act come from one source.
    source = Source.objects.get(name=stage.said[0].source)
    items = [item(message) for message in stage.said]
    return ingest.record(sender=sender(source), items=items, received_at=now).accepted
