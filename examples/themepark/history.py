"""One year of messages of the park's sources about a family. Pure; a seed decides the content."""

import random
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from examples.themepark import orders
from examples.themepark.families import Family
from examples.themepark.message_history import APP, DESK, SCAN, SITE, TILL, MessageHistory
from examples.themepark.messages import Message
from examples.themepark.rides import rides, zone

VISITS = ("family-day", "family-day", "family-day", "lantern-night", "orchard-weekend", "birthday")
PAGES = ("Home", "Arrangements", "Opening hours", "Rides", "Lighthouse Inn")


def family_year(family: Family, *, seed: int, today: date, until: datetime) -> list[Message]:
    """Return the messages about a family in the year before `until`, in the order of time."""
    # The seed is a text and not a hash(): Python's hash of a text differs between processes.
    random_ = random.Random(f"{seed}-{family.key}")
    history = MessageHistory(family, until)
    joined = today - timedelta(days=random_.randrange(120, 364))
    _view_pages(history, random_, joined)
    _create_account(history, random_, joined)
    day, number = joined, 0
    while (day := day + timedelta(days=random_.randrange(20, 160))) < today + timedelta(days=75):
        number += 1
        _order_and_visit(history, random_, day, f"LK-{family.card[3:7]}-{number}")
    return sorted(history.messages, key=lambda message: message.occurred_at)


def _view_pages(history: MessageHistory, random_: random.Random, day: date) -> None:
    at = park_time(day, random_.randrange(18, 22), random_.randrange(60))
    for page in random_.sample(PAGES, random_.randrange(1, 4)):
        at += timedelta(seconds=random_.randrange(15, 90))
        path = "/" + page.lower().replace(" ", "-")
        history.add_message(
            SITE, page, at, {"path": path}, identifier_kinds=("anonymous_id",), kind="page"
        )


def _create_account(history: MessageHistory, random_: random.Random, day: date) -> None:
    family = history.family
    at = park_time(day, 22, random_.randrange(5, 40))
    traits = {
        "name": family.name,
        "first_name": family.first_name,
        "language": family.language,
        "email": family.email,
        "phone": family.phone,
        "card": family.card,
    }
    identifying_kinds = ("user_id", "card", "email", "phone")
    history.add_message(
        SITE, "", at, traits, identifier_kinds=(*identifying_kinds, "anonymous_id"), kind="identify"
    )
    for step, member in enumerate(family.members, start=1):
        content = {
            "reference": member.reference,
            "name": member.name,
            "role": member.role,
            "birth_date": member.birth_date.isoformat(),
            "guardian": member.guardian,
            "height_cm": member.height_cm,
        }
        changed_at = at + timedelta(minutes=step)
        about = f"member:{member.reference}"
        history.add_message(
            APP,
            "Party Member Changed",
            changed_at,
            content,
            identifier_kinds=("user_id",),
            about=about,
        )


def _order_and_visit(
    history: MessageHistory, random_: random.Random, day: date, number: str
) -> None:
    ordered_on = day - timedelta(days=random_.randrange(3, 20))
    key = random_.choice(VISITS)
    at = park_time(ordered_on, random_.randrange(9, 21), random_.randrange(60))
    by_phone = random_.random() < 0.3
    order = order_by_phone if by_phone else order_on_site
    order(history, at, number=number, key=key, day=day)
    draw = random_.random()
    changed_at = at + timedelta(hours=random_.randrange(2, 40))
    if draw < 0.08:
        cancel(history, changed_at, number=number)
        return
    if draw < 0.25:
        move(history, changed_at, number=number, to="11:30")
    visit(history, random_, day, number=number)


def order_on_site(
    history: MessageHistory, at: datetime, *, number: str, key: str, day: date
) -> None:
    """Add the events of an order on the web site; `at` is the time of the order."""
    properties = orders.completed(number, key=key, family=history.family, day=day, channel="web")
    product = {"name": properties["name"], "visit_date": properties["visit_date"]}
    identifying_kinds = ("user_id", "anonymous_id")
    history.add_message(
        SITE,
        "Product Viewed",
        at - timedelta(minutes=9),
        product,
        identifier_kinds=identifying_kinds,
    )
    history.add_message(
        SITE,
        "Checkout Started",
        at - timedelta(minutes=4),
        product,
        identifier_kinds=identifying_kinds,
    )
    history.add_message(
        SITE,
        "Order Completed",
        at,
        properties,
        identifier_kinds=(*identifying_kinds, "order"),
        about=f"order:{number}",
    )


def order_by_phone(
    history: MessageHistory, at: datetime, *, number: str, key: str, day: date
) -> None:
    """Add the events of an order by phone, and of the call that began four minutes earlier."""
    properties = orders.completed(number, key=key, family=history.family, day=day, channel="phone")
    call(history, at - timedelta(minutes=4), reference=number, minutes=6)
    history.add_message(
        DESK,
        "Order Completed",
        at,
        properties,
        identifier_kinds=("phone", "email", "order"),
        about=f"order:{number}",
        actor="staff:sam",
    )


def call(history: MessageHistory, at: datetime, *, reference: str, minutes: int) -> None:
    """Add the events of a call that begins at `at` and takes this number of minutes."""
    steps: tuple[tuple[str, int, dict[str, str]], ...] = (
        ("Call Started", 0, {}),
        ("Call Answered", 12, {"user": "sam"}),
        ("Call Ended", minutes * 60, {"cause": "normalClearing"}),
    )
    call_properties = {
        "from": history.family.phone,
        "direction": "in",
        "call_id": f"call-{reference}",
    }
    for name, second, details in steps:
        history.add_message(
            DESK,
            name,
            at + timedelta(seconds=second),
            {**call_properties, **details},
            identifier_kinds=("phone",),
            about=f"call:call-{reference}",
            actor="staff:sam" if details else "",
        )


def move(history: MessageHistory, at: datetime, *, number: str, to: str) -> None:
    """Add the event that moves the visit to another time (`to`)."""
    content = {"order_id": number, "visit_time": to}
    history.add_message(
        APP,
        "Order Amended",
        at,
        content,
        identifier_kinds=("user_id", "order"),
        about=f"order:{number}",
    )


def cancel(history: MessageHistory, at: datetime, *, number: str) -> None:
    """Add the event that cancels the whole order."""
    content = {"order_id": number, "reason": "plans changed"}
    history.add_message(
        APP,
        "Order Cancelled",
        at,
        content,
        identifier_kinds=("user_id", "order"),
        about=f"order:{number}",
    )


def visit(history: MessageHistory, random_: random.Random, day: date, *, number: str) -> None:
    """Add a day in the park: the scan at the gate, some waiting times, and the card in the shop."""
    at = park_time(day, 10, random_.randrange(2, 55))
    content = {"order_id": number, "state": "good", "till": "gate-2"}
    about = f"order:{number}"
    history.add_message(
        TILL,
        SCAN,
        at,
        content,
        identifier_kinds=("order",),
        about=about,
        actor="staff:iris",
    )
    for ride in random_.sample(rides(), random_.randrange(1, 5)):
        at += timedelta(minutes=random_.randrange(30, 80))
        if (wait := ride.posted_wait(at)) is not None:
            properties: dict[str, Any] = {
                "ride": ride.id,
                "name": ride.name,
                "posted_minutes": wait,
            }
            history.add_message(
                APP, "Ride Wait Checked", at, properties, identifier_kinds=("user_id", "device")
            )
    if random_.random() < 0.5:
        content = {"card": history.family.card, "till": "harbor-shop"}
        history.add_message(
            TILL, "Card Scanned", at + timedelta(minutes=20), content, identifier_kinds=("card",)
        )


def park_time(day: date, hour: int, minute: int) -> datetime:
    """Return a time of day in the park's time zone, as UTC."""
    return datetime.combine(day, time(hour, minute), tzinfo=zone()).astimezone(UTC)


def noors_year(noor: Family, *, today: date, until: datetime) -> list[Message]:
    """Return the year of Noor, the guest of the example's story; it is the same on any day."""
    random_ = random.Random("noor")
    history = MessageHistory(noor, until)
    # She called before she had an account. So she had two records, which Butler merged when she
    # proved the number.
    call(history, park_time(today - timedelta(days=352), 11, 37), reference="2048-0", minutes=3)
    _view_pages(history, random_, today - timedelta(days=341))
    _create_account(history, random_, today - timedelta(days=341))
    for number, (days, key) in enumerate(((318, "family-day"), (104, "lantern-night")), start=1):
        day = today - timedelta(days=days)
        order_on_site(
            history,
            park_time(day - timedelta(days=9), 20, 41),
            number=f"LK-2048-{number}",
            key=key,
            day=day,
        )
        visit(history, random_, day, number=f"LK-2048-{number}")
    day = today + timedelta(days=9)
    order_by_phone(
        history,
        park_time(today - timedelta(days=2), 16, 12),
        number="LK-2048-3",
        key="birthday",
        day=day,
    )
    move(history, park_time(today - timedelta(days=1), 21, 3), number="LK-2048-3", to="12:00")
    return sorted(history.messages, key=lambda message: message.occurred_at)
